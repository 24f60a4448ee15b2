import { Server, status, type handleUnaryCall, type MethodDefinition } from '@grpc/grpc-js'
import { proofFields } from '../../core/proof/proof-fields.js'
import type { ListenAddress } from '../../service/address.js'
import { stopwatch } from '../../service/call-log.js'
import { listenGrpc } from '../../service/grpc.js'
import type { Listener } from '../../service/listener.js'
import type { SidecarCall } from '../sidecar.js'
import { refusalAnswer } from './answers.js'
import { decodeCheck, encodeCheck, type CheckRequest, type CheckResponse } from './check-message.js'
import { frontTokenField } from './front-token.js'
import { decideOriginal, type AuthzRules } from './decide-original.js'
import { OriginalRequest } from './original-request.js'

const path = '/envoy.service.auth.v3.Authorization/Check'

/** Envoy sends heads of 60 KiB at most, and no content unless told to. */
const longestMessage = 1024 * 1024

const check: MethodDefinition<CheckRequest, CheckResponse> = {
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: () => Buffer.alloc(0),
  requestDeserialize: decodeCheck,
  responseSerialize: (response) => Buffer.from(encodeCheck(response)),
  responseDeserialize: () => ({ set: [], remove: [] }),
}

/**
 * Serves Envoy's `envoy.service.auth.v3.Authorization`, which its filter `ext_authz` asks over gRPC: the same decisions and
 * answers as over HTTP. What cannot be read is an error, on which Envoy fails closed as its configuration says.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE`
 */
export async function listenForChecks(
  { host, port }: ListenAddress,
  rules: AuthzRules,
): Promise<Listener & { drain(ms: number): Promise<void> }> {
  const server = checkServer(rules)
  const listener = await listenGrpc(server, port, host)
  const drain = async (ms: number): Promise<void> => {
    const timer = setTimeout(() => server.forceShutdown(), ms)
    await new Promise<void>((done) => server.tryShutdown(() => done()))
    clearTimeout(timer)
  }
  return { address: listener.address, stop: () => listener.stop(), drain }
}

function checkServer(rules: AuthzRules): Server {
  const server = new Server({ 'grpc.max_receive_message_length': longestMessage })
  const handler: handleUnaryCall<CheckRequest, CheckResponse> = ({ metadata, request }, answer) => {
    if (rules.frontToken && !rules.frontToken.isIn(metadata.get(frontTokenField).map(String))) {
      report(rules, { own: 'local-auth', status: 'PERMISSION_DENIED' })
      answer({ code: status.PERMISSION_DENIED, details: 'not allowed' })
      return
    }
    void answerTo(request, rules).then((response) => answer(null, response))
  }
  server.addService({ Check: check }, { Check: handler })
  return server
}

async function answerTo(request: CheckRequest, rules: AuthzRules): Promise<CheckResponse> {
  const elapsed = stopwatch()
  const { method, path: target, headers, source } = request
  const header = (name: string): string[] => headers.flatMap(([one, value]) => (one === name ? [value] : []))
  const original = new OriginalRequest({ method, target }, header, source, rules.body)
  const { outcome, identity, seen } = await decideOriginal(rules, request, original)
  const { caller, refusal } = outcome
  if (caller) {
    report(rules, { ...seen, status: '200', durationMs: elapsed() })
    const remove = ['authorization', rules.scheme.profile.header.toLowerCase(), ...proofFields]
    return { set: identity, remove }
  }
  const isGrpc = original.binding === 'grpc'
  const exact = refusalAnswer(refusal, isGrpc)
  report(rules, { ...seen, status: String(exact.status), durationMs: elapsed() })
  // Envoy writes these itself: the length, and for gRPC the type of an answer without content.
  const own = isGrpc ? /^content-/i : /^content-length$/i
  return { ...exact, headers: exact.headers.filter(([name]) => !own.test(name)) }
}

type Seen = Partial<SidecarCall> & { readonly status: string }

function report({ observer }: AuthzRules, seen: Seen): void {
  observer.call({ role: 'authz-grpc', outcome: undefined, path, durationMs: 0, ...seen })
}
