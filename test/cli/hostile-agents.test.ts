import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { cardFor } from '../support/agent-card.js'
import { makeFolder, runCli, type CliRun } from '../support/cli.js'
import { expectHarmlessText, hostile } from '../support/hostile-text.js'
import { alice } from '../support/probing.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Json = Record<string, unknown>
type Refusal = (request: IncomingMessage) => string

/** What cannot be in a header line at all: a proxy or a parser would not pass it on either. */
const field = hostile.replace(/[\n\r\0]/g, ' ')

const withBody = (head: readonly string[], body: string): string =>
  [...head, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', body].join('\r\n')

/** The fields that are read from a refusal, each with hostile text. */
const fields = [
  `Content-Type: application/json; charset=${field}`,
  `Date: ${field}`,
  `Retry-After: ${field}`,
  `WWW-Authenticate: Bearer realm="${field}"`,
  `WWW-Authenticate: TOTP realm="${field}", header="${field}"`,
  `Server: ${field}`,
]
const error = {
  code: hostile,
  status: hostile,
  message: hostile,
  data: [hostile],
  details: [{ reason: hostile }],
}

const refusals: Readonly<Record<string, Refusal>> = {
  'a refusal': () => withBody([`HTTP/1.1 401 ${field}`, ...fields], JSON.stringify({ error })),
  'a 403': () => withBody([`HTTP/1.1 403 ${field}`, ...fields], JSON.stringify({ error })),
  'a server error': () => withBody([`HTTP/1.1 500 ${field}`, ...fields], hostile),
  'a redirect': () =>
    withBody([`HTTP/1.1 307 ${field}`, ...fields, `Location: http://127.0.0.1:1/${field}`], hostile),
  'a redirect to nowhere': () => withBody([`HTTP/1.1 302 ${field}`, `Location: ${field}`], hostile),
  'a success': () =>
    withBody(
      ['HTTP/1.1 200 OK', 'Content-Type: application/json'],
      JSON.stringify({ jsonrpc: '2.0', id: hostile, result: { [hostile]: hostile, kind: hostile }, error }),
    ),
  'an event stream': () =>
    withBody(
      ['HTTP/1.1 200 OK', 'Content-Type: text/event-stream'],
      `event: ${field}\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: 1, error })}\n\n`,
    ),
  HTML: () =>
    withBody([`HTTP/1.1 404 ${field}`, `Content-Type: text/html ${field}`], `<html>${hostile}</html>`),
  'no HTTP': () => `${field}\r\n\r\n`,
}

const isCard = ({ url = '' }: IncomingMessage): boolean => url.startsWith('/.well-known/')

/** An agent whose answers are written to the socket as they are. */
async function startAgent(refuse: Refusal, editCard: (card: Json, origin: string) => Json): Promise<string> {
  const server = createServer((request) => {
    request.resume()
    const origin = `http://${request.headers.host ?? ''}`
    const version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
    const card = (): string => JSON.stringify(editCard(cardFor(version, origin, 'X-TOTP'), origin))
    const answer = isCard(request)
      ? withBody(['HTTP/1.1 200 OK', 'Content-Type: application/json'], card())
      : refuse(request)
    request.socket.end(answer)
  }).listen(0, '127.0.0.1')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Every text of a card, and every name that is free, hostile; addresses keep their beginning, so that they are tried. */
function hostileCard(card: Json, origin: string): Json {
  const other = { [hostile]: hostile }
  return {
    ...card,
    ...other,
    name: hostile,
    description: hostile,
    version: hostile,
    provider: { organization: hostile, url: hostile },
    skills: [{ id: hostile, name: hostile, description: hostile, tags: [hostile], security: [other] }],
    securitySchemes: { [hostile]: { type: hostile, scheme: hostile, name: hostile, in: hostile, ...other } },
    security: [{ [hostile]: [hostile] }],
    securityRequirements: [{ schemes: { [hostile]: { list: [hostile] } } }],
    capabilities: { extensions: [{ uri: hostile, params: other }] },
    additionalInterfaces: [
      { url: `${origin}/${hostile}`, transport: 'JSONRPC' },
      { url: hostile, transport: 'HTTP+JSON' },
      { url: `http://${hostile}`, transport: hostile },
    ],
    supportedInterfaces: [
      { url: `${origin}/${hostile}`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: hostile, protocolBinding: 'GRPC', protocolVersion: '1.0' },
      { url: `${origin}/?${hostile}`, protocolBinding: hostile, protocolVersion: hostile, tenant: hostile },
    ],
  }
}

const formats = [
  'pretty',
  'json',
  'junit',
  'tap',
  'markdown',
  'github',
  'sarif',
  'html',
  'openmetrics',
] as const
const elements = 'testsuites|testsuite|properties|property|testcase|failure|skipped|system-out|system-err'

/** What one format of the report must not hold on top. */
function expectNoMarkup(format: (typeof formats)[number], text: string): void {
  if (format === 'json') expect(JSON.parse(text)).toMatchObject({ version: 1, ok: false })
  if (format === 'junit') {
    expect(text.replace(new RegExp(`</?(${elements})[ />]|<\\?xml `, 'g'), '')).not.toContain('<')
    expect(text.replaceAll(/&(amp|lt|gt|quot|apos);/g, '')).not.toContain('&')
  }
  if (format === 'markdown') {
    // Code spans are verbatim.
    const marked = text.replace(/`[^`\n]*`/g, '')
    expect(marked).not.toMatch(/[<`]|\]\(/)
  }
}

/** @returns all reports, to see what the agent said in them */
async function expectHarmlessProbe(args: readonly string[], cwd: string): Promise<string> {
  const env = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32, A2A_TOTP_AGENT: hostile }
  const reports: string[] = []
  for (const format of formats) {
    const { stdout, stderr }: CliRun = await runCli(['probe', ...args, '--format', format], { cwd, env })
    expect(stdout).not.toBe('')
    expectHarmlessText(stderr)
    // The annotations of ours begin a line.
    const own = format === 'github' ? /^::(error|warning|notice) title=[^:]*::/gm : /(?!)/g
    expectHarmlessText(stdout.replace(own, ''))
    expectNoMarkup(format, stdout)
    reports.push(stdout)
  }
  return reports.join('\n')
}

describe('what a hostile agent says is raw in no format of the report', () => {
  it.each(Object.keys(refusals))('as %s', async (name) => {
    const url = await startAgent(refusals[name] ?? String, (card) => card)
    await expectHarmlessProbe([url], makeFolder())
  })

  it('in any text of its card', async () => {
    const url = await startAgent(refusals['a refusal'] ?? String, hostileCard)
    expect(await expectHarmlessProbe([url], makeFolder())).toContain('set-output')
  })

  it('instead of its card', async () => {
    const server = createServer((request) =>
      request.socket.end(`HTTP/1.1 302 ${field}\r\nLocation: ${field}\r\n\r\n`),
    )
    server.listen(0, '127.0.0.1')
    closing.push(() => server.close())
    await once(server, 'listening')
    await expectHarmlessProbe([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], makeFolder())
  })

  it.each([
    ['refused', grpc.status.UNAUTHENTICATED],
    ['failed', grpc.status.INTERNAL],
    ['of its own', grpc.status.FAILED_PRECONDITION],
  ])('as the details of a gRPC status: %s', async (_, code) => {
    const metadata = new grpc.Metadata()
    metadata.set('www-authenticate', `TOTP realm="${hostile.replace(/[^ -~]/g, ' ')}"`)
    const server = new grpc.Server({
      interceptors: [
        (_method, call) =>
          new grpc.ServerInterceptingCall(call, {
            start: (next) => {
              next()
              call.sendStatus({ code, details: hostile, metadata })
            },
          }),
      ],
    })
    const pass = (value: Buffer): Buffer => value
    const method = {
      requestStream: false,
      responseStream: false,
      requestSerialize: pass,
      requestDeserialize: pass,
      responseSerialize: pass,
      responseDeserialize: pass,
    }
    server.addService(
      { getTask: { ...method, path: '/lf.a2a.v1.A2AService/GetTask' } },
      {
        getTask: (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, Buffer.alloc(0)),
      },
    )
    const port = await new Promise<number>((done, fail) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? fail(error) : done(bound),
      ),
    )
    closing.push(() => server.forceShutdown())
    const url = await startAgent(refusals['a refusal'] ?? String, (card) => ({
      ...card,
      supportedInterfaces: [
        { url: `http://127.0.0.1:${port}`, protocolBinding: 'GRPC', protocolVersion: '1.0' },
      ],
    }))
    const reports = await expectHarmlessProbe([url, '--binding', 'grpc', '--protocol', '1.0'], makeFolder())
    expect(reports).toContain('set-output')
  })

  it('where another command asks it, or reads its card', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd })
    const harmless = async (...args: string[]): Promise<void> => {
      for (const all of [args, ['--json', ...args]]) {
        const { stdout, stderr } = await runCli(all, { cwd })
        expectHarmlessText(stdout)
        expectHarmlessText(stderr)
      }
    }
    for (const refuse of Object.values(refusals))
      await harmless('doctor', '--clock', await startAgent(refuse, (card) => card))
    for (const version of ['0.3', '1.0'] as const) {
      const card = hostileCard(cardFor(version, 'http://127.0.0.1:1', 'X-TOTP'), 'http://127.0.0.1:1')
      writeFileSync(join(cwd, 'card.json'), JSON.stringify(card))
      for (const replace of [[], ['--replace']])
        await harmless('config', 'card', '--merge', 'card.json', '--protocol', version, ...replace)
    }
  })
})
