import { provisionCanary, withCanaries } from '../../core/canary.js'
import { TOTPError } from '../../core/errors.js'
import { quoteName } from '../../core/name.js'
import { signedForNew } from '../../core/policies.js'
import { defaultProfile } from '../../core/profile.js'
import { withoutPeers, withPeers, type ProvisionOptions } from '../../core/provision.js'
import { withRemoved } from '../../core/removed.js'
import { canariesOf, type Roster } from '../../core/roster.js'
import { withAgentSettings } from '../../core/settings.js'
import { edgesTo, type Mesh, type MeshAgent } from '../file/mesh.js'
import { requireOwn } from '../own-store.js'
import { newPeer, peerAfter } from './edge-after.js'
import { hasEnded } from './rotation-due.js'

/** How far a store is brought to what the file says, and what it depends on. */
export interface AfterOptions extends ProvisionOptions {
  /** Whether peers and canaries that the file does not declare are removed. */
  readonly prune: boolean
  /** The name of the rotations that are staged. */
  readonly stagingId: string
  /** Whether changes with `needs: 'yes'` are made. By default they are. */
  readonly yes?: boolean
}

/**
 * Returns what the store of an agent holds after its whole change. New edges have credentials of their own; edges that are
 * rotated have theirs staged, beside the old ones.
 *
 * @param roster what it holds now; undefined: there is none yet
 * @returns the same object where it holds that already
 * @throws {TOTPError} `ERR_CONFIG_INVALID` when the store is another agent's, when its peers share a seed, and when a peer has
 *   the name of a canary
 */
export function rosterAfter(
  mesh: Mesh,
  agentName: string,
  roster: Roster | undefined,
  options: AfterOptions,
): Roster {
  const agent = mesh.agents.get(agentName)
  if (!agent) throw new TOTPError('ERR_CONFIG_INVALID', `${mesh.path}: no agent ${quoteName(agentName)}`)
  if (roster) requireOwn(agent, roster)
  const { at, yes = true, prune } = options
  // By name, so that the order in the file does not decide what is made of which randomness.
  const edges = edgesTo(mesh, agentName).sort((one, other) => (one.peer < other.peer ? -1 : 1))
  const settled = roster ? withAgentSettings(roster, settingsOf(agent, roster, yes)) : newRoster(agent)
  const pruned = prune ? withoutUndeclared(mesh, agent, settled, at) : settled
  requireApart(mesh, agent, pruned)
  const peers = new Map(pruned.peers)
  for (const edge of edges) {
    const peer = peers.get(edge.peer)
    if (peer) peers.set(edge.peer, peerAfter(pruned, edge, peer, { ...options, yes }))
  }
  const isSame = [...peers].every(([name, peer]) => pruned.peers.get(name) === peer)
  const changed = isSame ? pruned : { ...pruned, peers }
  const added = edges
    .filter((edge) => !peers.has(edge.peer) && !hasEnded(edge, at))
    .map((edge) => newPeer(changed, edge, options))
  const canaries = (agent.canaries ?? [])
    .filter((name) => !pruned.canaries?.has(name))
    .sort()
    .map((name) => provisionCanary({ name }, options))
  const grown = added.length === 0 ? changed : withPeers(changed, added)
  return canaries.length === 0 ? grown : withCanaries(grown, canaries)
}

/** An agent as `init` makes it. */
function newRoster({
  name,
  url,
  replay = 'reuse',
  signed = signedForNew(replay),
  ...agent
}: MeshAgent): Roster {
  const { algorithm, digits, period, window, header } = { ...defaultProfile, ...agent }
  return {
    agent: name,
    url,
    profile: { algorithm, digits, period, window, header },
    replay,
    signed,
    peers: new Map(),
  }
}

/** Header and window reach every peer, which needs a new client file before its next call. */
function settingsOf(agent: MeshAgent, roster: Roster, yes: boolean) {
  const { url, algorithm, digits, period, replay, signed, window, header } = agent
  const ofAll =
    yes || roster.peers.size === 0
      ? { ...(window !== undefined && { window }), ...(header && { header }) }
      : {}
  const codes = { ...(algorithm && { algorithm }), ...(digits && { digits }), ...(period && { period }) }
  return { url, ...codes, ...ofAll, ...(replay && { replay }), ...(signed && { signed }) }
}

function withoutUndeclared(mesh: Mesh, agent: MeshAgent, roster: Roster, at: Date): Roster {
  const declared = new Set(edgesTo(mesh, agent.name).map(({ peer }) => peer))
  const peers = [...roster.peers.keys()].filter((name) => !declared.has(name))
  const { canaries } = agent
  const bait = canariesOf(roster).flatMap(({ name }) => ((canaries?.includes(name) ?? true) ? [] : name))
  const kept = bait.length === 0 ? roster : withoutPeers(roster, bait)
  return peers.length === 0 ? kept : withRemoved(kept, peers, at)
}

/** A name is that of a peer or of a canary. @throws {TOTPError} `ERR_CONFIG_INVALID` */
function requireApart(mesh: Mesh, agent: MeshAgent, roster: Roster): void {
  const edges = edgesTo(mesh, agent.name)
  const wanted = agent.canaries ?? []
  const both =
    edges.find(({ peer }) => roster.canaries?.has(peer) === true || wanted.includes(peer))?.peer ??
    wanted.find((name) => roster.peers.has(name))
  if (both === undefined) return
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `${quoteName(both)} is both a peer and a canary of ${quoteName(agent.name)}; give one of them another name, or remove it ` +
      'from the store first',
  )
}
