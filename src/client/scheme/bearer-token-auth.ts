import { TOTPError } from '../../core/errors.js'
import { Token } from '../../core/token.js'
import type { ClientAuthScheme } from './client-auth-scheme.js'
import { variable } from './environment.js'

type TokenSource = () => string | Token | Promise<string | Token>
type GivenToken = string | Token | TokenSource

/** Sends the bearer token of RFC 6750 in the Authorization header. */
export class BearerTokenAuth implements ClientAuthScheme {
  readonly #source: TokenSource

  /**
   * @param given the token, alone or as `{ token }`, or a function that is called for each request (for tokens that
   *   rotate); by default `$A2A_TOTP_TOKEN`
   * @throws {TOTPError} `ERR_TOKEN_MISSING` if there is none; `ERR_TOKEN_INVALID` if it is not a `b64token`.
   */
  constructor(given: GivenToken | { readonly token: GivenToken } | undefined = variable('A2A_TOTP_TOKEN')) {
    const token = given instanceof Object && 'token' in given ? given.token : given
    if (typeof token === 'function') {
      this.#source = token
    } else {
      const fixed = usable(token)
      this.#source = () => fixed
    }
  }

  /**
   * @throws {TOTPError} `ERR_TOKEN_MISSING` or `ERR_TOKEN_INVALID` if the function returned no usable token.
   */
  async headers(): Promise<Record<string, string>> {
    return { Authorization: `Bearer ${usable(await this.#source()).value}` }
  }
}

function usable(token: string | Token | null | undefined): Token {
  if (token === undefined || token === null || token === '') {
    throw new TOTPError('ERR_TOKEN_MISSING', 'no bearer token; pass one, or set A2A_TOTP_TOKEN')
  }
  // Callers in plain JavaScript may pass neither.
  return Token.parse(typeof token === 'string' ? token : ((token as Partial<Token>).value ?? ''))
}
