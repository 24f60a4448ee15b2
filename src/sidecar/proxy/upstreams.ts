import {
  UpstreamError,
  type IncomingAnswer,
  type OutgoingRequest,
  type Upstream,
} from '../forward/exchange.js'
import { grpcUpstream, httpUpstream, type UpstreamOptions } from '../forward/upstream.js'

/** The servers that requests are sent to: the agent's origin, and those that its card names and that are allowed. */
export class Upstreams {
  readonly #options: UpstreamOptions
  readonly #open = new Map<string, Upstream>()

  constructor(options: UpstreamOptions) {
    this.#options = options
  }

  /** Sends a request to the origin of a URL, once. */
  send(url: URL, isGrpc: boolean, request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer> {
    if (url.protocol !== 'http:' || url.hostname !== 'localhost') {
      return this.#at(url, isGrpc).send(request, signal)
    }
    return this.#sendHere(url, isGrpc, request, signal)
  }

  close(): void {
    for (const upstream of this.#open.values()) upstream.close()
    this.#open.clear()
  }

  /** `localhost` is this machine, whatever a resolver says. */
  async #sendHere(
    url: URL,
    isGrpc: boolean,
    request: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<IncomingAnswer> {
    const [first, second] = ['127.0.0.1', '[::1]'].map((host) =>
      Object.assign(new URL(url), { hostname: host }),
    )
    const named = { authority: url.host, ...request }
    try {
      return await this.#at(first ?? url, isGrpc).send(named, signal)
    } catch (error) {
      const isElsewhere = error instanceof UpstreamError && error.kind === 'unreachable'
      if (!isElsewhere || signal.aborted) throw error
      // Nothing was sent, so nothing is sent twice.
      return this.#at(second ?? url, isGrpc).send(named, signal)
    }
  }

  #at(url: URL, isGrpc: boolean): Upstream {
    const key = `${isGrpc ? 'grpc' : 'http'} ${url.origin}`
    let upstream = this.#open.get(key)
    if (!upstream) {
      const place = new URL('/', url)
      upstream = isGrpc ? grpcUpstream(place, this.#options) : httpUpstream(place, this.#options)
      this.#open.set(key, upstream)
    }
    return upstream
  }
}
