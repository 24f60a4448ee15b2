import { InterceptingCall, Metadata, status, type Interceptor, type StatusObject } from '@grpc/grpc-js'
import { isTOTPError } from '../../core/errors.js'
import { proofFields } from '../../core/proof/proof-fields.js'
import { streamBody } from '../scheme/request-signer.js'
import { callCredentials } from './call-credentials.js'
import { FirstMessage } from './first-message.js'
import type { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'

/**
 * Finds out where a call goes, and throws unless credentials may be sent there.
 *
 * @param serviceUrl what gRPC requests credentials for: `https://host/pkg.Service`
 * @param peer what the call reports that it will dial
 * @returns the URL of the agent
 */
export type Route = (serviceUrl: string, peer: string) => URL | Promise<URL>

/** The interceptor behind `totpGrpcInterceptor`; the caller decides where credentials may be sent. */
export function interceptorTo(scheme: TOTPClientAuthScheme, route: Route): Interceptor {
  return (options, nextCall) => {
    const ended = new AbortController()
    let given = new Metadata()
    let failure: unknown
    let sentAt: Date | undefined
    let signed = false
    // Of a stream of messages a proof would cover only the first.
    const { path, requestStream, requestSerialize } = options.method_definition
    const message = scheme.signs && !requestStream ? new FirstMessage(ended.signal) : undefined

    const authorize = async (serviceUrl: string): Promise<Record<string, string>> => {
      const url = new URL(path, await route(serviceUrl, peer)).href
      const request = { binding: 'grpc', method: 'POST', url, headers: textsOf(given) } as const
      const body = message ? () => message.bytes : streamBody
      const headers = await scheme.authorize(
        { ...request, ...(scheme.signs && { body }) },
        { signal: ended.signal },
      )
      sentAt = scheme.now()
      signed = 'Signature-Input' in headers
      return headers
    }
    // Not set as metadata at the start of the call, which may be long before there is a connection.
    const fresh = callCredentials(authorize, (error) => (failure = error))
    const call = nextCall({ ...options, credentials: options.credentials?.compose(fresh) ?? fresh })
    const peer = call.getPeer()

    return new InterceptingCall(call, {
      start: (metadata, _listener, next) => {
        given = metadata.clone()
        const own = ['authorization', scheme.profile.header, ...(message ? proofFields : [])]
        for (const name of own) given.remove(name)
        next(given, {
          onReceiveStatus: (received, forward) => {
            ended.abort()
            const { metadata } = received
            if (sentAt && received.code === status.UNAUTHENTICATED) {
              scheme.noticeChallenge(metadata.get('www-authenticate').join(', '), signed)
            }
            if (sentAt && isRefusal(received)) {
              // Servers on @grpc/grpc-js send a date.
              scheme.compareClocks((name) => metadata.get(name).join(', '), sentAt)
            }
            forward(isTOTPError(failure) ? { ...received, ...explained(failure) } : received)
          },
        })
      },
      sendMessage: (sent, next) => {
        message?.settle(() => requestSerialize(sent))
        next(sent)
      },
      cancel: (next) => {
        ended.abort()
        next()
      },
    })
  }
}

/** A code that was spent before was right, so the clocks are. */
function isRefusal({ code, metadata }: StatusObject): boolean {
  return code === status.UNAUTHENTICATED && metadata.get('retry-after').length === 0
}

function explained({ message, code }: { message: string; code: string }): { code: status; details: string } {
  return { code: status.UNAUTHENTICATED, details: `${message} (${code})` }
}

/** The text entries of the metadata; the values of a name together, as they arrive. */
function textsOf(metadata: Metadata): Record<string, string> {
  const names = Object.keys(metadata.getMap()).filter((name) => !name.endsWith('-bin'))
  return Object.fromEntries(names.map((name) => [name, metadata.get(name).join(', ')]))
}
