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
import { runProcess } from './process.js'
import { runCommandLine, type CommandMaker } from './program.js'
import type { World } from './world.js'

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
