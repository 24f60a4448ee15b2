/** RFC 9110 §11.5. The same for every agent, so that it reveals nothing. */
const realm = 'a2a'

/**
 * Returns the values of WWW-Authenticate for a refusal, one per field line (RFC 9110 §11.6.1, RFC 6750 §3).
 *
 * @param header the name of the field that carries the code
 * @param tokenGiven whether the request had an Authorization field; without one there is no `error` (RFC 6750 §3.1)
 */
export function challenges(header: string, tokenGiven: boolean): [bearer: string, totp: string] {
  const error = tokenGiven ? ', error="invalid_token"' : ''
  return [`Bearer realm="${realm}"${error}`, `TOTP realm="${realm}", header="${header}"`]
}
