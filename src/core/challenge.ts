import { alwaysCovered } from './proof/base.js'
import { proofLabel, proofTag } from './proof/profile.js'

/** RFC 9110 §11.5. The same for every agent, so that it reveals nothing. */
const realm = 'a2a'

/**
 * Returns the values of WWW-Authenticate for a refusal, one per field line (RFC 9110 §11.6.1, RFC 6750 §3).
 *
 * @param header the name of the field that carries the code
 * @param tokenGiven whether the request had an Authorization field; without one there is no `error` (RFC 6750 §3.1)
 * @param proofRequired whether the agent lets nobody in without a proof
 */
export function challenges(
  header: string,
  tokenGiven: boolean,
  proofRequired = false,
): [bearer: string, totp: string] {
  const error = tokenGiven ? ', error="invalid_token"' : ''
  return [
    `Bearer realm="${realm}"${error}`,
    `TOTP realm="${realm}", header="${header}"${proofRequired ? ', proof="required"' : ''}`,
  ]
}

/** Returns the value of Accept-Signature (RFC 9421 §5.1): what a proof covers in any case, and its parameters. */
export function acceptSignature(header: string): string {
  const list = [...alwaysCovered, header.toLowerCase()].map((name) => `"${name}"`).join(' ')
  return `${proofLabel}=(${list});created;expires;tag="${proofTag}"`
}
