import type { Attempt, Comparison, SpentProof } from '../../src/state/state.js'

export const period = 30

/** A moment in a time step: by default its middle, far from any turn. */
export const inStep = (timeStep: number, seconds = 15): Date => new Date((timeStep * period + seconds) * 1000)

/** A time step of no special meaning, in this century. */
export const someStep = 60_000_000

const attempt = (at: Date, comparison: Comparison, given: Partial<Attempt>): Attempt => ({
  peer: 'alice',
  seeds: ['seed-of-alice'],
  policy: 'once',
  budgets: [],
  at,
  timeStep: Math.floor(at.getTime() / 1000 / period),
  period,
  window: 1,
  comparison,
  ...given,
})

/** The right code of a time step of the first seed, sent in that step unless said otherwise. */
export function rightCode(timeStep: number, given: Partial<Attempt> & { seed?: string } = {}): Attempt {
  const { at = inStep(timeStep), seeds = ['seed-of-alice'], seed = seeds[0] ?? '', ...rest } = given
  return attempt(at, { kind: 'match', seed, timeStep }, { seeds, ...rest })
}

export function wrongCode(code: string, at: Date, given: Partial<Attempt> = {}): Attempt {
  return attempt(at, { kind: 'guess', code }, given)
}

let proofs = 0

/** A nonce that no other call returns. */
export const someNonce = (): string => `nonce-${String(++proofs).padStart(16, '0')}`

type Signed = Partial<Attempt> & Partial<SpentProof> & { seed?: string }

/** A request with a proof that was created when it was sent and lives for two periods, and the right code of a time step. */
export function signed(timeStep: number, given: Signed = {}): Attempt {
  const { at = inStep(timeStep), nonce = someNonce(), created = secondOf(at), ...others } = given
  const { expires = created + 2 * period, ...rest } = others
  return rightCode(timeStep, { at, ...rest, proof: { nonce, created, expires } })
}

/** The unix second. */
export const secondOf = (at: Date): number => Math.floor(at.getTime() / 1000)
