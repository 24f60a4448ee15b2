import type { TransportFactory } from '@a2a-js/sdk/client'
import { interfaceUrl } from './card-interfaces.js'
import type { Destinations } from './destinations.js'
import { targetUrl } from './grpc-targets.js'
import type { TOTPClientAuthScheme } from './totp-client-auth-scheme.js'

/** gRPC's, with TLS or without. */
const defaultPort = '443'

/** Certificates and key in PEM, as `credentials.createSsl` of @grpc/grpc-js takes them. */
export interface GrpcTls {
  /** Those who may vouch for the agent; by default the usual ones. */
  readonly rootCerts?: Buffer
  /** For agents that want to see a certificate of the client. */
  readonly privateKey?: Buffer
  readonly certChain?: Buffer
}

interface GrpcFactoryOptions {
  readonly tls: GrpcTls | false | undefined
  readonly legacyCompat: { readonly enabled: boolean }
}

/** The SDK's gRPC transport behind the interceptor. gRPC is loaded once a card leads there. */
export function grpcFactory(
  scheme: TOTPClientAuthScheme,
  destinations: Destinations,
  { tls, legacyCompat }: GrpcFactoryOptions,
): TransportFactory {
  return {
    protocolName: 'GRPC',
    create: async (text, card) => {
      const url = grpcUrl(text, tls)
      destinations.require(url)
      const { credentials } = await import('@grpc/grpc-js')
      const { GrpcTransportFactory } = await import('@a2a-js/sdk/client/grpc')
      const { interceptorTo } = await import('./grpc-interceptor.js')
      const secure = url.protocol === 'https:'
      const { rootCerts, privateKey, certChain }: GrpcTls = tls === false ? {} : (tls ?? {})
      const interceptor = interceptorTo(scheme, secure, {
        admit: (asked) => destinations.require(asked),
        admitWay: (dialled) => destinations.requireSafe(dialled),
      })
      const factory = new GrpcTransportFactory({
        grpcChannelCredentials: secure
          ? credentials.createSsl(rootCerts, privateKey, certChain)
          : credentials.createInsecure(),
        grpcCallOptions: { interceptors: [interceptor] },
        legacyCompat: { ...legacyCompat },
      })
      return factory.create(text.replace(/^https?:\/\/([^/]+)\/?$/i, '$1'), card)
    },
  }
}

/** What the user says about TLS goes before what the card says. */
function grpcUrl(text: string, tls: GrpcTls | false | undefined): URL {
  const url = interfaceUrl(text)
  if (tls === undefined) return url
  return targetUrl(`${url.hostname}:${url.port || defaultPort}`, tls !== false)
}
