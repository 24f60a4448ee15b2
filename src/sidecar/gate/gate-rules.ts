import type { ServerResponse } from 'node:http'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import type { RequestHead } from '../forward/exchange.js'
import type { Observer } from '../sidecar.js'
import type { Asserter } from './assertion.js'
import type { ForwardedFrom } from './passed-fields.js'
import type { TrustedProxies } from './trusted-proxies.js'
import type { UpstreamWatch } from './upstream-trouble.js'

/** What a gate does with requests. */
export interface GateRules {
  readonly scheme: TOTPServerAuthScheme
  readonly upstream: UpstreamWatch
  /** Undefined if the agent has no gRPC. */
  readonly grpcUpstream: UpstreamWatch | undefined
  readonly identityHeader: string
  readonly asserter: Asserter | undefined
  /** Whom assertions are for; by default the origin of the server that a request goes to. */
  readonly audience: string | undefined
  readonly trusted: TrustedProxies
  readonly isTls: boolean
  /** Answers a request for the card. */
  readonly serveCard: (head: RequestHead, res: ServerResponse, from: ForwardedFrom) => Promise<void>
  /** Raw paths of the card. */
  readonly cardPaths: ReadonlySet<string>
  /** Raw paths that anyone can read. */
  readonly publicPaths: ReadonlySet<string>
  readonly observer: Observer
}
