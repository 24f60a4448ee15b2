import { TOTPError } from '../core/errors.js'
import type { Binding } from '../core/card/interfaces.js'
import type { OtherAgent } from '../core/card/others.js'
import type { ProtocolVersion } from '../core/card/shapes.js'
import type { CodeProfile, ReplayPolicy, TOTPProfile } from '../core/profile.js'
import type { SignedPolicy } from '../core/proof/profile.js'
import type { RandomBytes } from '../core/random.js'
import type { Seed } from '../core/seed.js'
import type { Token } from '../core/token.js'
import { parseHttpUrl } from '../core/url.js'
import type { CheckId } from './check-ids.js'
import type { ProxyChoice } from './wire/proxy.js'

export type { Proxy, ProxyChoice } from './wire/proxy.js'

/** What the probe authenticates with, and how the agent checks it. */
export interface ProbeCredentials extends TOTPProfile {
  readonly token: Token
  readonly seed: Seed
  /** The peer's name, for messages. */
  readonly peer?: string
  /** The agent's name in the store. Proofs are bound to it: without it nothing is signed. */
  readonly agent?: string
  /** If unknown, `reuse` is assumed until the agent shows otherwise. */
  readonly replay?: ReplayPolicy
  /** What the agent does with this peer's proofs. If unknown, what the agent advertises is taken for it. */
  readonly signed?: SignedPolicy
  /** What it does with those of peers without a policy of their own: what it should advertise. */
  readonly signedByAgent?: SignedPolicy
}

export interface ProbeOptions {
  /** The agent: its base, its card or one of its endpoints. */
  readonly url: string
  readonly credentials: ProbeCredentials
  /** Another peer of the same agent, for `auth.cross-peer`, and with its token for `isolation`. */
  readonly otherPeer?: CodeProfile & {
    readonly seed: Seed
    readonly token?: Token
    readonly signed?: SignedPolicy
  }
  /** The agent's URL in the store; credentials may be sent to its host too. */
  readonly trustedUrl?: string
  readonly binding: 'auto' | Binding
  readonly protocol: 'auto' | ProtocolVersion
  /** Ids of the checks to report; by default all but those that run on request. */
  readonly only?: readonly string[]
  /** Ids of checks to leave out. */
  readonly skip?: readonly string[]
  /** Whether a warning makes the report not ok. */
  readonly strict?: boolean
  /** Whether to send wrong codes until they are slowed down. */
  readonly throttle?: boolean
  /** Whether to find out how many time steps are accepted. */
  readonly windowScan?: boolean
  /** Why no wrong code is to be sent, if so. The checks that need one are skipped with this reason. */
  readonly noGuesses?: string
  /** A text to send as a message with valid credentials: a side effect, so only on demand. */
  readonly send?: string
  /** Additional hosts that credentials may be sent to, as `host` or `host:port`. */
  readonly allowHosts?: readonly string[]
  /** Other agents that are known, to which no credentials are sent, wherever the card or `allowHosts` leads. */
  readonly otherAgents?: readonly OtherAgent[]
  /** Whether credentials may be sent over plain http beyond loopback. */
  readonly insecureHttp?: boolean
  /** Certificates to trust in addition to Node's, as PEM. */
  readonly ca?: string
  /** The certificate that the probe presents, and its key, as PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string }
  /** The proxy for https, and for gRPC over TLS, by CONNECT. */
  readonly proxy?: ProxyChoice
  /** Keys to verify the signatures of a card with: a JSON Web Key Set (RFC 7517). */
  readonly cardKeys?: unknown
  /** Whether to make a task by a message and ask for it as another peer: a side effect, so only on demand. */
  readonly isolation?: boolean
  /** Failures and warnings that are known and do not count, each for a time. */
  readonly ignore?: readonly IgnoreRow[]
  /** The file that `ignore` was read from, as the report names it. */
  readonly ignoreFile?: string
  /** The most requests to send in a second; by default as many as the agent takes. */
  readonly rate?: number
  /** The time limit of one request, connecting included, in milliseconds. */
  readonly timeoutMs: number
  /** The time limit of the whole run, in milliseconds. What is not reached is skipped, and `coverage` names it. */
  readonly deadlineMs?: number
  /** How long to wait for an agent that does not answer yet, in milliseconds. */
  readonly waitMs?: number
  readonly now: () => Date
  readonly random: RandomBytes
  /** Waits so many milliseconds by the clock of `now`, for a time step or a Retry-After; by default in real time. */
  readonly sleep?: (ms: number) => Promise<void>
  /** Waits so many milliseconds between two requests where something limits them; by default in real time. */
  readonly pause?: (ms: number) => Promise<void>
  /** Called with progress messages for a person. */
  readonly announce?: (text: string) => void
  /** Called when a request was answered, and when a wait begins and ends. */
  readonly progress?: (state: ProbeProgress) => void
}

/** How far a run is. */
export interface ProbeProgress {
  /** Requests answered so far. */
  readonly done: number
  /** About how many there will be, once the interfaces are known. A run that is throttled needs more. */
  readonly planned?: number
  /** Set while the run waits: when it goes on, by the clock of {@link ProbeOptions.now}. */
  readonly waitingUntil?: Date
  /** What it waits for, in words. */
  readonly what?: string
}

/** A failure or warning that is known and does not count until it expires. */
export interface IgnoreRow {
  readonly id: CheckId
  /** A cell like `rest/1.0`; without it, every cell and the agent as a whole. */
  readonly cell?: string
  readonly reason: string
  readonly expires: Date
}

/**
 * Reads the URL to probe.
 *
 * @throws {TOTPError} `ERR_USAGE` for anything but an http(s) URL, and for one with a user name or password, which the
 *   message does not quote.
 */
export function parseTarget(text: string): URL {
  const url = parseHttpUrl(text)
  if (url === undefined) {
    throw new TOTPError('ERR_USAGE', 'the URL to probe is not an HTTP URL; expected http:// or https://')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TOTPError('ERR_USAGE', 'the URL to probe contains credentials; remove the user and password')
  }
  url.hash = ''
  return url
}
