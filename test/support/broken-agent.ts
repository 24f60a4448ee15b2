import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { CodeProfile, TOTPProfile } from '../../src/core/profile.js'
import type { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep, isCode, timeStepAt } from '../../src/core/totp.js'
import { cardFor, type Version } from './agent-card.js'
import { answerTask, parseCall, type Call } from './agent-protocol.js'
import { startGrpcGateway } from './grpc-gateway.js'

export interface AgentPeer {
  readonly name: string
  readonly token: string
  readonly seed: Seed
}

/** Why a caller is kept out, as the log of a good agent would have it. */
export type Reason = 'no token' | 'unknown token' | 'doubled' | 'no code' | 'malformed' | 'wrong' | 'used'

/** What the defects of agents are made of. Each left out is done right. */
export interface Quirks {
  /** Lets a call in without looking further. */
  readonly waves?: (call: Call, seen: Seen) => boolean
  /** Takes the values of a header down to one; undefined refuses. */
  readonly pickToken?: (lines: readonly string[]) => string | undefined
  readonly pickCode?: (lines: readonly string[]) => string | undefined
  /** Which peers a token stands for. */
  readonly peersOf?: (token: string | undefined, peers: readonly AgentPeer[]) => readonly AgentPeer[]
  /** Drifts that are accepted, in steps. */
  readonly drifts?: readonly number[]
  readonly once?: boolean
  /** What a used code is remembered beside, where that is not the peer alone. */
  readonly spentAt?: (call: Call, seen: Seen) => string
  /** Distinct wrong codes a time step that it takes. */
  readonly budget?: number
  readonly refuse?: (response: ServerResponse, reason: Reason, call: Call) => boolean
  /** Answers instead of everything else, or not (false). */
  readonly answers?: (response: ServerResponse, call: Call, seen: Seen) => boolean
  /** Answers a call that was let in, in place of a handler as that of @a2a-js/sdk, or not (false). */
  readonly serves?: (response: ServerResponse, call: Call) => boolean
  /** Is told of each call that is let in. */
  readonly admitted?: (call: Call, seen: Seen, response: ServerResponse) => void
  readonly card?: (card: Record<string, unknown>, origin: string) => unknown
  /** How far its clock is ahead, in milliseconds. */
  readonly clockOffsetMs?: number
  /** The header fields that show the time; by default a Date as RFC 9110 prefers it. */
  readonly timeFields?: (at: Date) => Readonly<Record<string, string>>
  /** The header that it reads the code from. */
  readonly header?: string
}

/** What a careless agent may remember of a caller. */
export interface Seen {
  readonly authorization: readonly string[]
  readonly codes: readonly string[]
  readonly cookies: readonly string[]
  readonly connection: Socket
  /** Connections and tokens that a success came by. */
  readonly successes: { readonly connections: WeakSet<Socket>; readonly tokens: Set<string> }
}

export interface TestAgent {
  readonly url: string
  /** Distinct wrong codes with a live token, each with its time step. */
  readonly guesses: ReadonlySet<string>
  readonly requests: readonly { readonly url: string; readonly fields: readonly string[] }[]
  close(): Promise<void>
}

interface Setup {
  readonly peers: readonly AgentPeer[]
  readonly profile: TOTPProfile
  readonly now: () => Date
  readonly quirks?: Quirks
  /** Whether a gateway in front serves gRPC as well. */
  readonly grpc?: boolean
}

/** A small A2A agent on 127.0.0.1, both bindings and both versions, right but for its quirks. */
export async function startTestAgent({ peers, profile, now, quirks = {}, grpc }: Setup): Promise<TestAgent> {
  const guesses = new Set<string>()
  const requests: { url: string; fields: string[] }[] = []
  const spent = new Map<string, number>()
  const successes = { connections: new WeakSet<Socket>(), tokens: new Set<string>() }
  const clock = (): Date => new Date(now().getTime() + (quirks.clockOffsetMs ?? 0))

  const check = (seen: Seen, call: Call): Reason | 'throttled' | undefined => {
    const { authorization, codes } = seen
    const line = (quirks.pickToken ?? single)(authorization)
    if (authorization.length === 0 && !quirks.peersOf) return 'no token'
    if (line === undefined && authorization.length > 0) return 'doubled'
    const token = /^bearer +(.+)$/i.exec(line ?? '')?.[1]
    const candidates = (quirks.peersOf ?? owners)(token, peers)
    if (candidates.length === 0) return 'unknown token'
    if (codes.length === 0) return 'no code'
    const code = (quirks.pickCode ?? single)(codes)
    if (code === undefined) return 'doubled'
    if (!isCode(code, profile)) return 'malformed'
    return checkCode(code, token ?? '', candidates, quirks.spentAt?.(call, seen) ?? '')
  }

  const checkCode = (
    code: string,
    token: string,
    candidates: readonly AgentPeer[],
    spentAt: string,
  ): Reason | 'throttled' | undefined => {
    const step = timeStepAt(profile, clock())
    const counted = [...guesses].filter((guess) => guess.startsWith(`${step} `)).length
    if (counted >= (quirks.budget ?? 5)) return 'throttled'
    for (const { name, seed } of candidates) {
      const drift = (quirks.drifts ?? [0, -1, 1]).find((d) => codeAt(seed, profile, step + d) === code)
      if (drift === undefined) continue
      if (!quirks.once) return undefined
      const key = `${name} ${spentAt}`
      if (step + drift <= (spent.get(key) ?? -Infinity)) return 'used'
      spent.set(key, step + drift)
      return undefined
    }
    if (peers.some((peer) => peer.token === token)) guesses.add(`${step} ${code}`)
    return 'wrong'
  }

  const serve = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    requests.push({ url: request.url ?? '', fields: request.rawHeaders })
    const times = quirks.timeFields?.(clock()) ?? { Date: clock().toUTCString() }
    for (const [name, value] of Object.entries(times)) response.setHeader(name, value)
    if (request.url === '/.well-known/agent-card.json') {
      const origin = `http://${request.headers.host ?? ''}`
      const version: Version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
      const card = cardFor(version, origin, profile.header, gateway?.port)
      sendJson(response, 200, quirks.card ? quirks.card(card, origin) : card)
    } else {
      serveCall(request, response, parseCall(request, body))
    }
  }

  const serveCall = (request: IncomingMessage, response: ServerResponse, call: Call): void => {
    const lines = linesOf(request.rawHeaders)
    const seen: Seen = {
      authorization: lines('authorization'),
      codes: lines(quirks.header ?? profile.header),
      cookies: lines('cookie'),
      connection: request.socket,
      successes,
    }
    if (quirks.answers?.(response, call, seen)) return
    const reason = quirks.waves?.(call, seen) ? undefined : check(seen, call)
    if (reason === undefined) {
      successes.connections.add(request.socket)
      for (const line of seen.authorization) successes.tokens.add(line)
      quirks.admitted?.(call, seen, response)
      if (!quirks.serves?.(response, call)) answerTask(response, call)
    } else if (reason === 'throttled') {
      response.setHeader('Retry-After', '30')
      sendJson(response, 429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'later' } })
    } else if (!quirks.refuse?.(response, reason, call)) {
      refuse(response, reason, quirks.header)
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => serve(request, response, Buffer.concat(chunks).toString()))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = grpc ? await startGrpcGateway(url) : undefined
  return {
    url,
    guesses,
    requests,
    close: async () => {
      await gateway?.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** The refusal of contract section 6; the reason shows in one case only, a code that was used. */
export function refuse(response: ServerResponse, reason: Reason, header = 'X-TOTP'): void {
  const error = reason === 'no token' ? '' : ', error="invalid_token"'
  response.setHeader('WWW-Authenticate', [
    `Bearer realm="a2a"${error}`,
    `TOTP realm="a2a", header="${header}"`,
  ])
  response.setHeader('Cache-Control', 'no-store')
  if (reason === 'used') response.setHeader('Retry-After', '30')
  sendJson(response, 401, { error: { code: 401, status: 'UNAUTHENTICATED', message: 'credentials needed' } })
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

export const single = (lines: readonly string[]): string | undefined =>
  lines.length === 1 ? lines[0] : undefined

export const owners = (token: string | undefined, peers: readonly AgentPeer[]): readonly AgentPeer[] =>
  peers.filter((peer) => peer.token === token)

const codeAt = (seed: Seed, profile: CodeProfile, step: number): string =>
  generateCodeOfStep(seed, profile, step)

function linesOf(raw: readonly string[]): (name: string) => string[] {
  return (name) =>
    raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name.toLowerCase())
}
