import type { SignMode } from '../../client/scheme/request-signer.js'
import type { ListenPlace } from '../../service/address.js'
import type { Observer } from '../sidecar.js'
import type { CredentialSource } from './credentials.js'
import type { LocalAuthKind } from './local-auth.js'

/** One agent, with a listener of its own. */
export interface ProxiedAgent {
  /** Undefined: that of the credentials. */
  readonly url: URL | undefined
  readonly credentials: CredentialSource
  readonly listen: ListenPlace
  readonly localAuth: LocalAuthKind
  /** The path of the file with the token, for a `localAuth` other than `none`. */
  readonly localTokenFile: string | undefined
  readonly sign: SignMode
  /** The largest content that is held to be signed, in bytes. */
  readonly maxSignedBody: number
  /** How long a request may wait for a step of its own under `once`, in milliseconds. */
  readonly maxWaitMs: number
  /** How many may wait at a time. */
  readonly maxQueue: number
  /** Hosts beside the agent's that its card may send requests to, as `HOST` or `HOST:PORT`. */
  readonly allowHosts: readonly string[]
  /** The paths of files in PEM. */
  readonly caFile: string | undefined
  readonly certFile: string | undefined
  readonly keyFile: string | undefined
  /** Sends token and code over plain http beyond loopback. */
  readonly insecureHttp: boolean
  /** Whether the card still demands what is added here. */
  readonly cardSecurity: 'remove' | 'keep'
}

export interface ProxyOptions {
  readonly agents: readonly ProxiedAgent[]
  readonly observer: Observer
  readonly now: () => Date
  /** Waits for a time step, for clocks other than the real one. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** What is chosen where nothing is said. */
export const proxyDefaults = {
  listen: { host: '127.0.0.1', port: 0 },
  localAuth: 'none',
  sign: 'auto',
  maxSignedBody: 1024 * 1024,
  maxWaitMs: 120_000,
  maxQueue: 16,
  cardSecurity: 'remove',
} as const
