import { TOTPError } from '../../core/errors.js'
import { isLoopback, parseHttpUrl } from '../../core/url.js'
import type { UpstreamAddress } from '../forward/upstream.js'

/**
 * Reads where the agent listens: an http or https URL without path, or `unix:PATH`.
 *
 * @param option for the error
 * @throws {TOTPError} `ERR_USAGE`
 */
export function parseUpstream(option: string, text: string): UpstreamAddress {
  const [, socket] = /^unix:(?:\/\/)?(\/.+)$/.exec(text) ?? []
  if (socket !== undefined) return { socket }
  const url = parseHttpUrl(text)
  const isOrigin =
    url && !url.username && !url.password && url.pathname === '/' && !/[?#]/.test(text) && url.port !== '0'
  if (isOrigin) return url
  throw new TOTPError(
    'ERR_USAGE',
    `${option} must be where the agent listens, without a path: http://127.0.0.1:9999, https://agent.example or unix:/run/agent.sock`,
  )
}

/** Whether nothing leaves this machine on the way to an upstream. */
export function isLocal(upstream: UpstreamAddress): boolean {
  return 'socket' in upstream || isLoopback(upstream)
}

/** The URL that stands for an upstream, in its card and as audience of assertions. */
export function urlOf(upstream: UpstreamAddress): URL {
  return 'socket' in upstream ? new URL('http://localhost') : upstream
}
