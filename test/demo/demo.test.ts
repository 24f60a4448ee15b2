import { connect } from 'node:net'
import { join } from 'node:path'
import { DefaultAgentCardResolver } from '@a2a-js/sdk/client'
import { DefaultAgentCardResolver as OlderCardResolver } from 'a2a-sdk-0.3/client'
import { afterEach, describe, expect, it } from 'vitest'
import { readTotpExtension } from '../../src/core/card/extension.js'
import type { CardJson } from '../../src/core/card/shapes.js'
import { defaultProfile } from '../../src/core/profile.js'
import { startDemoAgent, type DemoAgent, type DemoInterface, type DemoOptions } from '../../src/demo/index.js'
import { makeFolder, parseJson, runCli } from '../support/cli.js'
import { Clock, codeOf, headersOf, peers, rosterOf, wrongCodeOf } from '../support/guarded.js'

let demo: DemoAgent | undefined
afterEach(() => demo?.close())

const clock = new Clock()

async function start(given: Partial<DemoOptions> = {}): Promise<{ demo: DemoAgent; lines: string[] }> {
  const lines: string[] = []
  demo = await startDemoAgent({
    roster: rosterOf(),
    port: 0,
    now: clock.now,
    log: (line) => void lines.push(line),
    ...given,
  })
  return { demo, lines }
}

interface Exchange {
  readonly path: string
  readonly body?: object
  /** What an authenticated caller gets for a task that does not exist, and for a message. */
  readonly expected: object | RegExp
}

const uuid = '9d1f0c5e-5b0a-4a6e-8f3c-2b7d6e1a4c90'
const rpc = (method: string, params: object): object => ({ jsonrpc: '2.0', id: 1, method, params })
const notFound = { error: { code: -32001, message: `Task not found: ${uuid}` } }
const olderMessage = { messageId: 'm1', role: 'user', kind: 'message', parts: [{ kind: 'text', text: 'hi' }] }
const olderRestMessage = { messageId: 'm1', role: 'ROLE_USER', content: [{ text: 'hi' }] }
const newerMessage = { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] }

/** Each cell: asking for a task, sending a message, streaming one. */
const cells: Record<string, readonly Exchange[]> = {
  'JSONRPC 1.0': [
    { path: '', body: rpc('GetTask', { id: uuid }), expected: notFound },
    {
      path: '',
      body: rpc('SendMessage', { message: newerMessage }),
      expected: { result: { task: { status: { state: 'TASK_STATE_COMPLETED' } } } },
    },
    {
      path: '',
      body: rpc('SendStreamingMessage', { message: newerMessage }),
      expected: /TASK_STATE_WORKING[^]*alice said: hi[^]*TASK_STATE_COMPLETED/,
    },
  ],
  'HTTP+JSON 1.0': [
    { path: `/tasks/${uuid}`, expected: { error: { code: 404, details: [{ reason: 'TASK_NOT_FOUND' }] } } },
    {
      path: '/message:send',
      body: { message: newerMessage },
      expected: { task: { status: { state: 'TASK_STATE_COMPLETED' } } },
    },
    { path: '/message:stream', body: { message: newerMessage }, expected: /alice said: hi/ },
  ],
  'JSONRPC 0.3': [
    { path: '', body: rpc('tasks/get', { id: uuid }), expected: notFound },
    {
      path: '',
      body: rpc('message/send', { message: olderMessage }),
      expected: { result: { kind: 'task', status: { state: 'completed' } } },
    },
    { path: '', body: rpc('message/stream', { message: olderMessage }), expected: /alice said: hi/ },
  ],
  'HTTP+JSON 0.3': [
    { path: `/v1/tasks/${uuid}`, expected: notFound.error },
    {
      path: '/v1/message:send',
      body: { message: olderRestMessage },
      expected: { task: { status: { state: 'TASK_STATE_COMPLETED' } } },
    },
    { path: '/v1/message:stream', body: { message: olderRestMessage }, expected: /alice said: hi/ },
  ],
}

const nameOf = ({ protocolBinding, protocolVersion }: DemoInterface): string =>
  `${protocolBinding} ${protocolVersion}`

function call(
  { url, protocolVersion }: DemoInterface,
  { path, body }: Exchange,
  headers: Record<string, string>,
): Promise<Response> {
  return fetch(url + path, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...headers,
      'A2A-Version': protocolVersion,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

describe('the demo agent', () => {
  it.each(Object.entries(cells))(
    'serves %s to a peer with both factors, and nobody else',
    async (name, exchanges) => {
      const { demo } = await start()
      const place = demo.interfaces.find((one) => nameOf(one) === name) ?? expect.fail('no such interface')
      const right = headersOf('alice', clock.at)
      for (const exchange of exchanges) {
        for (const factor of ['Authorization', 'X-TOTP']) {
          const { [factor]: left = '' } = right
          expect((await call(place, exchange, { [factor]: left })).status).toBe(401)
        }
        expect((await call(place, exchange, { ...right, 'X-TOTP': codeOf('bob', clock.at) })).status).toBe(
          401,
        )
        const text = await (await call(place, exchange, right)).text()
        if (exchange.expected instanceof RegExp) expect(text).toMatch(exchange.expected)
        else expect(JSON.parse(text)).toMatchObject(exchange.expected)
      }
    },
  )

  it('names in its card the interfaces that it has, and demands both factors', async () => {
    const { demo } = await start({ name: 'echo' })
    const response = await fetch(demo.cardUrl, { headers: { 'A2A-Version': '1.0' } })
    const card = (await response.json()) as { supportedInterfaces: DemoInterface[] }
    expect(card).toMatchObject({
      name: 'echo',
      supportedInterfaces: demo.interfaces,
      securityRequirements: [{ schemes: { bearer: {}, totp: {} } }],
    })
    expect(demo.interfaces.map(nameOf).sort()).toEqual(['GRPC 1.0', 'GRPC 0.3', ...Object.keys(cells)].sort())
    expect(new URL(demo.cardUrl)).toMatchObject({
      hostname: '127.0.0.1',
      pathname: '/.well-known/agent-card.json',
    })
  })

  it.each(['1.0', '0.3'])('says in its card of %s what it does with signed requests', async (version) => {
    const { demo } = await start({ roster: { ...rosterOf(), signed: 'require' } })
    const response = await fetch(demo.cardUrl, { headers: { 'A2A-Version': version } })
    expect(readTotpExtension((await response.json()) as CardJson)).toEqual({
      ...defaultProfile,
      signed: { policy: 'require', profile: 'a2a-totp/proof/v1' },
    })
  })

  it('says so to the clients of SDK 1.3 and 0.3.14', async () => {
    const { demo } = await start({ roster: { ...rosterOf(), signed: 'accept' } })
    const { origin } = new URL(demo.cardUrl)
    const cards = [
      await new DefaultAgentCardResolver().resolve(origin),
      await new OlderCardResolver().resolve(origin),
    ]
    const said = cards.map((card) => readTotpExtension(card as unknown as CardJson)?.signed?.policy)
    expect(said).toEqual(['accept', 'accept'])
  })

  it('lets in a signed request once', async () => {
    const { demo } = await start({ roster: { ...rosterOf(), agent: 'billing', signed: 'require' } })
    const url = `${demo.interfaces.find((one) => nameOf(one) === 'HTTP+JSON 1.0')?.url ?? ''}/tasks/${uuid}`
    const args = ['code', '--json', '--for', 'GET', url, '--with', 'A2A-Version: 1.0']
    const env = {
      A2A_TOTP_AGENT: 'billing',
      A2A_TOTP_SEED: peers.alice.seed.base32,
      A2A_TOTP_TOKEN: peers.alice.token,
    }
    const { headers } = parseJson(await runCli(args, { cwd: makeFolder(), env, now: clock.at }))
    const statuses = []
    for (let n = 0; n < 2; n++)
      statuses.push((await fetch(url, { headers: headers as Record<string, string> })).status)
    expect(statuses).toEqual([404, 401])
    expect((await fetch(url, { headers: headersOf('alice', clock.at) })).status).toBe(401)
  })

  it("goes by the peers' policies: once accepts a code once, from the first call on", async () => {
    const { demo } = await start({ roster: rosterOf('reuse', { replay: 'once' }) })
    const [place = expect.fail('no interface')] = demo.interfaces
    const [exchange = expect.fail('no exchange')] = cells[nameOf(place)] ?? []
    const right = headersOf('alice', clock.at)
    expect((await call(place, exchange, right)).status).toBe(200)
    const again = await call(place, exchange, right)
    expect([again.status, again.headers.get('retry-after')]).toEqual([401, '15'])
  })

  it('serves peers with a shared seed, each by its token', async () => {
    const roster = rosterOf('reuse', { seeds: [] })
    const sharedSeeds = [{ id: 'shared', createdAt: new Date(0), seed: peers.alice.seed }]
    const { demo, lines } = await start({ roster: { ...roster, sharedSeeds } })
    const [place = expect.fail('no interface')] = demo.interfaces
    const [exchange = expect.fail('no exchange')] = cells[nameOf(place)] ?? []
    for (const peer of ['alice', 'bob'] as const) {
      const { Authorization = '' } = headersOf(peer, clock.at)
      await call(place, exchange, { Authorization, 'X-TOTP': codeOf('alice', clock.at) })
    }
    await expect.poll(() => lines.map((line) => line.split(' ')[0])).toEqual(['alice', 'bob'])
  })

  it('writes one line a call: who or why not, what, and how it ended; nothing secret', async () => {
    const { demo, lines } = await start()
    const place =
      demo.interfaces.find((one) => nameOf(one) === 'HTTP+JSON 1.0') ?? expect.fail('no interface')
    const [exchange = expect.fail('no exchange')] = cells[nameOf(place)] ?? []
    const right = headersOf('alice', clock.at)
    const calls = [{}, { ...right, Authorization: 'Bearer nobody' }, right]
    for (const headers of calls) await call(place, { ...exchange, path: '/tasks/t?key=1' }, headers)
    for (let n = 0; n < 6; n++) await call(place, exchange, { ...right, 'X-TOTP': wrongCodeOf(clock.at, n) })
    await fetch(demo.cardUrl)

    // After its answer, so anywhere.
    const note = 'alice: its token may be stolen: rotate it'
    await expect.poll(() => lines).toHaveLength(11)
    expect(lines).toContain(note)
    const path = `/a2a/rest/tasks/${uuid}`
    const guesses = Array.from({ length: 5 }, () => `refused alice (code-wrong) GET ${path} 401 _ ms`)
    const perCall = lines.filter((line) => line !== note)
    expect(perCall.map((line) => line.replace(/\d+ ms$/, '_ ms'))).toEqual([
      'refused (token-missing) GET /a2a/rest/tasks/t 401 _ ms',
      'refused (token-refused) GET /a2a/rest/tasks/t 401 _ ms',
      'alice GET /a2a/rest/tasks/t 404 _ ms',
      ...guesses,
      `refused alice (guesses-exhausted) GET ${path} 429 _ ms`,
      'anyone GET /.well-known/agent-card.json 200 _ ms',
    ])
    const text = lines.join('\n')
    const secrets = Object.values(peers).flatMap(({ seed, token }) => [seed.base32, token])
    const codes = Array.from({ length: 6 }, (_, n) => wrongCodeOf(clock.at, n))
    for (const secret of [
      ...secrets,
      ...codes.filter((code) => !uuid.includes(code)),
      right['X-TOTP'] ?? '',
    ]) {
      expect(text).not.toContain(secret)
    }
  })

  it('says that a port is in use', async () => {
    const { demo } = await start()
    const port = Number(new URL(demo.cardUrl).port)
    const second = startDemoAgent({ roster: rosterOf(), port })
    await expect(second).rejects.toMatchObject({ code: 'ERR_PORT_UNAVAILABLE' })
    await expect(second).rejects.toThrow(`port ${port} is in use`)
  })

  it('stops while connections are open, and frees its port', async () => {
    const { demo } = await start()
    const port = Number(new URL(demo.cardUrl).port)
    const idle = connect(port, '127.0.0.1')
    idle.on('error', () => undefined)
    await new Promise((done) => idle.once('connect', done))
    const ended = new Promise((done) => idle.once('close', done))
    await demo.close()
    await ended
    const again = await startDemoAgent({ roster: rosterOf(), port })
    await again.close()
  })

  it('is protected by a server file, and follows it: a peer that leaves it is refused', async () => {
    const cwd = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd })
    await runCli(['add-peer', 'alice'], { cwd })
    await runCli(['config', 'server', '--out', 'billing.json'], { cwd })
    const { stdout: lines } = await runCli(['code', 'alice', '--headers'], { cwd })
    const headers = lines
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
    demo = await startDemoAgent({ serverFile: join(cwd, 'billing.json'), port: 0 })
    const [{ url } = expect.fail('no interface')] = demo.interfaces
    const status = async (): Promise<number> => {
      const body = JSON.stringify(rpc('GetTask', { id: uuid }))
      const fields = { 'Content-Type': 'application/json', 'A2A-Version': '1.0' }
      return (await fetch(url, { method: 'POST', headers: [...Object.entries(fields), ...headers], body }))
        .status
    }
    expect(await status()).toBe(200)
    await runCli(['remove-peer', 'alice', '--yes'], { cwd })
    await runCli(['config', 'server', '--out', 'billing.json', '--force'], { cwd })
    await expect.poll(status).toBe(401)
    const card = (await (await fetch(demo.cardUrl)).json()) as { name: string }
    expect(card.name).toBe('billing')
  })
})
