import { isTOTPError } from '../../core/errors.js'
import {
  followServerFile,
  namingFile,
  type FollowedServerFile,
  type ServerFileInForce,
} from '../../server/scheme/from-file.js'
import { mapOf } from '../../server/scheme/peers.js'
import { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import { serveAdmin, type AdminPages } from '../../service/admin.js'
import type { ListenAddress } from '../../service/address.js'
import { memoryState } from '../../state/memory-state.js'
import type { State } from '../../state/state.js'
import type { AuthzOptions } from '../authz/start.js'
import type { Observation } from '../observe/observer.js'
import type { Observer, Sidecar } from '../sidecar.js'
import { assertionHeader, type Asserter } from './assertion.js'
import { followRoster, type RosterSource } from './followed-roster.js'
import type { Part } from './part.js'
import { startReverseProxy, type ReverseProxyOptions } from './reverse-proxy.js'
import { startWarnings } from './start-warnings.js'
import type { TrustedProxies } from './trusted-proxies.js'
import { urlOf } from './upstream-address.js'

/** What every part of a gate uses. */
type Shared = 'scheme' | 'observer' | 'trusted' | 'identityHeader' | 'asserter' | 'audience'

export interface GateOptions {
  /** Where the peers are: a server file, or a store. */
  readonly source: { readonly serverFile: string } | RosterSource
  /** By default in memory. */
  readonly state?: State | undefined
  /** Why the state cannot be asked now, in a few words; undefined if it can. Without this, it always can. */
  readonly whyNoState?: (() => Promise<string | undefined>) | undefined
  /** The reverse proxy; undefined if there is none. */
  readonly proxy?: Omit<ReverseProxyOptions, Shared> | undefined
  /** Forward authentication; undefined if there is none. */
  readonly authz?:
    Pick<AuthzOptions, 'http' | 'grpc' | 'frontToken' | 'bodyUnchecked' | 'listening'> | undefined
  readonly admin?: ListenAddress | undefined
  readonly identityHeader: string
  readonly asserter?: Asserter | undefined
  /** Whom assertions are for; by default the origin of the upstream. */
  readonly audience?: string | undefined
  readonly trusted: TrustedProxies
  /** Makes what is told of the gate; called once. */
  readonly observe: (facts: GateFacts) => Observation
  /** Receives what an operator should know at the start, one sentence each. */
  readonly warn: (message: string) => void
  readonly now?: () => Date
}

/** What a gate knows of itself; undefined before it has read its peers. */
export interface GateFacts {
  readonly serverFile: () => ServerFileInForce | undefined
  readonly agent: () => string | undefined
}

/**
 * Starts a gate: a reverse proxy in front of an agent, forward authentication for other proxies, or both, with one scheme
 * and one state.
 *
 * @throws {TOTPError} what cannot be read or listened on, and what the constructor of the scheme throws
 */
export async function startGate(options: GateOptions): Promise<Sidecar> {
  const { proxy, authz, admin, asserter, now = () => new Date() } = options
  const opened: { file?: FollowedServerFile } = {}
  const observer = options.observe({
    serverFile: () => opened.file?.inForce,
    agent: () => opened.file?.options.agent,
  })
  const file = await openFile(options, observer, now)
  opened.file = file
  const scheme = schemeOf(options, file)
  const parts: Part[] = []
  let isDraining = false
  const whyNotReady = (): string | undefined | Promise<string | undefined> =>
    isDraining ? 'draining' : options.whyNoState?.()
  const close = async (): Promise<void> => {
    isDraining = true
    scheme.close()
    await Promise.all(parts.map((part) => part.close()))
  }
  try {
    const { trusted, identityHeader, audience } = options
    if (proxy) {
      const shared = { scheme, observer, trusted, identityHeader, asserter, audience }
      parts.push(await startReverseProxy({ ...proxy, ...shared }))
    }
    if (authz) parts.push(await startForwardAuth(options, authz, scheme, observer))
    if (admin) parts.push(await startAdmin(admin, scheme, observer, asserter, whyNotReady))
  } catch (error) {
    await close()
    throw error
  }
  const facts = {
    hasOwnState: options.state === undefined,
    proxy: proxy && { listen: proxy.listen, isTls: proxy.tls !== undefined, upstream: proxy.upstream },
    isAsserted: asserter !== undefined,
  }
  for (const warning of startWarnings(facts, mapOf(file.options.peerSeeds))) options.warn(warning)
  return {
    listeners: parts.flatMap(({ listeners }) => listeners),
    reload: () => {
      scheme.reload()
      const ofAsserter = asserter ? [() => asserter.reload()] : []
      for (const reload of [...ofAsserter, ...parts.flatMap(({ reloads }) => reloads)]) {
        try {
          reload()
        } catch (error) {
          const message = isTOTPError(error) ? error.message : 'a file cannot be read anew'
          const stays = `${message} (the previous one stays in force)`
          observer.event({ type: 'warning', at: now(), message: stays })
        }
      }
    },
    drain: async (ms) => {
      isDraining = true
      await Promise.all(parts.map((part) => part.drain(ms)))
      await close()
    },
    close,
  }
}

async function startForwardAuth(
  { proxy, asserter, identityHeader, trusted, audience, now }: GateOptions,
  authz: NonNullable<GateOptions['authz']>,
  scheme: TOTPServerAuthScheme,
  observer: Observer,
): Promise<Part> {
  const { startAuthz } = await import('../authz/start.js')
  const upstream = proxy && urlOf(proxy.upstream).origin
  return startAuthz({
    ...authz,
    scheme,
    observer,
    hasUpstream: proxy !== undefined,
    isTrustedProxy: (address) => trusted.trusts(address),
    identityOf: ({ peer }) => {
      const agent = scheme.agent ?? ''
      const assertion = asserter?.sign({ peer, agent, audience: audience ?? upstream ?? agent })
      const identity = [identityHeader, peer] as const
      return assertion === undefined ? [identity] : [identity, [assertionHeader, assertion]]
    },
    ...(now && { now }),
  })
}

async function startAdmin(
  address: ListenAddress,
  scheme: TOTPServerAuthScheme,
  observer: Observation,
  asserter: Asserter | undefined,
  whyNotReady: AdminPages['ready'],
): Promise<Part> {
  const listener = await serveAdmin(address, {
    ready: whyNotReady,
    metrics: () => observer.metrics(),
    status: () => observer.status(),
    jwks: asserter && (() => asserter.jwks()),
  })
  return {
    listeners: [{ role: 'admin', url: `http://${listener.address}`, agent: scheme.agent ?? '' }],
    reloads: [],
    // It answers until the end.
    drain: () => Promise.resolve(),
    close: () => listener.stop(),
  }
}

async function openFile(
  { source, state }: GateOptions,
  observer: Observer,
  now: () => Date,
): Promise<FollowedServerFile> {
  const onEvent = observer.event.bind(observer)
  const given = { state: state ?? memoryState({ since: now() }), onEvent, now }
  return 'serverFile' in source
    ? followServerFile(source.serverFile, given)
    : followRoster(source, given, onEvent, now)
}

function schemeOf({ source }: GateOptions, file: FollowedServerFile): TOTPServerAuthScheme {
  const make = (): TOTPServerAuthScheme => TOTPServerAuthScheme.following(file)
  return 'serverFile' in source ? namingFile(source.serverFile, make) : make()
}
