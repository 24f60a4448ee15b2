import { randomBytes } from 'node:crypto'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { longestLife } from '../../src/core/proof/profile.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { defaultProfile } from '../../src/core/profile.js'
import { headersOf, peers, requestWith, type PeerName } from './guarded.js'

/** The agent's name that these requests are signed for. */
export const signedAgent = 'agent'

/** All header fields of a signed GET of a peer, with a nonce of its own. */
export function signedHeadersOf(peer: PeerName, at: Date): Record<string, string> {
  const fields = headersOf(peer, at)
  const created = Math.floor(at.getTime() / 1000)
  const proof = {
    key: new ProofKey(peers[peer].seed, signedAgent),
    header: defaultProfile.header,
    digest: digestOf('http', new Uint8Array()),
    created,
    expires: created + longestLife(defaultProfile),
    nonce: randomBytes(16),
  }
  return { ...fields, ...signRequest({ ...requestWith(fields), method: 'GET' }, proof).fields }
}
