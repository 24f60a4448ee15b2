import { isLive } from '../../core/roster.js'
import { codeGenerator, timeStepAt } from '../../core/totp.js'
import { lateCodeMs, type State } from '../../state/state.js'
import type { CountedGuess } from './decision.js'
import type { SecondLook } from './events.js'
import type { SchemePeer } from './peers.js'

/**
 * Looks at a guess again, after its request was answered: is it a late code rather than a guess? A peer whose clock is
 * wrong sends such codes all day, and is no thief. Takes the guess back where the state allows it.
 *
 * It computes a code for each time step within 20 minutes outside of the window, far too much for the way to the answer:
 * there the time would also tell whether the token is live.
 */
export async function lookAgain(
  { peer, code, attempt, tripped }: CountedGuess,
  state: State,
): Promise<SecondLook> {
  const { name } = peer
  const late = findLateCode(peer, code, attempt.at)
  if (!late) return { peer: name, suspicious: tripped }
  try {
    return { peer: name, late, suspicious: !(await state.takeBack?.(attempt, late)) && tripped }
  } catch {
    // The state is down. The guess stays counted.
    return { peer: name, late, suspicious: tripped }
  }
}

/**
 * The time step of a live seed, just outside of the window, that a code belongs to; the nearest, and past ones first.
 * Always compares all of them, so that the next request is not delayed by what was found.
 */
export function findLateCode(peer: SchemePeer, code: string, at: Date): SecondLook['late'] {
  const { profile } = peer
  const now = timeStepAt(profile, at)
  const seeds = peer.seeds
    .filter((seed) => isLive(seed, at))
    .map(({ id, seed }) => ({ id, codeOf: codeGenerator(seed, profile) }))
  let found: SecondLook['late']
  for (const drift of lateDrifts(profile)) {
    if (now + drift < 0) continue
    for (const { id, codeOf } of seeds) {
      const equal = codeOf(now + drift) === code
      if (equal) found ??= { seedId: id, timeStep: now + drift, drift }
    }
  }
  return found
}

/** In time steps: from just outside of the window to 20 minutes further, behind before ahead. */
function lateDrifts({ period, window }: SchemePeer['profile']): number[] {
  const distances = Array.from({ length: Math.floor(lateCodeMs / 1000 / period) }, (_, n) => window + 1 + n)
  return [...distances.map((distance) => -distance), ...distances]
}
