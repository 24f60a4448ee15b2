import type { TransportFactory } from '@a2a-js/sdk/client'
import { dialledAt } from '../../core/card/targets.js'
import { isLoopback } from '../../core/url.js'
import type { Destinations } from '../scheme/destinations.js'
import { requireNoGrpcProxy } from '../scheme/detours.js'
import { withTls, wayOf } from '../grpc/destination.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/** Certificates and key in PEM, as `credentials.createSsl` of @grpc/grpc-js takes them. */
export interface GrpcTls {
  /** Certificate authorities to trust; by default those of @grpc/grpc-js. */
  readonly rootCerts?: Buffer
  /** For agents that require a client certificate. */
  readonly privateKey?: Buffer
  readonly certChain?: Buffer
}

interface GrpcFactoryOptions {
  readonly tls: GrpcTls | false | undefined
  readonly legacyCompat: { readonly enabled: boolean }
  /** Reads the address of an interface as the card spells it. */
  readonly locate: (text: string, card: object) => URL
}

/** The SDK's gRPC transport with our interceptor. Loads gRPC only when a card has a gRPC interface. */
export function grpcFactory(
  scheme: TOTPClientAuthScheme,
  destinations: Destinations,
  { tls, legacyCompat, locate }: GrpcFactoryOptions,
): TransportFactory {
  return {
    protocolName: 'GRPC',
    create: async (text, card) => {
      const named = locate(text, card)
      // What the user says about TLS takes precedence over the card.
      const url = tls === undefined ? named : withTls(named, tls !== false)
      destinations.require(url)
      const { credentials } = await import('@grpc/grpc-js')
      const { GrpcTransportFactory } = await import('@a2a-js/sdk/client/grpc')
      const { interceptorTo } = await import('../grpc/interceptor.js')
      const { loopbackTarget } = await import('../grpc/loopback-target.js')
      const secure = url.protocol === 'https:'
      const { rootCerts, privateKey, certChain }: GrpcTls = tls === false ? {} : (tls ?? {})
      const target = !secure && isLoopback(url) ? loopbackTarget(url) : dialledAt(url)
      const interceptor = interceptorTo(scheme, (serviceUrl, peer) => {
        if (!secure) {
          requireNoGrpcProxy(peer !== target, url)
          return url
        }
        const { dialled, asked } = wayOf(serviceUrl, peer, secure)
        destinations.requireSafe(dialled)
        destinations.require(asked)
        return asked
      })
      const factory = new GrpcTransportFactory({
        grpcChannelCredentials: secure
          ? credentials.createSsl(rootCerts, privateKey, certChain)
          : credentials.createInsecure(),
        grpcCallOptions: { interceptors: [interceptor] },
        legacyCompat: { ...legacyCompat },
      })
      return factory.create(target, card)
    },
  }
}
