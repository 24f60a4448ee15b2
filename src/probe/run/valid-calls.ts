import { titleOf } from '../target/cells.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { askAgainBeforeValid } from './ask-again.js'
import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { bearerField, credentialFields, materialNow } from './material.js'
import { isShown, isSuccess } from './reading.js'
import type { Session } from './session.js'
import type { ValidCodes } from './valid-codes.js'

/** Tries of a valid call at an agent that says that the code was used. */
const validTries = 3

/** Calls every cell with right credentials, and after each success sends again what was refused before it. */
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
      `policy once: ${runs.length} valid calls need a time step each, about ${seconds} s; --only for less`,
    )
  }
  let used: Used | undefined
  for (const [index, run] of runs.entries()) {
    used = (await callCell(session, run, codes, used)) ?? used
    if (!used || codes.once) continue
    // Codes are good for more than one call, so the other cells need not wait for their turn.
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

/** How a complete stranger is answered tells how the agent takes an unknown token. */
async function callAsStranger({ options }: Session, run: CellRun): Promise<void> {
  const { unknownToken, header, code } = materialNow(options)
  await run.send('stranger', valid('a stranger', [bearerField(unknownToken), [header, code]]), 'beside')
}

/** What was refused before the success, on its connection and beside it. */
async function tryAgain({ plan, options }: Session, run: CellRun): Promise<void> {
  const attempts = plan.freeRefusals('before-valid', materialNow(options)).filter(({ again }) => again)
  for (const attempt of attempts) await run.try('again', attempt, 'of-valid-calls')
  for (const attempt of attempts) await run.try('again', attempt, 'beside')
}

/** Header lines that were let in, and where. */
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

/** The scheme and header names know no case (RFC 9110 §5.1, §11.1): correct calls, differently spelled. */
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
