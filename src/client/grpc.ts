/** For gRPC clients on @grpc/grpc-js, @a2a-js/sdk's among them. */
import { credentials, type CallCredentials, type ChannelCredentials, type Interceptor } from '@grpc/grpc-js'
import { Destinations, type DestinationOptions } from './scheme/destinations.js'
import { callCredentials } from './grpc/call-credentials.js'
import { interceptorTo } from './grpc/interceptor.js'
import { hostUrl } from './grpc/destination.js'
import type { TOTPClientAuthScheme } from './scheme/totp-client-auth-scheme.js'

export interface TOTPGrpcOptions extends DestinationOptions {
  /** The credentials of the channel. An interceptor cannot see them: what it is not told counts as plaintext. */
  readonly channelCredentials?: ChannelCredentials
}

/** What `GrpcTransportFactory` of @a2a-js/sdk takes, 0.3 and 1.x. */
export interface GrpcTransportOptions {
  readonly grpcChannelCredentials: ChannelCredentials
  readonly grpcCallOptions: { readonly interceptors: Interceptor[] }
}

/**
 * For `GrpcTransportFactory` of @a2a-js/sdk: {@link totpGrpcInterceptor}, and the channel credentials that it was told:
 * TLS by default, where the SDK's own default is plaintext.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpGrpcOptions(
  scheme: TOTPClientAuthScheme,
  { channelCredentials = credentials.createSsl(), ...options }: TOTPGrpcOptions = {},
): GrpcTransportOptions {
  const interceptor = totpGrpcInterceptor(scheme, { ...options, channelCredentials })
  return { grpcChannelCredentials: channelCredentials, grpcCallOptions: { interceptors: [interceptor] } }
}

/**
 * A client interceptor that sends token and a fresh code with every call, unary or streaming. Both are made when the
 * connection is up, however long that took, and anew if gRPC sends the call again.
 *
 * Token and code that the caller set are dropped first. They go to `origins` only (`https://host:port`), or to that of the
 * first call; over plaintext to loopback only. A call that is not sent ends with UNAUTHENTICATED, and its details
 * name the error: `ERR_HOST_FORBIDDEN`, `ERR_INSECURE_TRANSPORT`, or what the scheme throws. A refused call is not
 * sent again.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpGrpcInterceptor(
  scheme: TOTPClientAuthScheme,
  options: TOTPGrpcOptions = {},
): Interceptor {
  const destinations = new Destinations(options)
  const { channelCredentials } = options
  return interceptorTo(scheme, channelCredentials !== undefined && isSecure(channelCredentials), {
    admit: (url) => destinations.settle(url),
    admitWay: (url) => destinations.requireSafe(url),
  })
}

/**
 * Call credentials that send token and a fresh code: to the hosts of `origins`, or to that of the first call. Ports they
 * are not told.
 *
 * Prefer {@link totpGrpcInterceptor}: these see only host and service, and can send nothing but a code. Combine them
 * with the credentials of a TLS channel (`credentials.combineChannelCredentials`) and nothing else: as an option of
 * a call, grpc-js sends them over plaintext too.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an origin that is none.
 */
export function totpCallCredentials(
  scheme: TOTPClientAuthScheme,
  options: Pick<DestinationOptions, 'origins'> = {},
): CallCredentials {
  const destinations = new Destinations(options, 'host')
  return callCredentials(async (serviceUrl) => {
    const url = hostUrl(serviceUrl)
    destinations.settle(url)
    return scheme.authorize({ binding: 'grpc', method: 'POST', url: url.href })
  })
}

/** Whether a channel encrypts: gRPC refuses to combine credentials for calls with those of one that does not. */
function isSecure(channelCredentials: ChannelCredentials): boolean {
  try {
    channelCredentials.compose(credentials.createEmpty())
    return true
  } catch {
    return false
  }
}
