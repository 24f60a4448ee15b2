import type { ReplayPolicy } from './profile.js'
import { usesProofs, type SignedPolicy } from './proof/profile.js'

// Which policy for proofs goes with which replay policy, where only the latter is chosen.

/** Returns the policy for proofs of a new agent. */
export function signedForNew(replay: ReplayPolicy): SignedPolicy {
  return replay === 'once' ? 'accept' : 'observe'
}

/** What is chosen of an agent or a peer. */
interface Choice {
  readonly replay?: ReplayPolicy | 'inherit' | undefined
  readonly signed?: SignedPolicy | 'inherit' | undefined
}

/**
 * Returns the policy for proofs that a choice of `once` brings along: where proofs decide nothing, `once` is one request
 * per period, and with `accept` it is any number of signed ones.
 *
 * @param own the policy that is there already; it stays
 * @param inherited the policy that applies without one
 * @returns undefined where nothing is brought along
 */
export function signedBrought(
  { replay, signed }: Choice,
  own: SignedPolicy | undefined,
  inherited: SignedPolicy = 'off',
): SignedPolicy | undefined {
  const isOpen = replay === 'once' && signed === undefined && own === undefined
  return isOpen && !usesProofs(inherited) ? 'accept' : undefined
}
