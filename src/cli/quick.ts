import { codeCommand } from './commands/code.js'
import { verifyCommand } from './commands/verify.js'
import { runProcess } from './program.js'

/** Runs this process's command line, which {@link ./start.ts} has seen to be one of these commands. */
export const run = (): void => runProcess([codeCommand, verifyCommand])
