import { TOTPError } from '../../core/errors.js'
import type { System } from '../system.js'
import type { Output } from './output.js'
import type { Progress } from './progress.js'
import { ask, type TerminalInput } from './prompt.js'

/** What a command may ask the user at a terminal. */
export interface Questions {
  /**
   * Asks a yes/no question.
   *
   * @param option the option that answers yes, for the error
   * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED` without a terminal, and for Ctrl-D, which is not an answer
   */
  readonly confirm: (question: string, option: string) => Promise<boolean>
  readonly askHidden: AskHidden
}

/**
 * Asks for a secret without echoing it; undefined without a terminal.
 *
 * @param otherwise how to do without the question, for the error
 * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED` for Ctrl-D, which is not an answer
 */
export type AskHidden = (question: string, otherwise: string) => Promise<string | undefined>

export function createQuestions(system: System, output: Output, progress: Progress): Questions {
  return {
    async confirm(question, option) {
      const stdin = system.stdin()
      if (output.json || !isTerminal(system, stdin)) {
        throw new TOTPError(
          'ERR_CONFIRMATION_NEEDED',
          `${question} Cannot ask without a terminal; pass ${option} to continue`,
        )
      }
      const answer = await ask(`${question} [y/N]`, { ...system, stdin })
      return /^y(es)?$/i.test((answer ?? unanswered(question, `pass ${option} to continue`)).trim())
    },
    async askHidden(question, otherwise) {
      const stdin = system.stdin()
      // A spinner would paint over the question.
      progress.stop()
      if (!isTerminal(system, stdin)) return undefined
      return (await ask(question, { ...system, stdin, hidden: true })) ?? unanswered(question, otherwise)
    },
  }
}

/** After Ctrl-D, or when the terminal is gone. */
function unanswered(question: string, otherwise: string): never {
  throw new TOTPError('ERR_CONFIRMATION_NEEDED', `${question} There was no answer; ${otherwise}`)
}

function isTerminal({ stderr }: System, stdin: ReturnType<System['stdin']>): stdin is TerminalInput {
  return stdin.isTTY === true && stderr.isTTY === true
}
