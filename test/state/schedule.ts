import type { Attempt, Decision, LateCode, SpentProof, State } from '../../src/state/state.js'
import { numbers } from '../support/numbers.js'
import { inStep, period, secondOf, someStep } from './attempts.js'
import { ReferenceState } from './reference-state.js'

/** Peers with a seed of their own, with two, with one that another has too, and with none that is live. */
const seedsOf: Readonly<Record<string, readonly string[]>> = {
  alice: ['s1'],
  bob: ['s2', 's3'],
  carol: ['s3'],
  dave: [],
}
const peers = Object.keys(seedsOf)
const budgets = [
  { limit: 3, seconds: 30 },
  { limit: 5, seconds: 3600 },
  { limit: 8, seconds: 86_400 },
]

/**
 * Sends one random schedule to a state and to the reference: right and wrong codes of several peers, spent codes, guesses
 * that turn out to be late codes, tokens that come and go, signed requests with new and with spent nonces, clocks that jump.
 *
 * @returns how often each answer came
 * @throws at the first step where they differ, with its number
 */
export async function runSchedule(
  state: State,
  { seed, steps }: { readonly seed: number; readonly steps: number },
): Promise<Map<string, number>> {
  const random = numbers(seed)
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T
  const reference = new ReferenceState()
  const answers = new Map<string, number>()
  const live = new Map(peers.map((peer) => [peer, [`${peer}-1`, `${peer}-2`]]))
  let at = inStep(someStep).getTime()
  let lastGuess: Attempt | undefined
  let newestNonce = 0

  const same = (step: number, what: string, ours: unknown, expected: unknown): void => {
    answers.set(`${what} ${String(expected)}`, (answers.get(`${what} ${String(expected)}`) ?? 0) + 1)
    if (ours === expected) return
    throw new Error(`schedule ${seed}, step ${step}, ${what}: ${String(ours)}, not ${String(expected)}`)
  }

  for (let step = 0; step < steps; step++) {
    const action = random(100)
    if (action < 12) {
      at += pick([
        1, 500, 4000, 15_000, 30_000, 31_000, 600_000, 3_600_000, -1000, -30_000, -3_600_000, 43_200_000,
      ])
      continue
    }
    if (action < 15) {
      const peer = pick(peers)
      live.set(peer, [`${peer}-${random(4)}`, `${peer}-${random(4)}`])
      continue
    }
    if (action < 40 && lastGuess) {
      const drift = (random(2) === 0 ? 1 : -1) * (2 + random(4))
      const late: LateCode = { drift, timeStep: lastGuess.timeStep + drift }
      same(step, 'takeBack', await state.takeBack?.(lastGuess, late), reference.takeBack(lastGuess, late))
      lastGuess = undefined
      continue
    }

    const peer = pick(peers)
    const seeds = seedsOf[peer] ?? []
    const token = pick(live.get(peer) ?? [])
    const timeStep = Math.floor(at / 1000 / period)
    const listed = random(10) > 0
    const isRight = seeds.length > 0 && action < 75
    const isSigned = isRight && random(3) === 0
    const nonce = isSigned && random(3) > 0 ? ++newestNonce : random(newestNonce + 1)
    const attempt: Attempt = {
      peer,
      seeds,
      ...(listed && { token, liveTokens: () => [...live.values()].flat() }),
      policy: random(3) === 0 ? 'reuse' : 'once',
      budgets,
      at: new Date(at),
      timeStep,
      period,
      window: 1,
      comparison: isRight
        ? { kind: 'match', seed: pick(seeds), timeStep: timeStep + random(3) - 1 }
        : { kind: 'guess', code: String(step) },
      // It ends far away, so that no real time gets there in a test.
      ...(isSigned && { proof: proofWith(String(nonce).padStart(22, '0'), new Date(at)) }),
    }
    const repeats = isRight ? 1 : 1 + (random(4) === 0 ? 1 : 0)
    for (let times = 0; times < repeats; times++) {
      const decision = await state.decide(attempt)
      same(step, isSigned ? 'signed' : 'decide', nameOf(decision), reference.decide(attempt))
      if (decision.kind === 'wrong' && decision.counted) lastGuess = attempt
    }
  }
  return answers
}

function proofWith(nonce: string, at: Date): SpentProof {
  const created = secondOf(at)
  return { nonce, created, expires: Math.ceil(created / 100_000 + 10) * 100_000 }
}

function nameOf(decision: Decision): string {
  if (decision.kind !== 'wrong') return decision.kind
  return decision.tripped ? 'tripped' : decision.counted ? 'wrong' : 'uncounted'
}

/** Every answer that a schedule must have met, lest it shows nothing. */
export const allAnswers = [
  'decide accepted',
  'decide replayed',
  'decide throttled',
  'decide tripped',
  'decide uncounted',
  'decide wrong',
  'signed accepted',
  'signed replayed',
  'takeBack false',
  'takeBack true',
]
