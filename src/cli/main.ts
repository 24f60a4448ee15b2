import { addPeerCommand } from './commands/add-peer.js'
import { codeCommand } from './commands/code.js'
import { configCommand } from './commands/config.js'
import { completePeersCommand, completionCommand } from './commands/completion.js'
import { decryptCommand } from './commands/decrypt.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { encryptCommand } from './commands/encrypt.js'
import { exportCommand } from './commands/export.js'
import { helpCommand } from './commands/help.js'
import { importCommand } from './commands/import.js'
import { initCommand } from './commands/init.js'
import { listCommand } from './commands/list.js'
import { probeCommand } from './commands/probe.js'
import { recipientsCommand } from './commands/recipients.js'
import { removePeerCommand } from './commands/remove-peer.js'
import { rotateCommand } from './commands/rotate.js'
import { showCommand } from './commands/show.js'
import { verifyCommand } from './commands/verify.js'
import { runCommandLine, runProcess, type CommandMaker } from './program.js'
import type { World } from './world.js'

const commands: readonly CommandMaker[] = [
  initCommand,
  addPeerCommand,
  listCommand,
  showCommand,
  codeCommand,
  verifyCommand,
  configCommand,
  probeCommand,
  rotateCommand,
  removePeerCommand,
  importCommand,
  exportCommand,
  encryptCommand,
  decryptCommand,
  recipientsCommand,
  doctorCommand,
  demoCommand,
  completionCommand,
  helpCommand,
  Object.assign(completePeersCommand, { hidden: true as const }),
]

/** Runs one command line. Gives its exit code; never throws. */
export const main = (args: readonly string[], world: World): Promise<number> =>
  runCommandLine(commands, args, world)

/** Runs this process's command line. */
export const run = (): void => runProcess(commands)
