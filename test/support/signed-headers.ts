import { headersOf, peers, type PeerName } from './guarded.js'
import { proofOf } from './proof-of.js'

/** The agent's name that these requests are signed for. */
export const signedAgent = 'agent'

/** All header fields of a signed GET of a peer, with a nonce of its own. */
export function signedHeadersOf(peer: PeerName, at: Date): Record<string, string> {
  const fields = headersOf(peer, at)
  const { seed } = peers[peer]
  return { ...fields, ...proofOf({ seed, agent: signedAgent, method: 'GET', headers: fields, at }) }
}
