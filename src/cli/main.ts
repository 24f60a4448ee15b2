import { addPeerCommand } from './commands/peers/add-peer.js'
import { codeCommand } from './commands/codes/code.js'
import { configCommand } from './commands/config/config.js'
import { completePeersCommand, completionCommand } from './commands/help/completion.js'
import { decryptCommand } from './commands/store/decrypt.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { encryptCommand } from './commands/store/encrypt.js'
import { exportCommand } from './commands/transfer/export.js'
import { helpCommand } from './commands/help/help.js'
import { importCommand } from './commands/transfer/import.js'
import { initCommand } from './commands/store/init.js'
import { listCommand } from './commands/peers/list.js'
import { probeCommand } from './commands/probe/probe.js'
import { recipientsCommand } from './commands/store/recipients.js'
import { removePeerCommand } from './commands/peers/remove-peer.js'
import { rotateCommand } from './commands/peers/rotate.js'
import { showCommand } from './commands/peers/show.js'
import { verifyCommand } from './commands/codes/verify.js'
import { runProcess } from './process.js'
import { runCommandLine, type CommandMaker } from './program.js'
import type { World } from './system.js'

/** By the names that a command line may use. */
const commands: Readonly<Record<string, CommandMaker>> = {
  init: initCommand,
  'add-peer': addPeerCommand,
  list: listCommand,
  show: showCommand,
  code: codeCommand,
  verify: verifyCommand,
  config: configCommand,
  probe: probeCommand,
  rotate: rotateCommand,
  'remove-peer': removePeerCommand,
  revoke: removePeerCommand,
  import: importCommand,
  export: exportCommand,
  encrypt: encryptCommand,
  decrypt: decryptCommand,
  recipients: recipientsCommand,
  doctor: doctorCommand,
  demo: demoCommand,
  completion: completionCommand,
  help: helpCommand,
  'complete-peers': Object.assign(completePeersCommand, { hidden: true as const }),
}

/** Those that tell of all the others. */
const telling: ReadonlySet<CommandMaker> = new Set([completionCommand, helpCommand])

/** The one command that a command line names. All where it names none, or one that tells of the others. */
function commandsFor(args: readonly string[]): ReadonlySet<CommandMaker> {
  const name = firstOperand(args)
  const named = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  return new Set(named && !telling.has(named) ? [named] : Object.values(commands))
}

function firstOperand(args: readonly string[]): string | undefined {
  return args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--store')
}

/** Runs one command line. Gives its exit code; never throws. */
export const main = (args: readonly string[], world: World): Promise<number> =>
  runCommandLine(commandsFor(args), args, world)

/** Runs this process's command line. */
export const run = (): void => runProcess(main)
