import { TOTPError } from '../core/errors.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from '../core/profile.js'
import type { RandomBytes } from '../core/random.js'
import type { Seed } from '../core/seed.js'
import type { Token } from '../core/token.js'
import { parseHttpUrl } from '../core/url.js'

export const bindingChoices = ['auto', 'jsonrpc', 'rest', 'grpc'] as const
export type BindingChoice = (typeof bindingChoices)[number]

export const protocolChoices = ['auto', '1.0', '0.3'] as const
export type ProtocolChoice = (typeof protocolChoices)[number]

/** What the probe authenticates with, and how the agent checks it. */
export interface ProbeCredentials extends TOTPProfile {
  readonly token: Token
  readonly seed: Seed
  /** The peer's name, for remarks. */
  readonly peer?: string
  /** The agent's name as the store knows it. */
  readonly agent?: string
  /** Unknown is taken for `reuse` until the agent shows otherwise. */
  readonly replay?: ReplayPolicy
}

export interface ProbeOptions {
  /** The agent: its base, its card or one of its endpoints. */
  readonly url: string
  readonly credentials: ProbeCredentials
  /** Another peer of the same agent, for `auth.cross-peer`. */
  readonly otherPeer?: CodeProfile & { readonly seed: Seed }
  /** The agent's URL as the store knows it; credentials may go to its host too. */
  readonly trustedUrl?: string
  readonly binding: BindingChoice
  readonly protocol: ProtocolChoice
  /** Ids of the checks to report; all of them by default. */
  readonly only?: readonly string[]
  readonly skip?: readonly string[]
  /** Whether a warning makes the report not ok. */
  readonly strict?: boolean
  /** Whether to send wrong codes until they are slowed down. */
  readonly throttle?: boolean
  /** Whether to find out how many time steps are accepted. */
  readonly windowScan?: boolean
  /** A text to send as a message with valid credentials: a side effect, so only on demand. */
  readonly send?: string
  /** Further hosts that may get credentials, as `host` or `host:port`. */
  readonly allowHosts?: readonly string[]
  /** Whether credentials may go over plain http beyond loopback. */
  readonly insecureHttp?: boolean
  /** Certificates to trust besides those of Node, as PEM text. */
  readonly ca?: string
  /** How long one request may take as a whole, in milliseconds. */
  readonly timeoutMs: number
  readonly now: () => Date
  readonly random: RandomBytes
  /** Waits; by default in real time. */
  readonly sleep?: (ms: number) => Promise<void>
  /** Progress and remarks for a person. */
  readonly announce?: (text: string) => void
}

/**
 * Reads the URL to probe.
 *
 * @throws {TOTPError} `ERR_USAGE` when it is no http(s) URL or carries a user name or password, which are not
 *   quoted.
 */
export function parseTarget(text: string): URL {
  const url = parseHttpUrl(text)
  if (url === undefined) {
    throw new TOTPError('ERR_USAGE', 'the URL to probe is not usable; give one with http:// or https://')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TOTPError(
      'ERR_USAGE',
      'the URL to probe carries credentials; give it without user and password',
    )
  }
  url.hash = ''
  return url
}
