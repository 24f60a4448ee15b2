import { isTOTPError, TOTPError } from '../core/errors.js'
import { DeadTokens } from './dead-tokens.js'
import { decideScript, parseAnswer, type ScriptAnswer, type ScriptQuestion } from './decide-script.js'
import { timedOut, type Failure } from './failure.js'
import { parseBound } from './nonces.js'
import {
  notConnected,
  failureOf,
  tooManyWaiting,
  unavailable,
  UnexpectedReplyError,
} from './redis-failure.js'
import type { RedisPort } from './redis-port.js'
import { decideKeys, questionOf, takeBackKeys, takeBackQuestionOf } from './redis-questions.js'
import type { Script } from './script.js'
import { full, replayed, throttled, unknown, unknownProof } from './state.js'
import type { Attempt, Decision, State } from './state.js'
import { takeBackScript, type TakeBackQuestion } from './take-back-script.js'

export interface RedisStateOptions {
  /**
   * What all keys begin with, in braces; by default `a2a-totp`. Agents that share it share claims and budgets of the
   * seeds that they share. The braces are a hash tag: in a cluster, all keys of a deployment, and the key that tells
   * that they are complete, live and die on one node.
   */
  readonly prefix?: string
  /** Limit for one decision in milliseconds; by default 500. After it the request is refused. */
  readonly timeoutMs?: number
  /** By how much the clocks of an agent's replicas may differ, in milliseconds; by default 1000. */
  readonly clockSkewMs?: number
  /**
   * How many nonces of signed requests are remembered at most for each seed, by default 240,000: with the default profile,
   * at least 1,500 signed requests a second if the peer's clock is right. Beyond that its signed requests are refused (503).
   */
  readonly mostNonces?: number
  /** The scheme's clock; by default the real one. */
  readonly now?: () => Date
}

/** How many decisions may wait at once: a Redis that hangs must not fill this process's memory. */
const mostUnanswered = 10_000

/** How many nonces of a seed are remembered at most by default, in Redis. */
const defaultMostNonces = 240_000

/**
 * A state that all replicas of an agent share, in Redis (7 or later) or Valkey. Each decision is one script and one
 * round trip. Two or three are needed for the first decision under `once` or with a proof after Redis was started or
 * flushed, and for the first one in this process that finds a budget exhausted by a token that was rotated away. `decide`
 * rejects with `ERR_STATE_UNAVAILABLE` when Redis fails or takes too long, and the request is refused.
 *
 * ```ts
 * const state = redisState(fromIoredis(new Redis('redis://127.0.0.1')), { prefix: 'my-agent' })
 * const scheme = new TOTPServerAuthScheme({ state, … })
 * ```
 *
 * Redis learns no code, token, seed or name: all of them are hashed, and codes are keyed with the seed's digest. It must
 * not evict (`maxmemory-policy noeviction`): a memory with gaps accepts a code twice.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a prefix with braces, or times that are not whole numbers.
 */
export function redisState(port: RedisPort, options: RedisStateOptions = {}): State {
  const settings = parseOptions(options)
  const { prefix, timeoutMs } = settings
  const dead = new DeadTokens()
  let unanswered = 0

  /** Limits how many questions wait, and for how long; says why there is no answer. */
  async function bounded<T>(answer: () => Promise<T>): Promise<T> {
    if (unanswered >= mostUnanswered) throw unavailable(tooManyWaiting)
    unanswered++
    return within(
      timeoutMs,
      answer()
        .catch((cause: unknown) => {
          throw isTOTPError(cause) ? cause : unavailable(failureOf(cause, prefix), cause)
        })
        .finally(() => unanswered--),
      () => (port.isConnected?.() === false ? notConnected : timedOut),
    )
  }

  return {
    supports: { once: true, proofs: true },
    decide: (attempt) =>
      bounded(async () => {
        const keys = decideKeys(prefix, attempt)
        const question = questionOf(attempt, settings.mostNonces)
        const known = dead.known(attempt)
        const answer = await ask(port, keys, { ...question, dead: known }, settings)
        const decision = decisionOf(attempt, answer)
        const all = [...new Set([...known, ...dead.learn(attempt, answer.tokens)])]
        if (all.length === known.length) return decision
        // Dead tokens were counted. A guess is not counted twice: the next question only asks for the budgets.
        if (answer.kind === 'throttled') {
          return decisionOf(attempt, await ask(port, keys, { ...question, dead: all }, settings))
        }
        const { at, budgets } = question
        const { kind } = await ask(port, keys, { at, budgets, dead: all }, settings)
        return { kind: 'wrong', counted: true, tripped: kind === 'throttled' }
      }),
    takeBack: (attempt, late) =>
      bounded(async () => {
        const keys = takeBackKeys(prefix, attempt)
        return (await run(port, takeBackScript, keys, takeBackQuestionOf(attempt, late))) === 1
      }),
  }
}

function parseOptions({
  prefix = 'a2a-totp',
  timeoutMs = 500,
  clockSkewMs = 1000,
  mostNonces = defaultMostNonces,
  now = () => new Date(),
}: RedisStateOptions): Required<RedisStateOptions> {
  if (!/^[^{}\s]{1,64}$/.test(prefix)) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'prefix must be 1 to 64 characters without braces or whitespace',
    )
  }
  if (
    !Number.isSafeInteger(timeoutMs) ||
    timeoutMs < 1 ||
    !Number.isSafeInteger(clockSkewMs) ||
    clockSkewMs < 0
  ) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'timeoutMs must be a whole number above 0, clockSkewMs a whole number of 0 or more',
    )
  }
  parseBound('mostNonces', mostNonces)
  return { prefix, timeoutMs, clockSkewMs, mostNonces, now }
}

/** Asks once; asks again only to load the script or to begin a new memory. */
async function ask(
  port: RedisPort,
  keys: readonly string[],
  question: ScriptQuestion,
  { timeoutMs, clockSkewMs, now }: Required<RedisStateOptions>,
): Promise<ScriptAnswer> {
  const answer = parseAnswer(await run(port, decideScript, keys, question, { ...question, restarted: true }))
  if (answer?.kind !== 'lost') return expectAnswer(answer)
  // Redis takes the beginning only in time, so it is never earlier than what was lost.
  const at = now().getTime() + timeoutMs + clockSkewMs
  const begin = { at, lostAt: answer.value, withinMs: timeoutMs }
  const again = { ...question, begin }
  return expectAnswer(parseAnswer(await run(port, decideScript, keys, again, { ...again, restarted: true })))
}

/**
 * Runs a script, which a server that does not know it learns.
 *
 * @param toNewServer the argument for such a server, if it differs
 */
async function run(
  port: RedisPort,
  { text, sha }: Script,
  keys: readonly string[],
  argument: ScriptQuestion | TakeBackQuestion,
  toNewServer = argument,
): Promise<unknown> {
  return port.evalSha(sha, keys, JSON.stringify(argument)).catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return port.eval(text, keys, JSON.stringify(toNewServer))
  })
}

function expectAnswer(answer: ScriptAnswer | undefined): ScriptAnswer {
  if (answer) return answer
  throw new UnexpectedReplyError()
}

function decisionOf(attempt: Attempt, { kind, value }: ScriptAnswer): Decision {
  switch (kind) {
    case 'accepted':
      return { kind }
    case 'wrong':
    case 'counted':
    case 'tripped':
      return { kind: 'wrong', counted: kind !== 'wrong', tripped: kind === 'tripped' }
    case 'replayed':
      return attempt.proof ? { kind } : replayed(attempt, value)
    case 'throttled':
      return throttled(value)
    case 'unknown':
      return attempt.proof ? unknownProof(attempt, Math.floor(value / 1000)) : unknown(attempt, value)
    case 'full':
      return full(attempt, Math.ceil(value / 1000))
    case 'lost':
    case 'late':
      throw unavailable(timedOut)
  }
}

/** Not left to the client: some queue commands without limit while they are not connected. */
async function within<T>(timeoutMs: number, answer: Promise<T>, why: () => Failure): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(unavailable(why())), timeoutMs)
  })
  try {
    return await Promise.race([answer, timeout])
  } finally {
    clearTimeout(timer)
  }
}
