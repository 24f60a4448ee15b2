import { generateCode } from '../core/totp.js'
import type { CheckId } from './catalogue.js'
import { CellRun, isSuccess } from './cell-run.js'
import type { Cell } from './cells.js'
import { freeAttempts, guessAttempts, type Attempt, type Material } from './checks/refusals.js'
import { untilNextStep, wrongCodesAt, type WrongCodes } from './codes.js'
import { isExposed } from './hosts.js'
import type { FieldLine, HttpClient } from './http.js'
import type { ProbeOptions } from './options.js'
import type { Secrets } from './secrets.js'
import { ValidCodes } from './valid-codes.js'

export interface Session {
  readonly options: ProbeOptions
  readonly client: HttpClient
  readonly secrets: Secrets
  readonly performed: ReadonlySet<CheckId>
  readonly sleep: (ms: number) => Promise<void>
  readonly announce: (text: string) => void
}

export interface Performed {
  readonly runs: readonly CellRun[]
  /** Distinct wrong codes sent with the live token. */
  readonly guessesSpent: number
  /** Why no code of another peer was sent. */
  readonly noCrossPeer: string
}

/** Tries of a valid call at an agent that says that the code was used. */
const validTries = 3
/** Time within a step that is not planned with, in milliseconds. */
const spareMs = 1000

/**
 * Sends everything, in the order that spares the agent's budget of guesses and tells most: free refusals while
 * nothing has succeeded yet, then the valid calls with the same refusals after each, then the guesses.
 */
export async function perform(session: Session, cells: readonly Cell[]): Promise<Performed> {
  const { options, client, performed } = session
  const runs = cells.map((cell) => new CellRun(cell, client, options.random))
  const testable = runs.filter(({ cell }) => cell.untestable === undefined)
  const trusted = testable.filter(({ cell }) => options.insecureHttp === true || !isExposed(cell.url))
  for (const run of testable) {
    if (!trusted.includes(run)) {
      run.whyNotSent =
        'nothing authenticated is sent over plain http beyond loopback; allow it with --insecure-http'
    }
    for (const attempt of freeAttempts(performed, materialNow(session))) {
      if (trusted.includes(run) || attempt.fields.length === 0) await run.try(attempt, 'other-connection')
    }
  }
  if (performed.has('auth.valid')) await callAllValid(session, trusted)
  const wrongCodes = await freshWrongCodes(session, trusted)
  const guessed = await guess(session, trusted, wrongCodes)
  return { runs, guessesSpent: guessed.size, noCrossPeer: wrongCodes.noCrossPeer }
}

function materialNow({ options, secrets }: Session): Material {
  const { credentials, now, random } = options
  const code = generateCode(credentials.seed, credentials, now())
  secrets.remember(code)
  return {
    token: credentials.token.value,
    header: credentials.header,
    unknownToken: Buffer.from(random(32)).toString('base64url'),
    code,
  }
}

async function callAllValid(session: Session, runs: readonly CellRun[]): Promise<void> {
  const { options, performed, sleep, announce } = session
  const { credentials, now } = options
  const codes = new ValidCodes({ credentials, now, sleep, announce })
  if (codes.once) {
    const seconds = Math.max(0, runs.length - 1 - 2 * Math.min(credentials.window, 1)) * credentials.period
    announce(
      `policy once: ${runs.length} valid calls need a time step each, about ${seconds} s; --only for less`,
    )
  }
  for (const run of runs) {
    await callValid(session, run, codes)
    if (!run.valid || !isSuccess(run.valid, run)) continue
    if (!codes.once) await callSpelledOddly(session, run, codes)
    if (options.send !== undefined) {
      await run.sendMessage(credentialFields(session, await codes.next()), options.send)
    }
    if (!performed.has('auth.after-valid')) continue
    const again = freeAttempts(performed, materialNow(session)).filter((attempt) => attempt.again)
    for (const attempt of again) await run.try(attempt, 'valid-connection')
    for (const attempt of again) await run.try(attempt, 'other-connection')
  }
}

async function callValid(session: Session, run: CellRun, codes: ValidCodes): Promise<void> {
  for (let tries = 0; tries < validTries; tries++) {
    const answer = await run.callValid(credentialFields(session, await codes.next()))
    const spent = answer.kind === 'refused' && answer.retryAfter !== undefined
    if (!spent) return
    codes.learnOnce()
  }
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
    const answer = await run.callSpelledOddly(label, fields(await codes.next()))
    if (answer.kind === 'refused' && answer.retryAfter !== undefined) {
      codes.learnOnce()
      return
    }
  }
}

function credentialFields({ options, secrets }: Session, code: string): FieldLine[] {
  secrets.remember(code)
  const { token, header } = options.credentials
  return [
    ['Authorization', `Bearer ${token.value}`],
    [header, code],
  ]
}

/** The wrong codes of a step with time enough left for all guesses, after a wait where that is needed. */
async function freshWrongCodes(session: Session, runs: readonly CellRun[]): Promise<WrongCodes> {
  const { options, sleep } = session
  const { credentials, now } = options
  const durations = runs.flatMap(({ answers }) => answers.map(({ durationMs }) => durationMs))
  const mean = durations.reduce((sum, one) => sum + one, 0) / Math.max(durations.length, 1)
  const neededMs = spareMs + 2 * mean * 5 * runs.length
  const leftMs = untilNextStep(credentials, now())
  if (guessable(session, runs).length > 0 && leftMs < neededMs) {
    if (leftMs > spareMs) session.announce(`waiting ${Math.ceil(leftMs / 1000)} s for a fresh time step`)
    await sleep(leftMs)
  }
  return wrongCodesAt(options, now())
}

async function guess(
  session: Session,
  runs: readonly CellRun[],
  codes: WrongCodes,
): Promise<ReadonlySet<string>> {
  const { performed, secrets } = session
  const spent = new Set<string>()
  const send = async (run: CellRun, attempt: Attempt, on: Parameters<CellRun['try']>[1]): Promise<void> => {
    if (attempt.guess !== undefined) spent.add(attempt.guess)
    secrets.remember(attempt.guess ?? '')
    await run.try(attempt, on)
  }
  for (const run of guessable(session, runs)) {
    for (const attempt of guessAttempts(performed, materialNow(session), codes)) {
      await send(run, attempt, 'other-connection')
      const afterValid = attempt.check === 'auth.wrong-code' && performed.has('auth.after-valid')
      if (afterValid && run.valid) await send(run, attempt, 'valid-connection')
    }
  }
  return spent
}

/** Where right credentials are refused, wrong ones would show nothing, and only spend the peer's budget. */
function guessable({ performed }: Session, runs: readonly CellRun[]): CellRun[] {
  const pointless = 'not sent: where right credentials are not let in, wrong ones show nothing'
  return runs.filter((run) => {
    const useful =
      !performed.has('auth.valid') ||
      (run.valid !== undefined && (run.valid.kind === 'throttled' || isSuccess(run.valid, run)))
    if (!useful) run.whyNotSent = pointless
    return useful
  })
}
