import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/probe/index.js'
import { makeFolder, runCli } from '../support/cli.js'
import {
  credentials,
  jsonrpc,
  refusal,
  rest,
  served,
  startPlainAgent,
  type Answering,
  type Call,
  type PlainAgent,
  type PlainAgentOptions,
  type Reply,
} from '../support/plain-agent.js'

const rpcAlone = { interfaces: (origin: string) => [jsonrpc(`${origin}/rpc`)] }
const restAlone = { interfaces: (origin: string) => [rest(`${origin}/rest`)] }

interface Probed {
  readonly exitCode: number
  readonly report: ProbeReport
  readonly agent: PlainAgent
}

async function probe(options: PlainAgentOptions, args: readonly string[] = [], path = ''): Promise<Probed> {
  const agent = await startPlainAgent(options)
  try {
    const run = await runCli(['probe', agent.url + path, '--json', ...args], {
      cwd: makeFolder(),
      env: credentials,
    })
    return { exitCode: run.exitCode, report: JSON.parse(run.stdout) as ProbeReport, agent }
  } finally {
    await agent.close()
  }
}

/** The ids of what failed, each once. */
const failures = ({ report }: Probed): string[] => [
  ...new Set(report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id)),
]
const warnings = ({ report }: Probed): string[] => [
  ...new Set(report.checks.filter(({ status }) => status === 'warn').map(({ id }) => id)),
]
const detailOf = ({ report }: Probed, id: string): string => {
  const { actual = '', detail = '' } = report.checks.find((check) => check.id === id) ?? {}
  return `${actual} ${detail}`
}

/** Answers what is no request for the card. */
const toCalls =
  (answer: Answering): Answering =>
  (call, usual) =>
    call.path.startsWith('/.well-known') ? undefined : answer(call, usual)
/** Answers callers with right credentials. */
const toRight = (reply: (call: Call) => Reply): Answering =>
  toCalls((call) => (call.credentials === 'right' ? reply(call) : undefined))
const rpcError = ({ rpc }: Call, code: number, message: string): Reply => ({
  status: 200,
  body: { jsonrpc: '2.0', id: rpc.id ?? null, error: { code, message } },
})

describe('what was never let in was never shown:', () => {
  const limited = (reply: Reply): Answering =>
    toCalls(({ credentials: brought }) =>
      ['bearer', 'wrong code', 'right'].includes(brought) ? reply : undefined,
    )

  it.each<[string, Reply]>([
    ['429 and a wait', { status: 429, headers: { 'retry-after': '1' }, body: 'Too many requests' }],
    ['429 in JSON', { status: 429, body: { error: { code: 429, message: 'too many requests' } } }],
    ['a long wait', { status: 429, headers: { 'retry-after': '3600' } }],
  ])('a live token that gets %s, and nothing else', async (_, reply) => {
    const started = performance.now()
    const probed = await probe({ ...rpcAlone, answer: limited(reply) })
    expect([probed.exitCode, probed.report.ok, probed.report.guessesSpent]).toEqual([1, false, 0])
    expect(failures(probed)).toEqual(['coverage', 'auth.valid'])
    // A limit on one token is no reason to be slow with every other request.
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

describe('coverage names an interface that was not shown, and nothing else fails for it:', () => {
  const other = (entry: (origin: string) => unknown): PlainAgentOptions => ({
    interfaces: (origin) => [jsonrpc(`${origin}/rpc`), entry(origin) as object],
  })
  const entry = (url: string, protocolBinding = 'HTTP+JSON', protocolVersion = '1.0') => ({
    ...{ url, protocolBinding, protocolVersion },
  })
  const narrow = ['--only', 'auth.none,auth.valid,coverage']

  it.each<[string, (origin: string) => unknown, string]>([
    ['at another port of loopback', () => entry('http://127.0.0.1:9/rest'), '127.0.0.1:9'],
    ['at another address of loopback', (o) => entry(o.replace('0.0.1', '0.0.2')), 'another host'],
    ['at another host', () => entry('https://other.invalid/a2a'), 'other.invalid'],
    ['for gRPC at another host', () => entry('ipv4:10.0.0.1:50051', 'GRPC'), '10.0.0.1:50051'],
    ['by a WebSocket', (o) => entry(o.replace('http', 'ws'), 'WEBSOCKET'), 'WEBSOCKET'],
    ['of an unknown transport', (o) => entry(`${o}/rest`, 'json-rpc-2.0'), 'json-rpc-2.0'],
    ['of version 2.0', (o) => entry(`${o}/rest`, 'HTTP+JSON', '2.0'), '2.0'],
    ['of version v1.0', (o) => entry(`${o}/rest`, 'HTTP+JSON', 'v1.0'), 'v1.0'],
    ['by ftp', () => entry('ftp://127.0.0.1/rest'), 'ftp://'],
    ['without a scheme', (o) => entry(o.replace('http://', '')), 'neither'],
    ['by a Unix socket', () => entry('unix:/run/agent.sock', 'GRPC'), 'unix:'],
    ['without an address', () => ({ protocolBinding: 'HTTP+JSON' }), 'no address'],
    ['that is a text', () => 'http://127.0.0.1', 'not an object'],
    ['that is nothing', () => null, 'not an object'],
    ['at 0.0.0.0', (o) => entry(o.replace('127.0.0.1', '0.0.0.0')), 'listening address'],
    ['at [::]', (o) => entry(o.replace('127.0.0.1', '[::]')), 'listening address'],
    ['at 0', (o) => entry(o.replace('127.0.0.1', '0')), 'listening address'],
    ['for gRPC at 0.0.0.0', () => entry('0.0.0.0:50051', 'GRPC'), 'listening address'],
  ])('%s', async (_, make, word) => {
    const probed = await probe(other(make), narrow)
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['coverage']])
    expect(detailOf(probed, 'coverage')).toContain(word)
    expect(probed.report.diagnosis).toContain('the card names')
  })

  it.each<[string, Reply]>([
    ['bare 404', { status: 404 }],
    ['405', { status: 405, headers: { allow: 'POST' } }],
    ['404 in HTML', { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>no</html>' }],
    ['404 in JSON', { status: 404, body: { detail: 'Not Found' } }],
  ])('that answers everyone %s', async (_, reply) => {
    const probed = await probe({ answer: ({ path }) => (path.startsWith('/rest') ? reply : undefined) })
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['coverage']])
  })

  it.each<[string, PlainAgentOptions, string]>([
    [
      'gRPC at a port without HTTP/2',
      { interfaces: (o) => [jsonrpc(`${o}/rpc`), entry(o.replace('http://', ''), 'GRPC')] },
      'HTTP/2',
    ],
    [
      'REST that hangs up on everyone',
      { answer: ({ path }) => (path.startsWith('/rest') ? 'close' : undefined) },
      'ended without an answer',
    ],
    [
      'REST in a coding that nobody asked for',
      {
        answer: ({ path }, usual) => {
          const reply = usual()
          const headers = { ...reply.headers, 'content-encoding': 'zstd' }
          return path.startsWith('/rest') ? { ...reply, headers } : undefined
        },
      },
      'zstd',
    ],
  ])('%s, where auth.valid says why too', async (_, options, word) => {
    const probed = await probe(options)
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['coverage', 'auth.valid']])
    expect(detailOf(probed, 'coverage')).toContain(word)
    expect(probed.report.diagnosis).toContain('no answer that can be read')
  })

  it('gRPC at a closed port, which was not reached', async () => {
    const probed = await probe({ interfaces: (o) => [jsonrpc(`${o}/rpc`), entry('127.0.0.1:9', 'GRPC')] })
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['coverage']])
    expect(detailOf(probed, 'coverage')).toContain('ECONNREFUSED')
    expect(probed.report.diagnosis).toContain('ECONNREFUSED')
  })
})

describe('an interface is read that is written', () => {
  it.each<[string, (origin: string) => string, string, string]>([
    ['as a path', () => '/rest', '/rest', 'relative to the card'],
    ['as a path upward', () => '../rest', '/rest', 'relative to the card'],
    ['without a scheme', (o) => `${o.replace('http:', '')}/rest`, '/rest', 'relative to the card'],
    ['with a name and a password', (o) => `${o.replace('//', '//u:p@')}/rest`, '/rest', 'not sent'],
    ['with a query', (o) => `${o}/rest?tenant=a`, '/rest', 'query not sent'],
    ['with a fragment', (o) => `${o}/rest#a`, '/rest', 'fragment dropped'],
  ])('%s, with a remark', async (_, url, path, remark) => {
    const probed = await probe({ interfaces: (origin) => [rest(url(origin))] }, ['--only', 'coverage'])
    expect([probed.exitCode, failures(probed)]).toEqual([0, []])
    expect(detailOf(probed, 'coverage')).toContain(remark)
    const called = probed.agent.calls.filter((call) => !call.path.startsWith('/.well-known'))
    expect(called.every((call) => call.path.startsWith(path) && !call.path.includes('?'))).toBe(true)
  })
})

describe('a door that is open fails auth.doors alone, by its name:', () => {
  const openFor = (method: string, reply: (call: Call) => Reply): Answering =>
    toCalls((call) => (call.rpc.method === method ? reply(call) : undefined))

  it.each<[string, (call: Call) => Reply]>([
    ['SendMessage', served],
    ['SendStreamingMessage', served],
    ['CancelTask', served],
    ['message/send', served],
    ['tasks/resubscribe', served],
    [
      'ListTasks',
      ({ rpc }) => ({ status: 200, body: { jsonrpc: '2.0', id: rpc.id, result: { tasks: [] } } }),
    ],
    ['tasks/pushNotificationConfig/set', (call) => rpcError(call, -32602, 'invalid parameters')],
    ['GetTaskPushNotificationConfig', () => ({ status: 500, body: 'oops' })],
  ])('%s', async (method, reply) => {
    const probed = await probe({ ...rpcAlone, answer: openFor(method, reply) }, ['--only', 'auth.doors'])
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['auth.doors']])
    expect(detailOf(probed, 'auth.doors')).toContain(method)
  })

  it.each([
    ['POST', /message:send$/],
    ['GET', /\/tasks(\?|$)/],
    ['DELETE', /pushNotificationConfigs/],
  ])('%s over REST, for the token alone', async (method, path) => {
    const opened = toCalls((call) =>
      call.credentials === 'bearer' && call.method === method && path.test(call.path)
        ? { status: 200, body: {} }
        : undefined,
    )
    const probed = await probe({ ...restAlone, answer: opened }, ['--only', 'auth.doors'])
    expect([probed.exitCode, failures(probed)]).toEqual([1, ['auth.doors']])
  })

  it('and a method that nobody has is none', async () => {
    const answer = toCalls((call) =>
      /Push|push|List|list|Extended/.test(call.rpc.method ?? '')
        ? rpcError(call, -32601, 'Method not found')
        : undefined,
    )
    expect((await probe({ ...rpcAlone, answer }, ['--only', 'auth.doors', '--strict'])).exitCode).toBe(0)
  })
})

describe('admitted is judged by comparing with the refusals, with words last:', () => {
  it.each<[string, PlainAgentOptions, readonly string[]]>([
    [
      '-32001 "not found or access denied"',
      {
        ...rpcAlone,
        answer: toRight((call) => rpcError(call, -32001, 'Task X not found or access denied')),
      },
      [],
    ],
    [
      '-32001 "access denied"',
      { ...rpcAlone, answer: toRight((call) => rpcError(call, -32001, 'access denied')) },
      ['auth.valid'],
    ],
    [
      '-32601 to everything',
      { ...rpcAlone, answer: toRight((call) => rpcError(call, -32601, 'Method not found')) },
      ['auth.valid'],
    ],
    [
      '-32004',
      { ...rpcAlone, answer: toRight((call) => rpcError(call, -32004, 'not supported')) },
      ['auth.valid'],
    ],
    [
      'a 404 that is not HTML',
      { ...restAlone, answer: toRight(() => ({ status: 404, body: { detail: 'Not Found' } })) },
      ['auth.valid'],
    ],
    [
      '403 for a task that is missing',
      {
        ...restAlone,
        answer: toRight(() => ({
          status: 403,
          body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'Task not found or not yours' } },
        })),
      },
      ['auth.valid'],
    ],
  ])('%s is let in', async (_, options, warned) => {
    const probed = await probe(options)
    expect([probed.exitCode, failures(probed), warnings(probed)]).toEqual([0, [], warned])
    const skipped = probed.report.checks.filter(({ status }) => status === 'skip').map(({ id }) => id)
    expect(skipped).not.toContain('auth.after-valid')
  })

  it.each<[string, PlainAgentOptions]>([
    ['a 404 in HTML', { ...restAlone, answer: toRight(() => ({ status: 404, body: '<html></html>' })) }],
    ['-32009', { ...rpcAlone, answer: toRight((call) => rpcError(call, -32009, 'version')) }],
    ['a page with 200', { ...rpcAlone, answer: toRight(() => ({ status: 200, body: '<html>hi</html>' })) }],
    ['nothing with 200', { ...rpcAlone, answer: toRight(() => ({ status: 200 })) }],
    [
      '-32001 "Unauthorized" like all',
      {
        ...rpcAlone,
        answer: toCalls((call) => rpcError(call, -32001, 'Unauthorized')),
      },
    ],
  ])('%s shows nothing', async (_, options) => {
    const probed = await probe(options)
    expect([probed.exitCode, probed.report.guessesSpent]).toEqual([1, 0])
    expect(failures(probed)).toContain('coverage')
  })

  it('TaskNotFound for everyone is an agent that demands nothing, and it says so first', async () => {
    const probed = await probe({ ...rpcAlone, answer: toCalls((call) => served(call)) })
    expect(failures(probed)).toContain('auth.none')
    expect(probed.report).toMatchObject({
      diagnosis: expect.stringContaining('demands no credentials at all') as string,
      explain: 'auth.none',
    })
  })
})

describe('a refusal of a stream is read as a stream:', () => {
  const error = JSON.stringify(
    { jsonrpc: '2.0', id: 1, error: { code: -32050, message: 'Unauthorized' } },
    null,
    2,
  )
  const lines = error.split('\n').map((line) => `data: ${line}`)
  it.each([
    ['over several lines', `${lines.join('\n')}\n\n`],
    ['with CRLF', `${lines.join('\r\n')}\r\n\r\n`],
    ['with CR', `${lines.join('\r')}\r\r`],
    ['split in the middle', 'data: {"error":{"code":-32050,\ndata: "message":\ndata: "Unauthorized"}}\n\n'],
    ['after a comment and other fields', `: hi\n\nretry: 100\nid: 1\nevent: error\n${lines.join('\n')}\n\n`],
    ['after a byte order mark', `\uFEFFdata:${error.replaceAll('\n', '')}\n\n`],
    ['without an end', `data: ${error.replaceAll('\n', '')}`],
  ])('%s', async (_, body) => {
    const answer = toCalls((call) =>
      call.rpc.method === 'SubscribeToTask' && call.credentials !== 'right'
        ? { status: 200, headers: { 'content-type': 'text/event-stream' }, body }
        : undefined,
    )
    const probed = await probe({ ...rpcAlone, answer }, ['--only', 'auth.stream'])
    expect([probed.exitCode, failures(probed)]).toEqual([0, []])
    expect(probed.report.checks.find(({ id }) => id === 'auth.stream')?.status).toBe('pass')
  })
})

describe('a 400 to a doubled field is proper, whoever answers:', () => {
  const html = { 'content-type': 'text/html' }
  it.each<[string, Reply | 'close']>([
    ['nginx', { status: 400, headers: html, body: '<html><center>nginx/1.24.0</center></html>' }],
    ['Envoy', { status: 400, headers: { server: 'envoy' } }],
    [
      'HAProxy',
      { status: 400, headers: html, body: '<html><h1>400 Bad request</h1>\nYour browser sent</html>' },
    ],
    ['the agent', { status: 400, body: { error: 'bad request' } }],
    ['who hangs up', 'close'],
  ])('%s', async (_, reply) => {
    const answer = toCalls(({ headers }) =>
      String(headers['x-totp'] ?? '').includes(',') ? reply : undefined,
    )
    const only = ['--only', 'auth.duplicate-header,auth.malformed-code,status,uniform', '--strict']
    const probed = await probe({ ...rpcAlone, answer }, only)
    expect([probed.exitCode, failures(probed), warnings(probed)]).toEqual([0, [], []])
  })
})

describe('a card is read that is', () => {
  const asCard = (change: (text: string) => Reply): PlainAgentOptions => ({
    ...rpcAlone,
    answer: ({ path }, usual) =>
      path === '/.well-known/agent-card.json' ? change(JSON.stringify(usual().body)) : undefined,
  })
  const sent = (body: Buffer | string, headers: Reply['headers'] = {}): Reply => ({
    ...{ status: 200, body },
    headers: { 'content-type': 'application/json', ...headers },
  })
  const only = ['--only', 'card.fetch,card.totp,coverage']

  it.each<[string, PlainAgentOptions, readonly string[]]>([
    ['gzip', asCard((text) => sent(gzipSync(text), { 'content-encoding': 'gzip' })), []],
    ['br', asCard((text) => sent(brotliCompressSync(text), { 'content-encoding': 'br' })), []],
    ['deflate', asCard((text) => sent(deflateSync(text), { 'content-encoding': 'deflate' })), []],
    ['marked', asCard((text) => sent(`\uFEFF${text}`)), []],
    ['UTF-16', asCard((text) => sent(Buffer.from(`\uFEFF${text}`, 'utf16le'))), []],
    ['called text', asCard((text) => sent(text, { 'content-type': 'text/plain' })), []],
    [
      'at agent.json alone',
      {
        ...rpcAlone,
        cardPath: '/.well-known/agent.json',
        answer: ({ path }) => (path.endsWith('agent-card.json') ? { status: 404 } : undefined),
      },
      ['card.fetch'],
    ],
    [
      'behind the guard',
      {
        ...rpcAlone,
        answer: (call) =>
          call.path.startsWith('/.well-known') && call.credentials !== 'right' ? refusal(call) : undefined,
      },
      ['card.fetch'],
    ],
  ])('%s', async (_, options, warned) => {
    const probed = await probe(options, only)
    expect([probed.exitCode, failures(probed)]).toEqual([0, []])
    expect(warnings(probed).filter((id) => warned.includes(id))).toEqual(warned)
  })

  it('not larger than it may be when it is unpacked', async () => {
    const probed = await probe(
      asCard(() => sent(gzipSync(Buffer.alloc(20_000_000)), { 'content-encoding': 'gzip' })),
      ['--only', 'card.fetch,coverage'],
    )
    expect(failures(probed)).toEqual(['coverage'])
    expect(detailOf(probed, 'coverage')).toContain('longer than')
  })

  it('the one that was asked for: its 401 is reported, not the 404 elsewhere', async () => {
    const answer: Answering = ({ path }) => ({ status: path.startsWith('/x/') ? 401 : 404 })
    const probed = await probe({ ...rpcAlone, answer }, [], '/x/agent-card.json')
    expect(detailOf(probed, 'coverage')).toMatch(/\/x\/agent-card\.json answers HTTP 401/)
    expect(detailOf(probed, 'coverage')).not.toContain('404')
  })
})

describe('the clock is read in all forms of a date, with the age of the answer:', () => {
  const dated = (format: (at: Date) => string, age?: number): PlainAgentOptions => ({
    ...rpcAlone,
    answer: (_, usual) => {
      const reply = usual()
      const date = format(new Date(Date.now() - (age ?? 0) * 1000))
      const aged: Reply['headers'] = age === undefined ? {} : { age: String(age) }
      return { ...reply, headers: { ...reply.headers, date, ...aged } }
    },
  })
  const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
  const imf = (at: Date): string => at.toUTCString()
  const rfc850 = (at: Date): string => {
    const [, day, month, year = '', time] = at.toUTCString().split(' ')
    return `${days[at.getUTCDay()] ?? ''}, ${day ?? ''}-${month ?? ''}-${year.slice(2)} ${time ?? ''} GMT`
  }
  const asctime = (at: Date): string => {
    const [name = '', day, month, year, time] = at.toUTCString().split(' ')
    return `${name.slice(0, 3)} ${month ?? ''} ${String(Number(day)).padStart(2)} ${time ?? ''} ${year ?? ''}`
  }

  it.each<[string, PlainAgentOptions]>([
    ['IMF-fixdate', dated(imf)],
    ['RFC 850', dated(rfc850)],
    ['asctime', dated(asctime)],
    ['an hour old, of a cache', dated(imf, 3600)],
  ])('%s', async (_, options) => {
    const probed = await probe(options, ['--only', 'clock'])
    expect(probed.report.summary).toMatchObject({ passed: 1, warned: 0 })
  })

  it('what is wrong warns', async () => {
    const late = dated((at) => rfc850(new Date(at.getTime() - 300_000)))
    expect(warnings(await probe(late, ['--only', 'clock']))).toEqual(['clock'])
  })
})
