import { policiesOf } from '../core/roster.js'
import { seedToHandOut, tokenToHandOut } from '../core/live-credentials.js'
import type { ClientInput, Fragment } from './fragment.js'

/** Everything one peer needs. */
export const clientJson: Fragment<ClientInput> = {
  kind: 'json',
  summary: 'everything the peer needs, as JSON',
  secret: true,
  make: makeClientJson,
}

/** The version of the document. Readers ignore keys that they do not know. */
const clientFileVersion = 1

/**
 * Returns what one peer has to know: its newest live credentials, and how its codes are computed. It is
 * there twice: at the top, and in `agents` by the agent's name, as in a file for a peer that calls several agents.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token.
 */
export function makeClientJson({ roster, peer, at }: ClientInput): object {
  const credentials = {
    url: roster.url ?? null,
    token: tokenToHandOut(peer, at).token.value,
    seed: seedToHandOut(roster, peer, at).seed.base32,
    algorithm: peer.algorithm,
    digits: peer.digits,
    period: peer.period,
    header: roster.profile.header,
    ...policiesOf(roster, peer),
    window: roster.profile.window,
  }
  return {
    version: clientFileVersion,
    peer: peer.name,
    agent: roster.agent,
    ...credentials,
    agents: { [roster.agent]: credentials },
  }
}
