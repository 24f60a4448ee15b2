import { TOTPError } from '../../core/errors.js'
import { Token } from '../../core/token.js'
import type { ClientAuthScheme } from './client-auth-scheme.js'
import { variable } from './environment.js'

type TokenSource = () => string | Token | Promise<string | Token>
type GivenToken = string | Token | TokenSource

/** The bearer token of RFC 6750, in the Authorization header. */
export class BearerTokenAuth implements ClientAuthScheme {
  readonly #source: TokenSource

  /**
   * @param given the token, as itself or in an object, or a function that is asked for each request (for tokens that
   *   rotate); by default `$A2A_TOTP_TOKEN`
   * @throws {TOTPError} `ERR_TOKEN_MISSING` when there is none; `ERR_TOKEN_INVALID` when it is no `b64token`.
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
   * @throws {TOTPError} `ERR_TOKEN_MISSING` and `ERR_TOKEN_INVALID`, when the function gave no token.
   */
  async headers(): Promise<Record<string, string>> {
    return { Authorization: `Bearer ${usable(await this.#source()).value}` }
  }
}

function usable(token: string | Token | null | undefined): Token {
  if (token === undefined || token === null || token === '') {
    throw new TOTPError('ERR_TOKEN_MISSING', 'there is no bearer token: give one, or set A2A_TOTP_TOKEN')
  }
  // What is neither, in plain JavaScript, is no token either.
  return Token.parse(typeof token === 'string' ? token : ((token as Partial<Token>).value ?? ''))
}
