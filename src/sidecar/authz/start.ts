import { TOTPError } from '../../core/errors.js'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import { isLoopback, type ListenAddress, type ListenPlace } from '../../service/address.js'
import { listenMixed, type MixedOptions } from '../../service/mixed-listener.js'
import type { ListenerInfo, Observer } from '../sidecar.js'
import type { AuthzRules } from './decide-original.js'
import { FrontToken } from './front-token.js'
import { authzHandler } from './handler.js'
import type { IdentityOf } from './identity.js'
import { reportUnserved } from './unserved-head.js'
import { UncheckedProofs } from './unchecked-proofs.js'

export interface AuthzOptions {
  readonly scheme: TOTPServerAuthScheme
  /** Where nginx, Caddy, Traefik, HAProxy and Envoy ask over HTTP. */
  readonly http?: ListenPlace | undefined
  /** Where Envoy asks over gRPC. */
  readonly grpc?: ListenAddress | undefined
  /** What the agent is told of a caller. */
  readonly identityOf: IdentityOf
  /** What fronts have to send, or what reads it; needed where other machines can reach a listener. */
  readonly frontToken?: string | (() => string) | undefined
  /** Whether a peer that must sign may be let in by the head of its proof alone. */
  readonly bodyUnchecked: boolean
  /** Whether the same gate is a reverse proxy too, where peers that must sign can call. */
  readonly hasUpstream: boolean
  /** Of proxies in front of the front; by default none is. */
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined
  readonly observer: Pick<Observer, 'call' | 'event'>
  readonly now?: () => Date
  /** Limits of the listener of HTTP. */
  readonly listening?: MixedOptions | undefined
}

/** What answers fronts. */
export interface Authz {
  readonly listeners: readonly ListenerInfo[]
  /** Accepts nothing new, and returns once every answer has left, or after that many milliseconds. */
  drain(ms: number): Promise<void>
  close(): Promise<void>
  /** Each reads one of its files anew. @throws {TOTPError} if it cannot be used; the last good one stays */
  readonly reloads: readonly (() => void)[]
}

/** A listener that has started. */
interface Started extends Pick<Authz, 'drain' | 'close'> {
  readonly info: ListenerInfo
}

/**
 * Starts to answer fronts.
 *
 * @throws {TOTPError} `ERR_USAGE` for an address that other machines can reach, without a token, and where peers must sign
 *   and could be let in nowhere; `ERR_PORT_UNAVAILABLE`
 */
export async function startAuthz(options: AuthzOptions): Promise<Authz> {
  const { http, grpc, scheme, bodyUnchecked, isTrustedProxy, now = () => new Date() } = options
  const frontToken = options.frontToken === undefined ? undefined : new FrontToken(options.frontToken)
  if (!frontToken) for (const address of [http, grpc]) requireLocal(address)
  // For the log.
  scheme.keepShown()
  const proofs = new UncheckedProofs({ ...options, now })
  const rules: AuthzRules = {
    scheme,
    identityOf: options.identityOf,
    frontToken,
    body: bodyUnchecked ? 'unchecked' : 'unchecked-unless-required',
    proofs,
    isTrustedProxy: isTrustedProxy ?? (() => false),
    observer: options.observer,
  }
  const agent = scheme.agent ?? ''
  const started: Started[] = []
  try {
    if (http) started.push(await startHttp(http, options.listening, rules, agent))
    if (grpc) started.push(await startGrpc(grpc, rules, agent))
  } catch (error) {
    for (const one of started) await one.close()
    throw error
  }
  return {
    listeners: started.map(({ info }) => info),
    reloads: frontToken ? [() => frontToken.reload()] : [],
    drain: async (ms) => {
      await Promise.all(started.map((one) => one.drain(ms)))
    },
    close: async () => {
      await Promise.all(started.map((one) => one.close()))
    },
  }
}

function requireLocal(address: ListenPlace | undefined): void {
  if (!address || 'socket' in address || isLoopback(address)) return
  throw new TOTPError(
    'ERR_USAGE',
    'forward authentication beyond loopback can be asked by other machines; listen at a loopback address, or add --authz-token-file',
  )
}

async function startHttp(
  address: ListenPlace,
  listening: MixedOptions | undefined,
  rules: AuthzRules,
  agent: string,
): Promise<Started> {
  const listener = await listenMixed(address, authzHandler(rules), {
    ...listening,
    onUnservedHead: reportUnserved(rules),
  })
  const scheme = listening?.tls ? 'https' : 'http'
  const url = 'socket' in address ? `unix:${listener.address}` : `${scheme}://${listener.address}`
  return {
    info: { role: 'authz', url, agent },
    drain: (ms) => listener.drain(ms),
    close: () => listener.stop(),
  }
}

async function startGrpc(address: ListenAddress, rules: AuthzRules, agent: string): Promise<Started> {
  // Alone, so that nobody else loads gRPC.
  const { listenForChecks } = await import('./check-service.js')
  const listener = await listenForChecks(address, rules)
  return {
    info: { role: 'authz-grpc', url: `http://${listener.address}`, agent },
    drain: (ms) => listener.drain(ms),
    close: () => listener.stop(),
  }
}
