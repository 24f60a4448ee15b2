import { titleOf } from '../target/cells.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { askAgainBeforeValid } from './ask-again.js'
import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { bearerField, credentialFields, materialNow } from './material.js'
import { isShown, isSuccess } from './reading.js'
import type { Session } from './session.js'
import type { ValidCodes } from './valid-codes.js'

/** How often a valid call is tried at an agent that reports a used code. */
const validTries = 3

/** Calls every cell with right credentials, and repeats after each success what was refused before it. */
export async function callAllValid(
  session: Session,
  runs: readonly CellRun[],
  codes: ValidCodes,
): Promise<void> {
  const { options, announce } = session
  const { credentials } = options
  if (codes.once) {
    const seconds = Math.max(0, runs.length - 2 * Math.min(credentials.window, 1)) * credentials.period
    announce(
      `policy once: ${runs.length} valid calls need a time step each, about ${seconds} s; use --only for fewer`,
    )
  }
  let used: Used | undefined
  for (const [index, run] of runs.entries()) {
    used = (await callCell(session, run, codes, used)) ?? used
    if (!used || codes.once) continue
    // A code works for more than one call, so the other cells can be called in parallel.
    await Promise.all(runs.slice(index + 1).map((other) => callCell(session, other, codes)))
    break
  }
}

/** Calls one cell with right credentials. Returns the header lines that were let in. */
async function callCell(
  session: Session,
  run: CellRun,
  codes: ValidCodes,
  usedElsewhere?: Used,
): Promise<Used | undefined> {
  const { options, plan } = session
  const { performed } = plan
  if (codes.once && usedElsewhere && performed.has('replay')) {
    await replay(run, `a code that was used at ${usedElsewhere.at}`, usedElsewhere.fields)
  }
  await askAgainBeforeValid(session, run)
  const fields = await callValid(session, run, codes)
  if (run.valid?.kind === 'throttled') await callAsStranger(session, run)
  if (!isShown(run)) return undefined
  if (performed.has('replay')) {
    const { kind } = await replay(run, 'a code that was just used', fields)
    if (kind === 'refused') codes.learnOnce()
  }
  if (!codes.once) await callSpelledOddly(session, run, codes)
  if (options.send !== undefined) {
    const message = valid('a message', credentialFields(options.credentials, await codes.next()))
    await run.send('message', { ...message, operation: 'send', text: options.send }, 'of-valid-calls')
  }
  if (performed.has('auth.after-valid')) await tryAgain(session, run)
  return { at: titleOf(run.cell), fields }
}

const valid = (label: string, fields: readonly FieldLine[]): Attempt => ({
  check: 'auth.valid',
  label,
  operation: 'get',
  fields,
})

function replay(run: CellRun, label: string, fields: readonly FieldLine[]): ReturnType<CellRun['send']> {
  return run.send('replay', { ...valid(label, fields), check: 'replay' }, 'of-valid-calls')
}

/** Shows whether the agent throttles callers with an unknown token too. */
async function callAsStranger({ options }: Session, run: CellRun): Promise<void> {
  const { unknownToken, header, code } = materialNow(options)
  await run.send('stranger', valid('a stranger', [bearerField(unknownToken), [header, code]]), 'beside')
}

/** Repeats what was refused before the success, on its connection and on the other. */
async function tryAgain({ plan, options }: Session, run: CellRun): Promise<void> {
  const attempts = plan.freeRefusals('before-valid', materialNow(options)).filter(({ again }) => again)
  for (const attempt of attempts) await run.try('again', attempt, 'of-valid-calls')
  for (const attempt of attempts) await run.try('again', attempt, 'beside')
}

/** Header lines that were let in, and the cell that let them in. */
interface Used {
  readonly at: string
  readonly fields: readonly FieldLine[]
}

/** Returns the header lines of the last try. */
async function callValid(
  session: Session,
  run: CellRun,
  codes: ValidCodes,
  triesLeft: number = validTries,
): Promise<readonly FieldLine[]> {
  const code = await codes.next()
  const fields = credentialFields(session.options.credentials, code)
  const answer = await run.send('valid', valid('right credentials', fields), 'of-valid-calls')
  // An agent under `once` that has just started answers 503 to right credentials until it can check codes.
  if (answer.kind === 'throttled' || answer.status === 503) {
    run.waited = await session.throttleWait.for(answer)
    if ('seconds' in run.waited) {
      await askAgainBeforeValid(session, run)
      return callValid(session, run, codes, triesLeft)
    }
  }
  const spent = answer.kind === 'refused' && answer.retryAfter !== undefined
  if (spent) codes.learnOnce()
  else if (answer.kind === 'refused') codes.note(code, 'refused')
  else if (isSuccess(answer, run)) codes.note(code, 'accepted')
  return spent && triesLeft > 1 ? callValid(session, run, codes, triesLeft - 1) : fields
}

/** Scheme and header names are case-insensitive (RFC 9110 §5.1, §11.1), so these calls are correct too. */
async function callSpelledOddly(session: Session, run: CellRun, codes: ValidCodes): Promise<void> {
  const { token, header } = session.options.credentials
  const lower = header.toLowerCase()
  const otherCase = lower === header ? header.toUpperCase() : lower
  const spellings: [string, (code: string) => FieldLine[]][] = [
    [
      '"bearer" in small letters',
      (code) => [
        ['Authorization', `bearer ${token.value}`],
        [header, code],
      ],
    ],
    [
      `"${otherCase}"`,
      (code) => [
        ['authorization', `Bearer ${token.value}`],
        [otherCase, code],
      ],
    ],
  ]
  for (const [label, fields] of spellings) {
    const attempt = valid(label, fields(await codes.next()))
    const answer = await run.send('spelling', attempt, 'of-valid-calls')
    if (answer.kind === 'refused' && answer.retryAfter !== undefined) {
      codes.learnOnce()
      return
    }
  }
}
