import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createServer as createHttp2,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { withTotpExtension } from '../../src/core/card/extension.js'
import { digestOf } from '../../src/core/proof/digest.js'
import type { SignedPolicy } from '../../src/core/proof/profile.js'
import { defaultProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { TOTPServerAuthScheme, type AuthRequest } from '../../src/server/index.js'
import { grpcAnswer, httpAnswer } from '../../src/server/scheme/refusal.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { State } from '../../src/state/state.js'
import { cardFor } from './agent-card.js'
import { answerTask, parseCall } from './agent-protocol.js'
import { restCallOf } from './grpc-doors.js'
import { respond as respondGrpc } from './grpc-responses.js'
import { alice, bob } from './probing.js'

export const agentName = 'billing'

/** What a careless agent leaves out. Each left out is done right. */
export interface Carelessness {
  /** Changes a request before its proof is verified; the headers are in lower case. */
  readonly before?: (request: AuthRequest, at: Date) => AuthRequest
  readonly state?: (state: State) => State
  /** Whether the body is compared with its digest. */
  readonly digests?: false
  /** The policy of alice, where it is not that of the agent. */
  readonly enforces?: SignedPolicy
  readonly card?: (card: Record<string, unknown>) => Record<string, unknown>
  /** Changes the header fields of an answer that refuses. */
  readonly refusal?: (fields: readonly Field[]) => readonly Field[]
}

type Field = readonly [name: string, value: string]

export interface SigningAgent {
  readonly url: string
  /** Every request that was let in, and how. */
  readonly letIn: readonly ('code' | 'signed' | 'signed-head')[]
  readonly refusals: readonly string[]
  close(): Promise<void>
}

/** An agent on 127.0.0.1 that verifies proofs, over three bindings and in both versions, right but for its carelessness. */
export async function startSigningAgent({
  replay,
  signed,
  now,
  careless = {},
}: {
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  readonly now: () => Date
  readonly careless?: Carelessness
}): Promise<SigningAgent> {
  const letIn: ('code' | 'signed' | 'signed-head')[] = []
  const refusals: string[] = []
  const own = memoryState({ since: new Date(0) })
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: {
      alice: { seeds: [{ seed: alice.seed }], ...(careless.enforces && { signed: careless.enforces }) },
      bob: bob.seed,
    },
    tokenToPeer: { [alice.token]: 'alice', [bob.token]: 'bob' },
    ...{ replay, signed, now, agent: agentName, state: careless.state?.(own) ?? own },
  })
  const decide = async (request: Omit<AuthRequest, 'body'>, content: Buffer) => {
    const digest = digestOf(request.binding, content)
    const asked: AuthRequest = {
      ...request,
      body: {
        expectDigest: (_, expected) => careless.digests === false || digest.equals(Buffer.from(expected)),
      },
    }
    const outcome = await scheme.authenticate(careless.before?.(asked, now()) ?? asked)
    if (outcome.caller) letIn.push(outcome.caller.proof)
    else refusals.push(outcome.refusal.reason)
    return outcome
  }

  const serve = async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const { method = '', url: target = '' } = request
    response.setHeader('Date', now().toUTCString())
    if (target === '/.well-known/agent-card.json') {
      const origin = `http://${request.headers.host ?? ''}`
      const version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
      const card = cardFor(version, origin, 'X-TOTP', port)
      const extended = { ...card, capabilities: withTotpExtension(card, defaultProfile, signed) }
      const sent = JSON.stringify(careless.card?.(extended) ?? extended)
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(sent)
      return
    }
    const header = linesOf(request.rawHeaders)
    const outcome = await decide({ binding: 'http', method, target, header }, body)
    if (outcome.caller) {
      answerTask(response, parseCall(request, body.toString()))
      return
    }
    const { status, headers, body: said } = httpAnswer(outcome.refusal)
    const fields = careless.refusal?.(headers) ?? headers
    for (const [name] of fields) response.setHeader(name, valuesOf(fields, name))
    response.writeHead(status).end(said)
  }

  const grpc = await startGrpc(async (stream, target, raw, message) => {
    const header = linesOf(raw)
    const content = message.subarray(5)
    const outcome = await decide({ binding: 'grpc', method: 'POST', target, header }, content)
    if (outcome.caller) {
      answerGrpc(stream, target, content)
      return
    }
    const { status, details, trailers } = grpcAnswer(outcome.refusal)
    const code = { UNAUTHENTICATED: 16, RESOURCE_EXHAUSTED: 8, UNAVAILABLE: 14 }[status]
    const fields = careless.refusal?.(trailers) ?? trailers
    respond(stream, code, details, Object.fromEntries(fields.map(([name]) => [name, valuesOf(fields, name)])))
  })
  const { port } = grpc

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void serve(request, response, Buffer.concat(chunks)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ letIn, refusals },
    close: async () => {
      await grpc.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      scheme.close()
    },
  }
}

const valuesOf = (fields: readonly Field[], name: string): string[] =>
  fields.filter(([other]) => other === name).map(([, value]) => value)

function linesOf(raw: readonly string[]): (name: string) => string[] {
  return (name) => raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name)
}

type GrpcHandler = (
  stream: ServerHttp2Stream,
  path: string,
  raw: readonly string[],
  message: Buffer,
) => Promise<void>

async function startGrpc(handle: GrpcHandler): Promise<{ port: number; close: () => Promise<void> }> {
  const sessions = new Set<Http2Session>()
  const server = createHttp2()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw: string[]) => {
    const chunks: Buffer[] = []
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => void handle(stream, headers[':path'] ?? '', raw, Buffer.concat(chunks)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
}

/** As @a2a-js/sdk answers a call for a task that nobody has, and a message without id and parts. */
function answerGrpc(stream: ServerHttp2Stream, path: string, content: Buffer): void {
  if (!restCallOf(path)) {
    respond(stream, 12, 'unknown method')
    return
  }
  if (path.includes('Send')) {
    respond(stream, 3, 'message.messageId is required')
    return
  }
  const id = content.subarray(2).toString()
  respond(stream, 5, `Task not found: ${id}`, {
    'grpc-status-details-bin': Buffer.from('\n\x0eTASK_NOT_FOUND').toString('base64'),
  })
}

/** Its clock shows in the answers over HTTP. */
const respond: typeof respondGrpc = (stream, code, message, extra) =>
  respondGrpc(stream, code, message, extra, { sendDate: false })
