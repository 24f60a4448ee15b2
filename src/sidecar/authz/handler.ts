import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { fieldLines, type NodeRequest } from '../../server/adapters/http.js'
import { http2StreamOf } from '../../server/adapters/drain.js'
import { refuse, type HttpAnswer, type Refusal } from '../../server/scheme/refusal.js'
import type { TOTPServerAuthScheme } from '../../server/scheme/scheme.js'
import { shownPath, stopwatch } from '../../service/call-log.js'
import { forwardedSource } from '../forward/forwarded-for.js'
import { isGrpcType } from '../forward/grpc.js'
import { readHead } from '../forward/head.js'
import type { OwnReason, SidecarCall } from '../sidecar.js'
import { acceptedAnswer, nginxAnswer, ownAnswer, refusalAnswer, send, trailersOnly } from './answers.js'
import { decideOriginal, type AuthzRules } from './decide-original.js'
import { frontTokenField } from './front-token.js'
import { proofField } from './identity.js'
import { nginxFields, refusalOfFields } from './nginx-fields.js'
import { fromFields, fromTarget, only, OriginalRequest, type ReadOriginal } from './original-request.js'

/** Where each front asks, and where it says what it asks about. */
const endpoints: Readonly<Record<string, ReadOriginal>> = {
  '/auth/nginx': fromFields('x-original-method', 'x-original-uri'),
  '/auth/haproxy': fromFields('x-original-method', 'x-original-uri'),
  '/auth/caddy': fromFields('x-forwarded-method', 'x-forwarded-uri'),
  '/auth/traefik': fromFields('x-forwarded-method', 'x-forwarded-uri'),
  '/auth/envoy': fromTarget,
}

/**
 * Answers the sub-requests of fronts: whether the request that they hold may pass, and as whom. Nothing is exempt, whatever
 * its path and its fields. A sub-request's own body is never read.
 */
export function authzHandler(rules: AuthzRules): RequestListener {
  return (req, res) => {
    let isClosed = false
    res.once('close', () => (isClosed = true))
    const call: OpenCall = { req, res, rules, elapsed: stopwatch(), isClosed: () => isClosed }
    const { url = '' } = req
    const [path = ''] = url.split(/[?#]/, 1)
    const isEnvoy = path.startsWith('/auth/envoy/')
    const endpoint = isEnvoy ? '/auth/envoy' : path
    if (rules.frontToken && !rules.frontToken.isIn(fieldLines(req, frontTokenField))) {
      const answer =
        endpoint === '/auth/nginx'
          ? { status: 401, headers: [['Content-Length', '0'] as const], body: '' }
          : ownAnswer(403)
      finish(call, answer, { own: 'local-auth' })
      return
    }
    if ('refused' in readHead(req)) {
      finish(call, ownAnswer(400), { own: 'bad-request' })
      return
    }
    if (endpoint === '/denied') {
      send(req, res, deniedAnswer(req, rules.scheme))
      return
    }
    const readOriginal = Object.hasOwn(endpoints, endpoint) ? endpoints[endpoint] : undefined
    if (readOriginal)
      answerOriginal(call, endpoint, readOriginal(req, isEnvoy ? url.slice(endpoint.length) : ''))
    else finish(call, ownAnswer(404), { own: 'not-found' })
  }
}

interface OpenCall {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly rules: AuthzRules
  readonly elapsed: () => number
  /** Whether the front has left already. */
  readonly isClosed: () => boolean
}

function answerOriginal(
  call: OpenCall,
  endpoint: string,
  { method, target }: { method: string; target: string },
): void {
  const { req, rules } = call
  const header = (name: string): string[] => fieldLines(req, name)
  // The front wrote the last one.
  const source = forwardedSource(header('x-forwarded-for'), rules.isTrustedProxy, undefined)
  const original = new OriginalRequest({ method, target }, header, source, rules.body)
  void decideOriginal(rules, req, original).then(({ outcome: { caller, refusal }, identity, seen }) => {
    if (caller) {
      finish(call, acceptedAnswer([...identity, [proofField, caller.proof]]), seen)
      return
    }
    const exact = refusalAnswer(refusal, original.binding === 'grpc')
    const answer = endpoint === '/auth/nginx' ? nginxAnswer(refusal) : exact
    finish(call, answer, { ...seen, status: String(exact.status) })
  })
}

function deniedAnswer(req: NodeRequest, scheme: TOTPServerAuthScheme): HttpAnswer {
  const status = only(req, nginxFields.status)
  // What could not be read of the sub-request may be missing here.
  if (status === '400') return ownAnswer(400)
  const { header } = scheme.profile
  const usual = refuse(
    { kind: 'unauthenticated', reason: 'token-missing' },
    header,
    false,
    scheme.signed === 'require',
  )
  const refusal: Refusal = refusalOfFields(
    {
      status,
      challenges: only(req, nginxFields.challenges),
      retryAfter: only(req, nginxFields.retryAfter),
    },
    usual,
  )
  const grpc = fieldLines(req, 'content-type').some(isGrpcType)
  return grpc && http2StreamOf(req) ? trailersOnly(refusal) : refusalAnswer(refusal, grpc)
}

/** Sends an answer, and reports the call once it is over. */
function finish(
  { req, res, rules, elapsed, isClosed }: OpenCall,
  answer: HttpAnswer,
  seen: Partial<SidecarCall> & { readonly own?: OwnReason },
): void {
  const report = (): void =>
    rules.observer.call({
      role: 'authz',
      outcome: undefined,
      method: req.method ?? '',
      path: shownPath(req.url ?? ''),
      status: String(answer.status),
      durationMs: elapsed(),
      ...seen,
    })
  if (isClosed()) report()
  else res.once('close', report)
  send(req, res, answer)
}
