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
   * What all keys begin with, in braces; by default `a2a-totp`. Each agent needs its own. The braces are a hash tag: in
   * a cluster, all keys of an agent, and the key that tells that they are complete, live and die on one node.
   */
  readonly prefix?: string
  /** Limit for one decision in milliseconds; by default 500. After it the request is refused. */
  readonly timeoutMs?: number
  /** By how much the clocks of an agent's replicas may differ, in milliseconds; by default 1000. */
  readonly clockSkewMs?: number
  /** The scheme's clock; by default the real one. */
  readonly now?: () => Date
}

/** How many decisions may wait at once: a Redis that hangs must not fill this process's memory. */
const mostUnanswered = 10_000

/**
 * A state that all replicas of an agent share, in Redis (7 or later) or Valkey. Each decision is one script and one
 * round trip; the first one after Redis was started or flushed takes two or three. `decide` rejects with
 * `ERR_STATE_UNAVAILABLE` when Redis fails or takes too long, and the request is refused.
 *
 * ```ts
 * const state = redisState(fromIoredis(new Redis('redis://127.0.0.1')), { prefix: 'my-agent' })
 * const scheme = new TOTPServerAuthScheme({ state, … })
 * ```
 *
 * Redis learns no code and no token: names are hashed, and guesses are also keyed with the hash of the token. It must
 * not evict (`maxmemory-policy noeviction`): a memory with gaps accepts a code twice.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a prefix with braces, or times that are not whole numbers.
 */
export function redisState(port: RedisPort, options: RedisStateOptions = {}): State {
  const settings = parseOptions(options)
  const { timeoutMs } = settings
  let unanswered = 0
  return {
    supports: { once: true },
    async decide(attempt) {
      if (unanswered >= mostUnanswered) throw unavailable('too many decisions are waiting for Redis')
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
    // Twice as long as needed, for a replica whose clock is behind.
    claimMs: Math.max(acceptableUntil(attempt, comparison.timeStep) - at, 0) + life,
  }
}

/** Asks once; asks again only to load the script or to begin a new memory. */
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
    // Redis takes the beginning only in time, so it is never earlier than what was lost.
    const at = now().getTime() + timeoutMs + clockSkewMs
    const begin = { at, lostAt: answer[1], withinMs: timeoutMs }
    return expectAnswer(parseAnswer(await evalSha({ ...question, begin })))
  } catch (cause) {
    throw unavailable('Redis cannot answer', cause)
  }
}

function expectAnswer(answer: ScriptAnswer | undefined): ScriptAnswer {
  if (answer) return answer
  throw new Error('the script returned something unexpected')
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

/** Not left to the client: some queue commands without limit while they are not connected. */
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
  return new TOTPError('ERR_STATE_UNAVAILABLE', `${what}; check that it is running and reachable`, { cause })
}

/** 132 bits of SHA-256, so that any name becomes a key of one length and without braces. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
