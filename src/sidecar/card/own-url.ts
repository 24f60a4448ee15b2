import { isListenOnly, isLoopback, parseHttpUrl } from '../../core/url.js'

/**
 * The URL that a gate without `--public-url` names itself by in its card: what the request asked for, where that is a name
 * of this machine or the very address that the gate listens on.
 *
 * Any other Host field is a stranger's word. Behind a server that ends TLS it would also make an `http:` URL, over which
 * clients then send their credentials.
 *
 * @param authority the Host field, or `:authority`
 * @param listener the URL that the gate listens on
 * @returns undefined if the gate cannot know; then it names itself by paths
 */
export function ownUrl(authority: string, listener: URL): URL | undefined {
  if (!/^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(authority)) return undefined
  const asked = parseHttpUrl(`${listener.protocol}//${authority}`)
  if (asked === undefined || isListenOnly(asked)) return undefined
  return isLoopback(asked) || asked.host === listener.host ? new URL('/', asked) : undefined
}
