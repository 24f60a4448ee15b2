/** RFC 9110 §11.5: the space that the credentials are for. The same at every agent, so that it tells nothing. */
const realm = 'a2a'

/**
 * The values of WWW-Authenticate for a refusal, one a field line (RFC 9110 §11.6.1, RFC 6750 §3).
 *
 * @param header the name of the field that carries the code
 * @param tokenGiven whether the request had an Authorization field; without one RFC 6750 §3.1 says to give no error
 */
export function challenges(header: string, tokenGiven: boolean): [bearer: string, totp: string] {
  const error = tokenGiven ? ', error="invalid_token"' : ''
  return [`Bearer realm="${realm}"${error}`, `TOTP realm="${realm}", header="${header}"`]
}
