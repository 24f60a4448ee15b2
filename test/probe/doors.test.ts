import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LegacyA2AService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { jsonRpcHandler, UserBuilder, restHandler } from '@a2a-js/sdk/server/express'
import { A2AService } from '@a2a-js/sdk/server/grpc'
import { restHandler as olderRestHandler } from 'a2a-sdk-0.3/server/express'
import { A2AService as OlderA2AService } from 'a2a-sdk-0.3/server/grpc'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { startDemoAgent } from '../../src/demo/index.js'
import { bindingOf } from '../../src/probe/bindings/index.js'
import { encodeRequest } from '../../src/probe/bindings/grpc-message.js'
import { doorsOf } from '../../src/probe/bindings/methods.js'
import { checks, probe, type ProbeReport } from '../../src/probe/index.js'
import { cellsOf, type BindingName, type ProtocolVersion } from '../../src/probe/target/cells.js'
import { discover } from '../../src/probe/target/discovery.js'
import { HttpClient } from '../../src/probe/wire/http.js'
import { totpCardHandler, totpGuard } from '../../src/server/express.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { memoryState } from '../../src/state/memory-state.js'
import { agent03 } from '../support/agent-03.js'
import { sendJson, type Quirks } from '../support/broken-agent.js'
import { demoRoster } from '../support/demo-roster.js'
import { agentOf, TestServer } from '../support/guarded-agent.js'
import {
  alice,
  bob,
  findings,
  findingsByCell,
  probeAgent,
  probeOptions,
  stillClock,
} from '../support/probing.js'
import { routesOf } from '../support/routes.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const namesAt = (binding: BindingName, protocol: ProtocolVersion): string[] =>
  doorsOf(binding, protocol)
    .filter(({ method }) => method !== 'invented')
    .map(({ name }) => name)
    .sort()

/** What agents serve although no SDK for JavaScript does. */
const besides = ['tasks/list', 'GET /v1/tasks']

/** The names with which a JSON-RPC handler of the SDK compares a method, in its source. */
function methodsIn(source: string, handler: string): string[] {
  const start = source.indexOf('async handle(', source.indexOf(handler))
  const end = source.indexOf('isRequestValid(rpcRequest) {', start)
  expect([start > 0, end > start]).toEqual([true, true])
  const names = source.slice(start, end).matchAll(/(?:case|method [!=]==) "([A-Za-z/]+)"/g)
  return [...new Set(Array.from(names, ([, name = '']) => name))].sort()
}

const sourceOf = (specifier: string): string =>
  readFileSync(
    createRequire(import.meta.url)
      .resolve(specifier)
      .replace(/\.cjs$/, '.js'),
    'utf8',
  )

describe('the methods that are tried are those of the SDKs:', () => {
  const newer = sourceOf('@a2a-js/sdk/server/express')

  it('JSON-RPC', () => {
    expect(namesAt('jsonrpc', '1.0')).toEqual(methodsIn(newer, 'var JsonRpcTransportHandler'))
    expect(namesAt('jsonrpc', '0.3').filter((name) => !besides.includes(name))).toEqual(
      methodsIn(newer, 'var LegacyJsonRpcTransportHandler'),
    )
  })

  it('REST', () => {
    const { requestHandler } = agentOf('http://127.0.0.1:1')
    const userBuilder = UserBuilder.noAuthentication
    const served = (handler: object): string[] =>
      routesOf(handler, '').map(({ method, path }) => `${method} ${path}`)
    const both = served(restHandler({ requestHandler, userBuilder, legacyCompat: { enabled: true } }))
    // The same routes once more, for tenants.
    const ofNobody = both.filter((route) => !route.includes(' /x/'))
    const all = (protocol: ProtocolVersion): string[] =>
      namesAt('rest', protocol)
        .filter((name) => !besides.includes(name))
        .map((name) => name.replaceAll(/\{id\}|NoSuchTenantOfA2A/g, 'x'))
    const ofTenants = all('1.0').filter((route) => route.includes(' /x/'))
    expect(ofTenants).toHaveLength(3)
    expect(both).toEqual(expect.arrayContaining(ofTenants))
    const ours = (protocol: ProtocolVersion): string[] =>
      all(protocol).filter((route) => !ofTenants.includes(route))
    expect([...ours('1.0'), ...ours('0.3')].sort()).toEqual([...new Set(ofNobody)].sort())
    const older = served(olderRestHandler({ requestHandler, userBuilder } as never))
    expect(ours('0.3').sort()).toEqual(older.sort())
  })

  const services: readonly (readonly [ProtocolVersion, ServiceDefinition])[] = [
    ['1.0', A2AService],
    ['0.3', LegacyA2AService],
    ['0.3', OlderA2AService],
  ]

  it.each(services)('gRPC of %s', (protocol, service) => {
    const paths = Object.values(service).map(({ path }) => path.slice(1))
    expect(namesAt('grpc', protocol)).toEqual(paths.sort())
  })

  it.each(services)('in gRPC of %s the requests are what its messages are', (protocol, service) => {
    for (const { path, requestDeserialize, requestSerialize } of Object.values(service)) {
      const door = doorsOf('grpc', protocol).find(({ name }) => name === path.slice(1))
      if (!door) throw new Error(`no door ${path}`)
      const bytes = encodeRequest(protocol, { name: 'door', taskId: 'no-such', door }, 'me').subarray(5)
      const read = requestDeserialize(Buffer.from(bytes)) as Record<string, unknown>
      expect(Buffer.from(requestSerialize(read))).toEqual(Buffer.from(bytes))
      if (protocol === '1.0') expect(read['tenant']).toBe('me')
      const isOfTask = !['send', 'stream', 'list', 'card'].includes(door.method)
      expect(JSON.stringify(read).includes('no-such')).toBe(isOfTask)
    }
  })
})

const clock = stillClock(new Date())
const schemeNow = (): TOTPServerAuthScheme =>
  new TOTPServerAuthScheme({
    peerSeeds: { alice: alice.seed, bob: bob.seed },
    tokenToPeer: { [alice.token]: 'alice', [bob.token]: 'bob' },
    replay: 'reuse',
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
  })

/** Calls every method in every cell with right credentials, as if nothing were guarded. */
async function callEveryDoor(url: string): Promise<string[]> {
  const client = new HttpClient({ timeoutMs: 20_000, now: clock.now })
  closers.push(() => {
    client.close()
    return Promise.resolve()
  })
  const { interfaces } = await discover(client, new URL(url))
  const code = generateCode(alice.seed, defaultProfile, clock.now())
  const fields = [
    ['Authorization', `Bearer ${alice.token}`],
    ['X-TOTP', code],
  ] as const
  const called: string[] = []
  for (const cell of cellsOf(interfaces, new URL(url), probeOptions(url, clock))) {
    const binding = bindingOf(cell, client)
    for (const protocol of ['1.0', '0.3'] as const) {
      for (const door of doorsOf(cell.binding, protocol)) {
        const taskId = `no-${randomBytes(8).toString('hex')}`
        const answer = await binding.send('beside', { name: 'door', taskId, door }, fields)
        called.push(`${cell.binding} ${cell.protocol} ${door.name} ${answer.summary}`)
        expect(answer.status).not.toBeNull()
      }
    }
  }
  return called
}

describe('nothing happens where such a call is let in:', () => {
  // The SDK writes each refused stream there.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
  afterEach(() => void vi.restoreAllMocks())

  it('no task is made at @a2a-js/sdk 1.3', async () => {
    const demo = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
    closers.push(() => demo.close())
    const called = await callEveryDoor(demo.cardUrl)
    expect(called.length).toBeGreaterThan(120)
    // What is listed at the end, by the peer that called everything, is empty.
    const list = called.filter((line) => line.includes('ListTasks') || line.includes('GET /tasks '))
    expect(list.length).toBeGreaterThan(2)
    const code = generateCode(alice.seed, defaultProfile, clock.now())
    const url = demo.interfaces.find(({ protocolBinding }) => protocolBinding === 'HTTP+JSON')?.url ?? ''
    const tasks = await fetch(`${url}/tasks`, {
      headers: { Authorization: `Bearer ${alice.token}`, 'X-TOTP': code, 'A2A-Version': '1.0' },
    })
    expect(await tasks.json()).toMatchObject({ tasks: [], totalSize: 0 })
  })

  it('the executor of @a2a-js/sdk 0.3.14 is not reached', async () => {
    const reached: string[] = []
    const agent = await agent03(schemeNow(), {
      execute: () => Promise.resolve(void reached.push('execute')),
      cancelTask: () => Promise.resolve(void reached.push('cancel')),
    })
    closers.push(async () => agent[Symbol.asyncDispose]())
    const called = await callEveryDoor(agent.origin)
    expect(called.length).toBeGreaterThan(60)
    expect(reached).toEqual([])
  })
})

const doorsIn = ({ checks: all }: ProbeReport): Record<string, string> =>
  Object.fromEntries(
    all
      .filter(({ id }) => id === 'auth.doors')
      .map(({ binding, protocolVersion, status, detail }) => [
        `${binding} ${protocolVersion}`,
        `${status} ${detail}`.trim(),
      ]),
  )

describe('auth.doors', () => {
  it('passes at the demo in each cell, and no call of a run is throttled', async () => {
    const lines: string[] = []
    const demo = await startDemoAgent({
      ...{ roster: demoRoster(clock.now()), port: 0, now: clock.now },
      log: (line) => lines.push(line),
    })
    closers.push(() => demo.close())
    for (let run = 1; run <= 3; run++) {
      const report = await probe({ ...probeOptions(demo.cardUrl, clock), timeoutMs: 20_000 })
      expect(findings(report)).toEqual({})
      expect(Object.keys(doorsIn(report))).toHaveLength(6)
    }
    expect(lines.length).toBeGreaterThan(600)
    expect(lines.filter((line) => / (429|RESOURCE_EXHAUSTED) \d+ ms$/.test(line))).toEqual([])
  })

  it('fails where message/send alone is open, and auth.none passes', async () => {
    const { report } = await probeAgent({ waves: ({ operation }) => operation === 'send' })
    expect(doorsIn(report)).toEqual({
      'jsonrpc 1.0': 'fail let in with no credentials: SendMessage; let in with the token alone: SendMessage',
      'jsonrpc 0.3':
        'fail let in with no credentials: message/send; let in with the token alone: message/send',
      'rest 1.0':
        'fail let in with no credentials: POST /message:send; let in with the token alone: POST /message:send',
      'rest 0.3':
        'fail let in with no credentials: POST /v1/message:send; let in with the token alone: POST /v1/message:send',
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
  })

  it.each<[string, Quirks['waves']]>([
    ['list', ({ operation }) => operation === 'list'],
    ['stream', ({ operation }) => operation === 'stream'],
  ])('fails where "%s" is open, in each cell', async (_, waves) => {
    const { report } = await probeAgent({ ...(waves && { waves }) })
    const failing = Object.entries(doorsIn(report)).filter(([, line]) => line.startsWith('fail'))
    const cells = ['jsonrpc 0.3', 'jsonrpc 1.0', 'rest 0.3', 'rest 1.0']
    expect(failing.map(([cell]) => cell).sort()).toEqual(cells)
  })

  it('fails where the routes that the SDK serves below any tenant are not guarded', async () => {
    const server = await new TestServer().listen()
    closers.push(() => server.close())
    const { requestHandler, card } = agentOf(server.origin)
    const guard = totpGuard(schemeNow())
    const named = /^\/a2a\/(jsonrpc|rest\/(message:|tasks|extendedAgentCard|v1))/
    const common = {
      requestHandler,
      userBuilder: UserBuilder.noAuthentication,
      legacyCompat: { enabled: true },
    }
    server.app.use((request, response, next) => {
      if (named.test(request.path)) guard(request, response, next)
      else next()
    })
    server.app.use('/.well-known/agent-card.json', totpCardHandler(card))
    server.app.use('/a2a/jsonrpc', jsonRpcHandler(common))
    server.app.use('/a2a/rest', restHandler(common))
    const stranger = await fetch(`${server.origin}/a2a/rest/any/tasks`, { headers: { 'A2A-Version': '1.0' } })
    expect(stranger.status).toBe(200)
    const report = await probe({ ...probeOptions(server.origin, clock), binding: 'rest' })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
    const open =
      'POST /NoSuchTenantOfA2A/message:send, GET /NoSuchTenantOfA2A/tasks/{id}, GET /NoSuchTenantOfA2A/tasks'
    expect(doorsIn(report)['rest 1.0']).toBe(
      `fail let in with no credentials: ${open}; let in with the token alone: ${open}`,
    )
  })

  it('tries the names of both versions where the card names one', async () => {
    const { report, agent } = await probeAgent(
      { waves: ({ version, operation }) => version === '0.3' && operation === 'send' },
      { protocol: '1.0', binding: 'jsonrpc' },
    )
    expect(doorsIn(report)['jsonrpc 1.0']).toContain('message/send')
    expect(agent.guesses.size).toBeLessThanOrEqual(4)
  })

  it('names a method that fails with a server error, and says so', async () => {
    const { report } = await probeAgent({
      answers: (response, { operation }, { authorization }) => {
        if (operation !== 'push' || authorization.length > 0) return false
        sendJson(response, 500, { error: { code: 500, message: 'boom' } })
        return true
      },
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
    expect(doorsIn(report)['jsonrpc 0.3']).toContain(
      'answered HTTP 500 with no credentials: tasks/pushNotificationConfig/set',
    )
  })

  const openly =
    (code: number, message: string): NonNullable<Quirks['answers']> =>
    (response, { operation, binding }) => {
      if (!['push', 'card', 'stream'].includes(operation)) return false
      if (binding === 'rest') sendJson(response, code === -32601 ? 501 : 400, { code, message })
      else sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code, message } })
      return true
    }

  it.each([
    [-32601, 'Method not found'],
    [-32003, 'Push Notification is not supported'],
    [-32004, 'This operation is not supported'],
    [-32007, 'Authenticated Extended Card is not configured'],
  ])('takes a method that the agent has for nobody for none: %i', async (code, message) => {
    const { report } = await probeAgent({ answers: openly(code, message) })
    expect(findings(report)).toEqual({})
  })

  it('fails where parameters are looked at before credentials', async () => {
    const { report } = await probeAgent({ answers: openly(-32602, 'Invalid params') })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
  })

  it('takes an extended card that says no more than the public one for none', async () => {
    let publicCard: unknown
    const { report } = await probeAgent({
      card: (card) => (publicCard ??= card),
      answers: (response, { operation, binding }) => {
        if (operation !== 'card') return false
        sendJson(
          response,
          200,
          binding === 'rest' ? publicCard : { jsonrpc: '2.0', id: 1, result: publicCard },
        )
        return true
      },
    })
    expect(findings(report)).toEqual({})
  })

  it.each([404, 405])('takes a route that answers as an invented one does for none: %i', async (status) => {
    const { report } = await probeAgent({
      answers: (response, { binding, operation }) => {
        if (binding !== 'rest' || !['unknown', 'list', 'push', 'card'].includes(operation)) return false
        sendJson(response, status, { error: { code: status, status: 'NOT_FOUND', message: 'no such path' } })
        return true
      },
    })
    expect(findings(report)).toEqual({})
  })

  it('sends no message where even GetTask is open', async () => {
    const sent: string[] = []
    const { report } = await probeAgent({
      waves: ({ operation, name }) => {
        if (operation === 'send' || operation === 'stream') sent.push(name)
        return true
      },
    })
    expect(sent).toEqual([])
    expect(doorsIn(report)['rest 0.3']).toContain('POST /v1/tasks/{id}:cancel')
  })

  it('leaves a gap, and no pass, where a limiter answered for the agent', async () => {
    const { report } = await probeAgent({
      answers: (response, { operation }) => {
        if (operation !== 'push') return false
        sendJson(response, 429, { error: { code: 429, message: 'slower' } })
        return true
      },
    })
    expect(findings(report)).toEqual({ coverage: 'fail' })
    const gap = report.checks.find(({ id }) => id === 'coverage')?.detail
    expect(gap).toContain('CreateTaskPushNotificationConfig')
  })

  it('tries the methods of gRPC too', async () => {
    const { report } = await probeAgent({}, { grpc: true })
    expect(findings(report)).toEqual({})
    expect(Object.keys(findingsByCell(report))).toContain('grpc 0.3')
  })

  it('needs what it compares with', () => {
    expect(checks['auth.doors'].needs).toEqual(['auth.none', 'auth.bearer-only'])
  })
})
