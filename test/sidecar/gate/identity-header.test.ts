import { expect, it } from 'vitest'
import { defaultIdentityHeader, isIdentityHeader } from '../../../src/sidecar/gate/identity-header.js'

it.each([defaultIdentityHeader, 'x', 'A1', 'CallerOfTheAgent', 'x'.repeat(64)])(
  'the identity can be in %s',
  (name) => {
    expect(isIdentityHeader(name)).toBe(true)
  },
)

it.each(['', '1st', 'Totp-Peer', 'Totp_Peer', 'Totp.Peer', ' TotpPeer', 'TotpPeer ', 'Peér', 'x'.repeat(65)])(
  'the identity cannot be in %j, which has more than letters and digits, or too many',
  (name) => {
    expect(isIdentityHeader(name)).toBe(false)
  },
)

/** Fields of HTTP, of proofs and traces, and of our own, whose name has no separator. */
const existing =
  'Accept Age Allow Authorization Connection Cookie Cookie2 Date ETag Expect Expires Forwarded From Host Link Location ' +
  'Origin Pragma Priority Range Referer Server Signature TE Trailer Upgrade Vary Via Warning traceparent tracestate baggage ' +
  'TotpAssertion TotpAuthzToken TotpChallenges TotpProof TotpRetryAfter TotpStatus'

it.each(existing.split(' '))('the identity cannot be in %s, which means something else', (name) => {
  expect(isIdentityHeader(name)).toBe(false)
  expect(isIdentityHeader(name.toUpperCase())).toBe(false)
})
