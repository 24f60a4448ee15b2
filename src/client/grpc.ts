/** For gRPC clients on @grpc/grpc-js, @a2a-js/sdk's among them. */
import { credentials, type CallCredentials, type ChannelCredentials, type Interceptor } from '@grpc/grpc-js'
import { Destinations, type DestinationOptions } from './scheme/destinations.js'
import { isGrpcProxy, requireLocalName, requireNoGrpcProxy } from './scheme/detours.js'
import { requireCodeSuffices } from './scheme/request-signer.js'
import { callCredentials } from './grpc/call-credentials.js'
import { interceptorTo } from './grpc/interceptor.js'
import { hostUrl, wayOf } from './grpc/destination.js'
import { isLoopback } from '../core/url.js'
import type { TOTPClientAuthScheme } from './scheme/totp-client-auth-scheme.js'

export interface TOTPGrpcOptions extends DestinationOptions {
  /** The channel's credentials. An interceptor cannot see them; without them it assumes plaintext. */
  readonly channelCredentials?: ChannelCredentials
}

/** What `GrpcTransportFactory` of @a2a-js/sdk takes, 0.3 and 1.x. */
export interface GrpcTransportOptions {
  readonly grpcChannelCredentials: ChannelCredentials
  readonly grpcCallOptions: { readonly interceptors: Interceptor[] }
}

/**
 * For `GrpcTransportFactory` of @a2a-js/sdk: {@link totpGrpcInterceptor} together with channel credentials. The default
 * is TLS; the SDK's own default is plaintext.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
 */
export function totpGrpcOptions(
  scheme: TOTPClientAuthScheme,
  { channelCredentials = credentials.createSsl(), ...options }: TOTPGrpcOptions = {},
): GrpcTransportOptions {
  const interceptor = totpGrpcInterceptor(scheme, { ...options, channelCredentials })
  return { grpcChannelCredentials: channelCredentials, grpcCallOptions: { interceptors: [interceptor] } }
}

/**
 * A client interceptor that sends the token and a fresh code with every call, unary or streaming, and signs the call if the
 * scheme knows the agent's name. All are created once the connection is up, and again if gRPC retries the call. A call
 * that streams its requests is not signed. Other interceptors that change the message have to come before this one.
 *
 * It replaces any token, code and proof that the caller set. Credentials are sent only to `origins` (`https://host:port`), by
 * default to the origin of the first call; over plaintext only to loopback, and not through a proxy there. For the name
 * `localhost` the resolver of this machine has to answer with 127.0.0.1 or ::1. A call that is not sent ends with
 * UNAUTHENTICATED, and its details name the error: `ERR_HOST_FORBIDDEN`, `ERR_INSECURE_TRANSPORT`, or what the scheme
 * throws. A refused call is not retried.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin.
 */
export function totpGrpcInterceptor(
  scheme: TOTPClientAuthScheme,
  options: TOTPGrpcOptions = {},
): Interceptor {
  const destinations = new Destinations(options)
  const { channelCredentials } = options
  const secure = channelCredentials !== undefined && isSecure(channelCredentials)
  return interceptorTo(scheme, async (serviceUrl, peer) => {
    const { dialled, asked } = wayOf(serviceUrl, peer, secure)
    destinations.requireSafe(dialled)
    // Beyond loopback, allowInsecureHttp says that plaintext is safe on the whole network.
    if (isLoopback(asked)) requireNoGrpcProxy(isGrpcProxy(dialled), asked)
    await requireLocalName(dialled)
    destinations.settle(asked)
    return asked
  })
}

/**
 * Call credentials that send the token and a fresh code to the hosts of `origins`, by default to the host of the first
 * call. gRPC does not tell them the port.
 *
 * Prefer {@link totpGrpcInterceptor}: call credentials see only host and service, and can send only a code. Use them
 * only through `credentials.combineChannelCredentials` with a TLS channel. Set as an option of a call, grpc-js sends
 * them over plaintext too, and through the proxy that the environment names.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid origin; `ERR_CANNOT_SIGN` if the scheme signs every request.
 */
export function totpCallCredentials(
  scheme: TOTPClientAuthScheme,
  options: Pick<DestinationOptions, 'origins'> = {},
): CallCredentials {
  requireCodeSuffices(scheme, 'totpCallCredentials')
  const destinations = new Destinations(options, 'host')
  return callCredentials(async (serviceUrl) => {
    const url = hostUrl(serviceUrl)
    destinations.settle(url)
    return scheme.authorize({ binding: 'grpc', method: 'POST', url: url.href })
  })
}

/** Whether a channel encrypts. gRPC refuses to combine call credentials with a plaintext channel. */
function isSecure(channelCredentials: ChannelCredentials): boolean {
  try {
    channelCredentials.compose(credentials.createEmpty())
    return true
  } catch {
    return false
  }
}
