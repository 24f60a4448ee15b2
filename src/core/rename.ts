import { TOTPError } from './errors.js'
import { parseName, parseNewName, quoteName } from './name.js'
import type { Roster } from './roster.js'
import { unknownPeers } from './unknown-peers.js'

/**
 * Returns the roster with another name for a peer or a canary, which keeps its place and everything else.
 *
 * @returns the same object when the names are the same
 * @throws {TOTPError} `ERR_NAME_INVALID` for a name that is not allowed; `ERR_PEER_UNKNOWN` when nothing has the old one;
 *   `ERR_PEER_EXISTS` when something has the new one
 */
export function withRenamed(roster: Roster, from: string, to: string): Roster {
  parseName(from, 'peer')
  parseNewName(to, 'peer')
  const { peers, canaries } = roster
  if (!peers.has(from) && !canaries?.has(from)) throw unknownPeers(roster, [from])
  if (from === to) return roster
  const taken = peers.has(to) ? 'a peer' : canaries?.has(to) ? 'a canary' : undefined
  if (taken)
    throw new TOTPError(
      'ERR_PEER_EXISTS',
      `${taken} ${quoteName(to)} already exists; choose another name, or remove it first`,
    )
  return peers.has(from)
    ? { ...roster, peers: renamed(peers, from, to) }
    : { ...roster, canaries: renamed(canaries ?? new Map(), from, to) }
}

/**
 * Returns the roster with another name of the agent.
 *
 * @returns the same object when it has that name
 * @throws {TOTPError} `ERR_NAME_INVALID`
 */
export function withAgentName(roster: Roster, name: string): Roster {
  parseNewName(name, 'agent')
  return name === roster.agent ? roster : { ...roster, agent: name }
}

function renamed<T extends { readonly name: string }>(
  all: ReadonlyMap<string, T>,
  from: string,
  to: string,
): Map<string, T> {
  return new Map(
    Array.from(all, ([name, one]): [string, T] => (name === from ? [to, { ...one, name: to }] : [name, one])),
  )
}
