import type { ListenAddress } from '../../service/address.js'
import { listenMixed, type MixedOptions } from '../../service/mixed-listener.js'
import { grpcUpstream, httpUpstream, type UpstreamAddress } from '../forward/upstream.js'
import type { GateRules } from './gate-rules.js'
import { gateHandler } from './handler.js'
import type { Part } from './part.js'
import { ServedCard, type CardMode } from './served-card.js'
import { urlOf } from './upstream-address.js'
import { UpstreamWatch } from './upstream-trouble.js'

export interface ReverseProxyOptions extends Pick<
  GateRules,
  'scheme' | 'observer' | 'trusted' | 'identityHeader' | 'asserter' | 'audience'
> {
  readonly listen: ListenAddress
  readonly upstream: UpstreamAddress
  readonly grpcUpstream?: UpstreamAddress | undefined
  readonly publicUrl?: URL | undefined
  readonly card: CardMode
  readonly cardPath?: string | undefined
  readonly publicPaths: readonly string[]
  /** Reads certificate and key, at the start and again when it is told to. */
  readonly tls?: (() => NonNullable<MixedOptions['tls']>) | undefined
  readonly maxHeaderBytes: number
  readonly headerTimeoutMs: number
  /** From the last byte of a request to the head of its answer; 0 for no limit. */
  readonly upstreamTimeoutMs: number
}

/**
 * Starts to listen for callers of an agent.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`, and what reading the card or the certificate throws
 */
export async function startReverseProxy(options: ReverseProxyOptions): Promise<Part> {
  const { scheme, observer, tls, upstream, grpcUpstream: grpc } = options
  // For the log.
  scheme.keepShown()
  const agent = (): string => scheme.agent ?? ''
  const limits = { timeouts: { answerMs: options.upstreamTimeoutMs } }
  const watch = (one: ReturnType<typeof httpUpstream>): UpstreamWatch =>
    new UpstreamWatch(one, agent, (event) => observer.event(event))
  const http = watch(httpUpstream(upstream, limits))
  const overGrpc = grpc && watch(grpcUpstream(grpc, limits))
  const card = new ServedCard({
    mode: options.card,
    path: options.cardPath,
    scheme,
    upstream: http,
    upstreamUrl: urlOf(upstream),
    grpcUpstreamUrl: grpc && urlOf(grpc),
    publicUrl: options.publicUrl,
    observer,
  })
  let own = new URL('http://localhost')
  const { trusted, identityHeader, asserter, audience } = options
  const handler = gateHandler({
    ...{ scheme, observer, trusted, identityHeader, asserter, audience },
    upstream: http,
    grpcUpstream: overGrpc,
    isTls: tls !== undefined,
    cardPaths: card.paths,
    publicPaths: new Set(options.publicPaths),
    serveCard: (head, res, from) => card.serve(head, res, from, own),
  })
  const listener = await listenMixed(options.listen, handler, {
    ...(tls && { tls: tls() }),
    maxHeaderBytes: options.maxHeaderBytes,
    headerTimeoutMs: options.headerTimeoutMs,
  })
  const url = `${tls ? 'https' : 'http'}://${listener.address}`
  own = new URL(url)
  const closeUpstreams = (): void => {
    http.close()
    overGrpc?.close()
  }
  return {
    listeners: [{ role: 'gate', url, agent: agent() }],
    reloads: [() => card.reload(), ...(tls ? [() => listener.replaceTls(tls())] : [])],
    drain: async (ms) => {
      await listener.drain(ms)
      closeUpstreams()
    },
    close: async () => {
      await listener.stop()
      closeUpstreams()
    },
  }
}
