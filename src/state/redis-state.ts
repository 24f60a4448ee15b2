import { createHash, createHmac } from 'node:crypto'
import { TOTPError } from '../core/errors.js'
import { longestMs, memoryOf } from './budgets.js'
import { decideScript, parseAnswer, type ScriptAnswer, type ScriptQuestion } from './decide-script.js'
import {
  acceptableFrom,
  acceptableUntil,
  lifeMs,
  pairOf,
  replayed,
  throttled,
  unknown,
  type Attempt,
  type Decision,
  type State,
} from './state.js'
import type { RedisPort } from './redis-port.js'

export interface RedisStateOptions {
  /**
   * What all keys begin with, in braces: one agent, one prefix. By default `a2a-totp`. The braces are a hash tag,
   * so that in a cluster all keys of an agent, and what tells that they are complete, live and die on one node.
   */
  readonly prefix?: string
  /** How long Redis has for a decision, in milliseconds; by default 500. After that the request is refused. */
  readonly timeoutMs?: number
  /** By how much the clocks of an agent's replicas may differ, in milliseconds; by default 1000. */
  readonly clockSkewMs?: number
  /** The clock that the scheme goes by; by default the real one. */
  readonly now?: () => Date
}

/** So many decisions may wait for an answer at once: a Redis that hangs must not fill this process's memory. */
const mostUnanswered = 10_000

/**
 * A state whose memory is shared by all replicas of an agent, in Redis (7 or later) or Valkey. One script and one
 * round trip a decision; two or three once, after Redis has started or was flushed. `decide` rejects with
 * `ERR_STATE_UNAVAILABLE` when Redis fails or takes too long, and the request is refused.
 *
 * ```ts
 * const state = redisState(fromIoredis(new Redis('redis://127.0.0.1')), { prefix: 'my-agent' })
 * const scheme = new TOTPServerAuthScheme({ state, … })
 * ```
 *
 * Redis learns neither code nor token: names are hashed, and guesses keyed with the hash of the token besides. It
 * must not evict (`maxmemory-policy noeviction`): a memory with holes lets a code pass twice.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a prefix with braces, or times that are no whole numbers.
 */
export function redisState(port: RedisPort, options: RedisStateOptions = {}): State {
  const settings = parseOptions(options)
  const { timeoutMs } = settings
  let unanswered = 0
  return {
    supports: { once: true },
    async decide(attempt) {
      if (unanswered >= mostUnanswered) throw unavailable('too many decisions wait for Redis')
      unanswered++
      const answer = ask(port, keysFor(settings.prefix, attempt), questionOf(attempt), settings)
      return decisionOf(
        attempt,
        await within(
          timeoutMs,
          answer.finally(() => unanswered--),
        ),
      )
    },
  }
}

function parseOptions({
  prefix = 'a2a-totp',
  timeoutMs = 500,
  clockSkewMs = 1000,
  now = () => new Date(),
}: RedisStateOptions): Required<RedisStateOptions> {
  if (!/^[^{}\s]{1,64}$/.test(prefix)) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'prefix must be 1 to 64 characters without braces or blanks')
  }
  if (
    !Number.isSafeInteger(timeoutMs) ||
    timeoutMs < 1 ||
    !Number.isSafeInteger(clockSkewMs) ||
    clockSkewMs < 0
  ) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'timeoutMs must be a whole number above 0, clockSkewMs one that is not negative',
    )
  }
  return { prefix, timeoutMs, clockSkewMs, now }
}

function keysFor(prefix: string, { peer, tokenHash, policy, comparison }: Attempt): string[] {
  const key = (kind: string, other: string): string => `{${prefix}}:${kind}:${digestOf(pairOf(peer, other))}`
  const keys = [`{${prefix}}:begun`, key('guesses', tokenHash)]
  if (policy === 'once' && comparison.kind === 'match') keys.push(key('claim', comparison.seedId))
  return keys
}

function questionOf(attempt: Attempt): ScriptQuestion {
  const { budgets, comparison, policy, tokenHash } = attempt
  const life = lifeMs(attempt)
  const at = attempt.at.getTime()
  const question = { at, budgets: budgets.map(({ limit, seconds }) => ({ limit, ms: seconds * 1000 })) }
  if (comparison.kind === 'guess') {
    return {
      ...question,
      guess: createHmac('sha256', tokenHash)
        .update(`${attempt.peer} ${attempt.timeStep} ${comparison.code}`)
        .digest('base64url')
        .slice(0, 16),
      keep: memoryOf(budgets),
      keepMs: Math.max(longestMs(budgets), life),
    }
  }
  if (policy === 'reuse') return question
  return {
    ...question,
    step: comparison.timeStep,
    acceptableFrom: acceptableFrom(attempt, comparison.timeStep),
    lifeMs: life,
    // As long again as needed, for a replica whose clock is behind.
    claimMs: Math.max(acceptableUntil(attempt, comparison.timeStep) - at, 0) + life,
  }
}

/** Asks once, and again only to make the script known or to begin a new memory. */
async function ask(
  port: RedisPort,
  keys: readonly string[],
  question: ScriptQuestion,
  { timeoutMs, clockSkewMs, now }: Required<RedisStateOptions>,
): Promise<ScriptAnswer> {
  const evalSha = (asked: ScriptQuestion): Promise<unknown> =>
    port.evalSha(decideScript.sha, keys, JSON.stringify(asked))
  try {
    const reply = await evalSha(question).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return port.eval(decideScript.text, keys, JSON.stringify({ ...question, restarted: true }))
    })
    const answer = parseAnswer(reply)
    if (answer?.[0] !== 'lost') return expectAnswer(answer)
    // The beginning counts only if Redis hears of it in time, so it is never earlier than what was lost.
    const at = now().getTime() + timeoutMs + clockSkewMs
    const begin = { at, lostAt: answer[1], withinMs: timeoutMs }
    return expectAnswer(parseAnswer(await evalSha({ ...question, begin })))
  } catch (cause) {
    throw unavailable('Redis cannot answer', cause)
  }
}

function expectAnswer(answer: ScriptAnswer | undefined): ScriptAnswer {
  if (answer) return answer
  throw new Error('this is no answer of the script')
}

function decisionOf(attempt: Attempt, [kind, value]: ScriptAnswer): Decision {
  switch (kind) {
    case 'accepted':
      return { kind }
    case 'wrong':
      return { kind, tripped: value === 1 }
    case 'replayed':
      return replayed(attempt, value)
    case 'throttled':
      return throttled(value)
    case 'unknown':
      return unknown(attempt, value)
    case 'lost':
    case 'late':
      throw unavailable('Redis was too late to begin a new memory')
  }
}

/** Not left to the client: some queue commands without end while they are not connected. */
async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(unavailable('Redis did not answer in time')), timeoutMs)
  })
  try {
    return await Promise.race([answer, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(what: string, cause?: unknown): TOTPError {
  return new TOTPError('ERR_STATE_UNAVAILABLE', `${what}; see whether it is up and in reach`, { cause })
}

/** 132 bits of SHA-256: names of any length and letters become keys of one length and without braces. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
