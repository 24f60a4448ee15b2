import { TOTPError } from '../../../core/errors.js'
import { isHttpToken } from '../../../core/http-token.js'
import { parseHttpUrl } from '../../../core/url.js'

/** What `--for` says of a request. */
export interface RequestLine {
  readonly method: string
  /** The path and the query, as they are sent. */
  readonly target: string
  /** A peer that was named after the URL. */
  readonly name?: string
  /** For stderr. */
  readonly remark?: string
}

const form = 'write --for POST https://agent.example/a2a'

/**
 * Reads the values of `--for`. The option takes two, and whatever follows is the peer.
 *
 * @throws {TOTPError} `ERR_USAGE`, without the URL: its query may be secret
 */
export function parseRequestLine(values: readonly string[]): RequestLine {
  const [method = '', text = '', name, ...more] = values
  if (values.length < 2 || more.length > 0) throw usage(`--for takes a method and a URL; ${form}`)
  if (!isHttpToken(method)) throw usage(`the method given to --for is not a token of HTTP; ${form}`)
  const url = parseHttpUrl(text)
  if (!url || url.username || url.password) {
    throw usage(`--for needs an http or https URL without a user name in it; ${form}`)
  }
  return {
    method: method.toUpperCase(),
    target: targetOf(text, url),
    ...(name === undefined ? {} : { name }),
    ...(text.includes('#')
      ? { remark: 'the fragment of the URL is not part of the request, so it is left out' }
      : {}),
  }
}

/**
 * The target that every client sends for a URL. fetch resolves dot segments and encodes what curl sends as it is, so a URL
 * that they would send differently has no proof that holds for both.
 */
function targetOf(text: string, { pathname, search }: URL): string {
  const written = /^https?:\/\/[^/?#\\]+([^#]*)/i.exec(text)?.[1] ?? ''
  const target = written.startsWith('/') ? written : `/${written}`
  const sent = pathname + search
  // A question mark without a query is the same for a proof.
  if (target === sent || target === `${sent}?`) return sent
  throw usage(
    'clients send the URL given to --for in different ways; percent-encode its path and query, and leave out . and .. segments',
  )
}

function usage(message: string): TOTPError {
  return new TOTPError('ERR_USAGE', message)
}
