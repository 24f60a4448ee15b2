import { InterceptingCall, Metadata, status, type Interceptor } from '@grpc/grpc-js'
import { isTOTPError } from '../../core/errors.js'
import { callCredentials } from './call-credentials.js'
import { wayOf } from './destination.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/** Decides where credentials may be sent; each function throws to refuse. */
export interface Admission {
  /** Checks the host that the call is for. */
  readonly admit: (url: URL) => void
  /** Checks the host that is dialled to get there: the same one, or a proxy. */
  readonly admitWay: (url: URL) => void
}

/**
 * The interceptor behind `totpGrpcInterceptor`; the caller decides which destinations are admitted.
 *
 * @param secure whether the channel encrypts
 */
export function interceptorTo(
  scheme: TOTPClientAuthScheme,
  secure: boolean,
  { admit, admitWay }: Admission,
): Interceptor {
  return (options, nextCall) => {
    const ended = new AbortController()
    let given = new Metadata()
    let failure: unknown

    const authorize = async (serviceUrl: string): Promise<Record<string, string>> => {
      const { dialled, asked } = wayOf(serviceUrl, peer, secure)
      admitWay(dialled)
      admit(asked)
      const url = new URL(options.method_definition.path, asked).href
      const request = { binding: 'grpc', method: 'POST', url, headers: textsOf(given) } as const
      return scheme.authorize(request, { signal: ended.signal })
    }
    // Not set as metadata at the start of the call, which may be long before there is a connection.
    const fresh = callCredentials(authorize, (error) => (failure = error))
    const call = nextCall({ ...options, credentials: options.credentials?.compose(fresh) ?? fresh })
    const peer = call.getPeer()

    return new InterceptingCall(call, {
      start: (metadata, _listener, next) => {
        given = metadata.clone()
        for (const name of ['authorization', scheme.profile.header]) given.remove(name)
        next(given, {
          onReceiveStatus: (received, forward) => {
            ended.abort()
            forward(isTOTPError(failure) ? { ...received, ...explained(failure) } : received)
          },
        })
      },
      cancel: (next) => {
        ended.abort()
        next()
      },
    })
  }
}

function explained({ message, code }: { message: string; code: string }): { code: status; details: string } {
  return { code: status.UNAUTHENTICATED, details: `${message} (${code})` }
}

/** The text entries of the metadata. */
function textsOf(metadata: Metadata): Record<string, string> {
  const entries = Object.entries(metadata.getMap())
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
