import { experimental } from '@grpc/grpc-js'
import { portOf } from '../../core/url.js'

const scheme = 'a2a-totp-loopback'

/** What {@link ResolverListener} was until @grpc/grpc-js 1.13. */
interface OlderListener {
  onSuccessfulResolution(
    endpoints: readonly object[],
    serviceConfig: null,
    serviceConfigError: null,
    configSelector: null,
    attributes: object,
  ): void
}
type Listener = experimental.ResolverListener | OlderListener

/**
 * A gRPC target for plaintext to this machine. gRPC's own targets lead elsewhere in two ways: `localhost` is looked up by
 * a resolver, and calls to any host and port go through the HTTP proxy that the environment names. This target has a
 * resolver of its own, and is no host and port.
 *
 * @param url with the host `localhost`, of 127.0.0.0/8 or `[::1]`
 */
export function loopbackTarget(url: URL): string {
  // Of this process; doing it again changes nothing.
  experimental.registerResolver(scheme, LoopbackResolver)
  return `${scheme}:${portOf(url)}:${url.hostname === '[::1]' ? 'ipv6' : url.hostname}`
}

class LoopbackResolver {
  readonly #addresses: readonly { readonly host: string; readonly port: number }[]
  readonly #listener: Listener
  #pending: NodeJS.Immediate | undefined

  constructor({ path }: { readonly path: string }, listener: Listener) {
    const { host, port } = read(path)
    const hosts = host === 'localhost' ? ['127.0.0.1', '::1'] : [host === 'ipv6' ? '::1' : host]
    this.#addresses = hosts.map((one) => ({ host: one, port }))
    this.#listener = listener
  }

  /** The authority of the calls: what the agent takes for its name. */
  static getDefaultAuthority({ path }: { readonly path: string }): string {
    const { host, port } = read(path)
    return `${host === 'ipv6' ? '[::1]' : host}:${port}`
  }

  updateResolution(): void {
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined
      const endpoints = this.#addresses.map((address) => ({ addresses: [address] }))
      if (typeof this.#listener === 'function') {
        this.#listener({ ok: true, value: endpoints }, {}, null, '')
      } else this.#listener.onSuccessfulResolution(endpoints, null, null, null, {})
    })
  }

  destroy(): void {
    clearImmediate(this.#pending)
    this.#pending = undefined
  }
}

function read(path: string): { host: string; port: number } {
  const [port = '', host = ''] = path.split(':')
  return { host, port: Number(port) }
}
