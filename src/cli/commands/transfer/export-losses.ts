import { canariesOf, newestLive, type Canary, type Peer, type Roster } from '../../../core/roster.js'
import { listSome } from '../../../core/text.js'
import type { Export } from './exported.js'

/** Returns a warning for each kind of thing that the store has and its export lacks. */
export function lossesOf(roster: Roster, exported: Export, format: string, at: Date): string[] {
  return [
    ...expiredSeeds(roster.peers.size - exported.peers.length),
    ...expiredTokens(roster, exported, at),
    ...unknownTokens(roster, at),
    ...agentPolicies(roster, exported),
    ...(format === 'json' ? [] : onlyInJson(exported)),
  ]
}

function expiredSeeds(peers: number): string[] {
  if (peers === 0) return []
  return [
    peers === 1 ? 'omitted 1 peer: its seed has expired' : `omitted ${peers} peers: their seeds have expired`,
  ]
}

function expiredTokens(roster: Roster, { peers }: Export, at: Date): string[] {
  const exported = new Set(peers.map(({ name }) => name))
  const hasExpired = ({ tokens }: Peer | Canary): boolean => newestLive(tokens, at) === undefined
  const names = namesOf(
    [...roster.peers.values()].filter((peer) => exported.has(peer.name) && hasExpired(peer)),
  )
  const canaries = namesOf(canariesOf(roster).filter(hasExpired))
  return [
    ...(names === ''
      ? []
      : [`omitted the tokens of ${names}: they have expired, and import creates new ones`]),
    ...(canaries === '' ? [] : [`omitted the canaries (${canaries}): their tokens have expired`]),
  ]
}

function unknownTokens(roster: Roster, at: Date): string[] {
  const isUnknown = ({ tokens }: Peer | Canary): boolean => {
    const newest = newestLive(tokens, at)
    return newest !== undefined && newest.token.value === undefined
  }
  const names = namesOf([...roster.peers.values(), ...canariesOf(roster)].filter(isUnknown))
  if (names === '') return []
  return [`omitted the tokens of ${names}: only their hashes are known; run a2a-totp rotate NAME --token`]
}

/** A store that `init` makes without options asks for less. */
function agentPolicies({ replay, signed }: Roster, { peers }: Export): string[] {
  const isStrictSigned = signed === 'accept' || signed === 'require'
  const following = peers.filter(
    (peer) =>
      (replay === 'once' && peer.replay === undefined) || (isStrictSigned && peer.signed === undefined),
  )
  if (following.length === 0) return []
  const policies = [
    ...(replay === 'once' ? ['--replay once'] : []),
    ...(isStrictSigned ? [`--signed ${signed}`] : []),
  ].join(' ')
  return [
    `omitted the policies of the agent, which ${namesOf(following)} ${following.length === 1 ? 'follows' : 'follow'}: import into a store made with init ${policies}`,
  ]
}

function onlyInJson({ peers, canaries = [] }: Export): string[] {
  const ending = namesOf(peers.filter(({ expiresAt }) => expiresAt !== undefined))
  const planted = namesOf(canaries)
  return [
    ...(planted === '' ? [] : [`omitted the canaries (${planted}): only --format json can hold them`]),
    ...(ending === ''
      ? []
      : [`omitted when the credentials of ${ending} expire: only --format json can hold it`]),
  ]
}

const namesOf = (all: readonly { readonly name: string }[]): string => listSome(all.map(({ name }) => name))
