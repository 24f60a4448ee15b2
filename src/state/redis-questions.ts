import { createHash, createHmac } from 'node:crypto'
import { longestMs, memoryOf } from './budgets.js'
import { tokenTag } from './dead-tokens.js'
import type { ScriptQuestion } from './decide-script.js'
import { bucketEnd } from './nonces.js'
import { acceptableFrom, anyToken, claimKeptMs, guessSkewMs, lateCodeMs, lifeMs } from './state.js'
import type { Attempt, LateCode } from './state.js'
import type { TakeBackQuestion } from './take-back-script.js'

/** A bucket of nonces outlives them by so long, for a clock that stands still. What is lost after that is unknown. */
const noncesKeptMs = 24 * 3600 * 1000

/** The name is hashed: with the digest of a seed, Redis could find the codes behind the tags of guesses. */
function keyOf(prefix: string, kind: string, name: string): string {
  return `{${prefix}}:${kind}:${digestOf(name)}`
}

export function decideKeys(prefix: string, { seeds, comparison, timeStep, proof }: Attempt): string[] {
  const begun = `{${prefix}}:begun`
  if (proof && comparison.kind === 'match') {
    return [begun, keyOf(prefix, 'claim', comparison.seed), keyOf(prefix, 'nonces', comparison.seed)]
  }
  const [first = ''] = seeds
  return [
    begun,
    comparison.kind === 'match' ? keyOf(prefix, 'claim', comparison.seed) : begun,
    keyOf(prefix, 'seen', `${first} ${timeStep}`),
    ...seeds.flatMap((seed) => [keyOf(prefix, 'tokens', seed), keyOf(prefix, 'guesses', seed)]),
  ]
}

export function takeBackKeys(prefix: string, { seeds, peer }: Attempt): string[] {
  // Of the peer at this agent: another agent's peer may have the same name.
  const [first = ''] = seeds
  return [keyOf(prefix, 'ahead', `${first} ${peer}`), ...seeds.map((seed) => keyOf(prefix, 'guesses', seed))]
}

export function questionOf(attempt: Attempt, mostNonces: number): Omit<ScriptQuestion, 'dead'> {
  const { budgets, comparison, period, policy, proof, token } = attempt
  const life = lifeMs(attempt)
  const at = attempt.at.getTime()
  const question = { at, budgets: budgets.map(({ limit, seconds }) => ({ limit, ms: seconds * 1000 })) }
  if (comparison.kind === 'guess') {
    return {
      ...question,
      guess: guessTag(attempt, comparison.code),
      ...(token !== undefined && { token: tokenTag(token) }),
      // Twice as long as the time step, for a replica whose clock is behind.
      seenMs: 2 * period * 1000,
      keep: memoryOf(budgets),
      keepMs: Math.max(longestMs(budgets), life),
    }
  }
  const spending = { step: comparison.timeStep, claimMs: claimKeptMs + life }
  if (proof) {
    const { nonce, created, expires } = proof
    const bounds = { most: mostNonces, skewMs: guessSkewMs, keepMs: noncesKeptMs }
    const bucket = bucketEnd(attempt, expires)
    return {
      at,
      budgets: [],
      ...spending,
      lifeMs: life,
      proof: { nonce, created, expires, bucket, ...bounds },
    }
  }
  if (policy === 'reuse') return { ...question, ...spending }
  return {
    ...question,
    ...spending,
    once: true,
    acceptableFrom: acceptableFrom(attempt, comparison.timeStep),
    lifeMs: life,
  }
}

export function takeBackQuestionOf(attempt: Attempt, { timeStep, drift }: LateCode): TakeBackQuestion {
  const { comparison, token } = attempt
  return {
    at: attempt.at.getTime(),
    step: timeStep,
    drift,
    recentMs: lateCodeMs,
    guess: comparison.kind === 'guess' ? guessTag(attempt, comparison.code) : '',
    tokens: [anyToken.repeat(8), ...(token === undefined ? [] : [tokenTag(token)])],
  }
}

/** 84 bits, so that distinct guesses stay distinct. Keyed, so that Redis cannot try a million codes. */
function guessTag({ seeds, timeStep }: Attempt, code: string): string {
  const [first = ''] = seeds
  return createHmac('sha256', first).update(`${timeStep} ${code}`).digest('base64url').slice(0, 14)
}

/** 132 bits of SHA-256, so that any name becomes a key of one length and without braces. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
