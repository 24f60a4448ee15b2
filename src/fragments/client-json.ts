import { seedToHandOut, tokenToHandOut } from '../core/live-credentials.js'
import type { ClientInput, Fragment } from './fragment.js'

/** All that one peer needs. */
export const clientJson: Fragment<ClientInput> = {
  kind: 'json',
  summary: 'all that the peer needs, as JSON',
  secret: true,
  make: makeClientJson,
}

/**
 * What one peer has to know: the newest credentials that are live, and how its codes are made.
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
