import { mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { startGate, type GateOptions } from '../../src/sidecar/gate/index.js'
import { TrustedProxies } from '../../src/sidecar/gate/trusted-proxies.js'
import { parseUpstream } from '../../src/sidecar/gate/upstream-address.js'
import type { Observer, SidecarCall } from '../../src/sidecar/sidecar.js'
import { memoryState } from '../../src/state/memory-state.js'
import { codeOf, peers, type PeerName } from './guarded.js'
import { proofOf } from './proof-of.js'
import { serverFile, type ServerFileDocument } from './server-file.js'

type Event = Parameters<Observer['event']>[0]
type Proxy = NonNullable<GateOptions['proxy']>

export interface TestGate {
  readonly origin: string
  readonly port: number
  readonly calls: SidecarCall[]
  readonly events: Event[]
  readonly warnings: string[]
  readonly sidecar: Awaited<ReturnType<typeof startGate>>
  /** Replaces the server file, as a mounted secret is replaced. */
  readonly replaceFile: (document: object) => void
}

export interface TestGateOptions {
  readonly file?: ServerFileDocument
  readonly proxy?: Partial<Proxy>
  readonly gate?: Partial<GateOptions>
}

/** The server file of both peers with these policies. */
export function fileWith(policies: Readonly<Record<string, string>>): ServerFileDocument {
  const file = serverFile()
  for (const peer of Object.values(file.peers)) Object.assign(peer, policies)
  return { ...file, ...(policies['signed'] !== undefined && { signed: policies['signed'] }) }
}

/** A gate in front of an agent, gone when the test is over. */
export async function gateTo(
  upstream: string,
  { file = serverFile(), proxy = {}, gate = {} }: TestGateOptions = {},
): Promise<TestGate> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a2a-totp-gate-')))
  const path = join(folder, 'server.json')
  const replaceFile = (document: object): void => {
    writeFileSync(`${path}.new`, JSON.stringify(document), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  replaceFile(file)
  const calls: SidecarCall[] = []
  const events: Event[] = []
  const warnings: string[] = []
  const sidecar = await startGate({
    source: { serverFile: path },
    state: memoryState({ since: new Date(0) }),
    proxy: {
      listen: { host: '127.0.0.1', port: 0 },
      upstream: parseUpstream('--upstream', upstream),
      card: 'patch',
      publicPaths: [],
      maxHeaderBytes: 16 * 1024,
      headerTimeoutMs: 10_000,
      upstreamTimeoutMs: 30_000,
      ...proxy,
    },
    identityHeader: 'TotpPeer',
    trusted: new TrustedProxies([]),
    observe: () => ({
      call: (call) => calls.push(call),
      event: (event) => events.push(event),
      opened: () => () => undefined,
      metrics: () => '# EOF\n',
      status: () => ({}),
    }),
    warn: (message) => warnings.push(message),
    ...gate,
  })
  onTestFinished(async () => {
    await sidecar.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { url = '' } = sidecar.listeners.find(({ role }) => role === 'gate') ?? {}
  return { origin: url, port: Number(new URL(url).port), calls, events, warnings, sidecar, replaceFile }
}

/** Token and code of a peer, now. */
export function credentialsOf(peer: PeerName = 'alice'): { authorization: string; 'x-totp': string } {
  return { authorization: `Bearer ${peers[peer].token}`, 'x-totp': codeOf(peer, new Date()) }
}

export interface Sending {
  readonly method?: string
  readonly path?: string
  /** As an object, or as a raw list. */
  readonly headers?: OutgoingHttpHeaders | readonly string[]
  readonly body?: string | Buffer
}

/** Token, code and proof of a peer for a request, now. */
export function signedHeaders(
  { method = 'POST', path = '/', headers = {}, body = '' }: Sending = {},
  peer: PeerName = 'alice',
): Record<string, string> {
  const plain = { ...(headers as Record<string, string>), ...credentialsOf(peer) }
  const request = { method, target: path, headers: plain, body, agent: 'agent' }
  return { ...plain, ...proofOf({ seed: peers[peer].seed, at: new Date(), ...request }) }
}

export interface Received {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly raw: readonly string[]
  readonly body: string
}

/** Sends a request with node:http, which follows nothing and adds nothing but Host and a length. */
export async function ask(
  { port }: { readonly port: number },
  { method = 'POST', path = '/', headers = {}, body }: Sending = {},
): Promise<Received> {
  const response = await new Promise<IncomingMessage>((done, fail) => {
    const sent = send({ host: '127.0.0.1', port, method, path, headers: headers as OutgoingHttpHeaders })
    sent.once('response', done)
    sent.once('error', fail)
    sent.end(body)
  })
  const { statusCode: status = 0, headers: received, rawHeaders: raw } = response
  return { status, headers: received, raw, body: await text(response) }
}
