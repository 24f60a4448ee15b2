import type { ReplayPolicy } from '../../core/profile.js'
import { usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { policiesOf, type Roster } from '../../core/roster.js'
import { listSome } from '../../core/text.js'

// What two policies mean together: neither says it alone.

interface Policies {
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
}

const mostNames = 20

/** Returns what `reuse` means beside a policy on proofs, and what another choice would change. */
export function reuseWords(signed: SignedPolicy): string {
  if (signed === 'require') return 'each request needs a proof, so a code alone is valid for none'
  const code = signed === 'accept' ? 'a code without a proof' : 'a code'
  return `${code} is valid for any number of requests in its lifetime; with --replay once, for one`
}

/** Returns what is surprising about a pair, and the way out; undefined where there is nothing. */
export function pitfallOf({ replay, signed }: Policies): string | undefined {
  if (replay === 'once' && !usesProofs(signed))
    return `replay once beside signed ${signed}: one request per period, signed or not; --signed accept allows any number of signed ones, --replay reuse any number of all`
  if (replay === 'reuse' && signed === 'accept')
    return 'replay reuse beside signed accept: an attacker who captures a signed request can remove its proof, and use the code for other requests; --replay once prevents that'
  return undefined
}

/** Returns the pitfalls that a change brought, with the peers that have one now and had none like it before. */
export function newPitfalls(before: Roster, after: Roster): string[] {
  if (after.peers.size === 0) {
    const pitfall = brought(ownOf(before), ownOf(after))
    return pitfall === undefined ? [] : [pitfall]
  }
  const names = new Map<string, string[]>()
  for (const peer of after.peers.values()) {
    const old = before.peers.get(peer.name)
    const pitfall = brought(old && policiesOf(before, old), policiesOf(after, peer))
    if (pitfall !== undefined) names.set(pitfall, [...(names.get(pitfall) ?? []), peer.name])
  }
  return Array.from(names, ([pitfall, whose]) => `${listSome(whose, mostNames)}: ${pitfall}`)
}

const ownOf = ({ replay, signed = 'off' }: Roster): Policies => ({ replay, signed })

function brought(before: Policies | undefined, after: Policies): string | undefined {
  const had = before?.replay === after.replay && pitfallOf(before) !== undefined
  return had ? undefined : pitfallOf(after)
}
