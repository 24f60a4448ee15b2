import type { ClientInput, Fragment } from './fragment.js'
import { seedToHandOut, tokenToHandOut } from './live.js'

/** All that one peer needs. */
export const clientJson: Fragment<ClientInput> = {
  kind: 'json',
  summary: 'all that the peer needs, as JSON',
  secret: true,
  make: (input) => {
    const { roster, peer } = input
    return {
      peer: peer.name,
      agent: roster.agent,
      url: roster.url ?? null,
      token: tokenToHandOut(input).token.value,
      seed: seedToHandOut(input).seed.base32,
      algorithm: peer.algorithm,
      digits: peer.digits,
      period: peer.period,
      header: roster.profile.header,
    }
  },
}
