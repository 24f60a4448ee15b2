import { signedBrought, signedForNew } from '../../core/policies.js'
import type { ReplayPolicy } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import type { Peer, Roster } from '../../core/roster.js'
import type { MeshAgent, MeshEdge } from '../file/mesh.js'
import type { StoreReading } from './store-reading.js'

/** Null: the file does not say, and the store was not read. */
export interface Policies {
  readonly replay: ReplayPolicy | null
  readonly signed: SignedPolicy | null
}

/** Returns the policies that an agent has once the file is applied. */
export function agentPolicies(agent: MeshAgent, reading: StoreReading): Policies {
  if (reading.state === 'missing') {
    const replay = agent.replay ?? 'reuse'
    return { replay, signed: agent.signed ?? signedForNew(replay) }
  }
  const stored = storedOf(reading)
  const brought = stored && signedBrought(agent, stored.signed)
  return {
    replay: agent.replay ?? stored?.replay ?? null,
    signed: agent.signed ?? brought ?? (stored ? (stored.signed ?? 'off') : null),
  }
}

/**
 * Returns the policies that apply to an edge once the file is applied. Where the store was not read, they are what the
 * file says, though the store may have a policy for the peer that the file leaves alone.
 */
export function edgePolicies(edge: MeshEdge, agent: MeshAgent, reading: StoreReading): Policies {
  const ofAgent = agentPolicies(agent, reading)
  const peer = storedOf(reading)?.peers.get(edge.peer)
  const isKnown = reading.state === 'missing' || reading.state === 'read'
  const brought = isKnown ? signedBrought(edge, peer?.signed, ofAgent.signed ?? undefined) : undefined
  return {
    replay: chosen(edge.replay, peer?.replay) ?? ofAgent.replay,
    signed: chosen(edge.signed, brought ?? peer?.signed) ?? ofAgent.signed,
  }
}

const storedOf = (reading: StoreReading): Roster | undefined =>
  reading.state === 'read' ? reading.roster : undefined

function chosen<P extends NonNullable<Peer['replay'] | Peer['signed']>>(
  said: P | 'inherit' | undefined,
  stored: P | undefined,
): P | undefined {
  return said === 'inherit' ? undefined : (said ?? stored)
}
