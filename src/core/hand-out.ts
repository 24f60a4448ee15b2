import type { TOTPProfile } from './profile.js'
import {
  canariesOf,
  isLive,
  newestLive,
  replayOf,
  seedsOf,
  signedOf,
  type Credential,
  type Peer,
  type Roster,
} from './roster.js'

/** What was made from a store before a change, and is no longer what the store would make. */
export interface HandOut {
  /** The server file. */
  readonly server: boolean
  /** The security part of the agent card. */
  readonly card: boolean
  /** The peers whose fragments differ, by their present names. A name alone is no reason: nothing depends on it there. */
  readonly peers: readonly string[]
}

/** Returns what has to be made and handed out again after a change. */
export function handOutBetween(before: Roster, after: Roster, at: Date): HandOut {
  const known = new Map(
    Array.from(before.peers.values()).flatMap((peer) => peer.tokens.map(({ token }) => [token.hash, peer])),
  )
  return {
    server: textOf(inServerFile(before, at)) !== textOf(inServerFile(after, at)),
    card: textOf(inCard(before)) !== textOf(inCard(after)),
    peers: [...after.peers.values()]
      .filter((peer) => {
        const old = before.peers.get(peer.name) ?? known.get(peer.tokens[0]?.token.hash ?? '')
        return !old || textOf(inFragment(before, old, at)) !== textOf(inFragment(after, peer, at))
      })
      .map(({ name }) => name),
  }
}

/** Ids stand for seeds and tokens. A gate makes the card from the profile, which is also that of peers to come. */
function inServerFile(roster: Roster, at: Date): unknown {
  const { agent, profile, signed = 'off', peers, sharedSeeds = [] } = roster
  const live = (credentials: readonly Credential[]): unknown[] =>
    credentials.filter((one) => isLive(one, at)).map(({ id, expiresAt }) => [id, expiresAt])
  return [
    [agent, profileOf(profile), signed, live(sharedSeeds)],
    Array.from(peers.values(), (peer) => [
      [peer.name, peer.algorithm, peer.digits, peer.period, replayOf(roster, peer), signedOf(roster, peer)],
      [live(peer.seeds), live(peer.tokens)],
    ]),
    canariesOf(roster).map(({ name, tokens }) => [name, live(tokens)]),
  ]
}

/** The policy is the agent's own, never a peer's. */
const inCard = ({ profile, signed = 'off' }: Roster): unknown => [profileOf(profile), signed]

const profileOf = ({ algorithm, digits, period, window, header }: TOTPProfile): unknown => [
  [algorithm, digits, period],
  [window, header],
]

function inFragment(roster: Roster, peer: Peer, at: Date): unknown {
  const { agent, url, profile } = roster
  return [
    [agent, url, profile.window, profile.header],
    [peer.algorithm, peer.digits, peer.period, replayOf(roster, peer), signedOf(roster, peer)],
    [newestLive(seedsOf(roster, peer), at)?.id, newestLive(peer.tokens, at)?.id],
  ]
}

const textOf = (value: unknown): string => JSON.stringify(value)
