import { defaultProfile } from '../src/core/profile.js'
import { defaultBudgets } from '../src/state/budgets.js'
import type { Attempt } from '../src/state/state.js'

/** A peer's right code of a time step under `once`, as a scheme asks a state about it. */
export function attemptOf(peer: number, timeStep: number): Attempt {
  const { period, window } = defaultProfile
  const seed = `seed-${String(peer).padStart(17, '0')}`
  return {
    peer: `peer-${peer}`,
    seeds: [seed],
    token: `sha256:${String(peer).padStart(64, '0')}`,
    policy: 'once',
    budgets: defaultBudgets,
    at: new Date(timeStep * period * 1000),
    timeStep,
    period,
    window,
    comparison: { kind: 'match', seed, timeStep },
  }
}
