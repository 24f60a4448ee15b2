import type { Roster } from '../core/roster.js'
import { chosen } from './finding.js'
import { allPeers, type Needle } from './needles.js'

/** What an audit of a roster works with. */
export interface RosterUnderTest {
  readonly roster: Roster
  readonly at: Date
  /** The command that works on its store, as a shell reads it. */
  readonly tool: string
}

/** Returns the command that rotates one kind of credentials, as a function of the peers. A shared seed belongs to all. */
export function rotateCommand({ roster, tool }: RosterUnderTest, kind: 'seed' | 'token', more = '') {
  const shared = isShared(roster, kind)
  return (names: readonly string[]): string =>
    `${tool} rotate ${shared ? '--all' : chosen(names, roster.peers.size, '--all')} --${kind}${more}`
}

/** The command that ends credentials which are no longer secret, in a store with so many peers. */
export function rotateNow(tool: string, leaked: readonly Needle[], peers: number): string {
  const names = [...new Set(leaked.map(({ peer }) => peer))]
  const who = names.includes(allPeers) ? '--all' : chosen(names, peers, '--all', Infinity)
  return `${tool} rotate ${who} --now`
}

/** Whether a kind of credential is the one that all peers share. */
export const isShared = ({ sharedSeeds }: Roster, kind: 'seed' | 'token'): boolean =>
  kind === 'seed' && sharedSeeds !== undefined
