import { seedToHandOut, tokenToHandOut } from '../core/live-credentials.js'
import type { ClientInput, Fragment } from './fragment.js'

/** Everything one peer needs. */
export const clientJson: Fragment<ClientInput> = {
  kind: 'json',
  summary: 'everything the peer needs, as JSON',
  secret: true,
  make: makeClientJson,
}

/**
 * Returns what one peer has to know: its newest live credentials, and how its codes are computed.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token.
 */
export function makeClientJson({ roster, peer, at }: ClientInput): object {
  return {
    peer: peer.name,
    agent: roster.agent,
    url: roster.url ?? null,
    token: tokenToHandOut(peer, at).token.value,
    seed: seedToHandOut(roster, peer, at).seed.base32,
    algorithm: peer.algorithm,
    digits: peer.digits,
    period: peer.period,
    header: roster.profile.header,
  }
}
