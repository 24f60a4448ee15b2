import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { AgentCard, Role } from '@a2a-js/sdk'
import {
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
  type Client,
} from '@a2a-js/sdk/client'
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import type * as express from 'express'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { callerStateKey, totpAgentCard, TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { totpGuard } from '../../src/server/express.js'
import { failureOf } from '../support/failure.js'
import {
  Clock,
  codeOf,
  headersOf,
  schemeFor,
  someInstant,
  wrongCodeOf,
  type PeerName,
} from '../support/guarded.js'
import {
  agentOf,
  cardJson,
  testExtension,
  TestServer,
  type RecordingExecutor,
} from '../support/guarded-agent.js'
import { routesOf, type Route } from '../support/routes.js'

const legacyCompat = { enabled: true }
const clock = new Clock()
let server: TestServer
let executor: RecordingExecutor
let routes: Route[]

/** Mounts the SDK's handlers, behind the guard unless somebody forgot it or took another scheme's. */
function mount({ guarded }: { guarded: boolean | 'by another scheme' }): void {
  const agent = agentOf(server.origin)
  executor = agent.executor
  const { scheme } = schemeFor(clock)
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler: agent.requestHandler, userBuilder, contextBuilder, legacyCompat }
  const provider = { agentCardProvider: agent.requestHandler, legacyCompat }
  server.app.use('/.well-known/agent-card.json', agentCardHandler(provider))
  if (guarded === 'by another scheme') server.app.use(totpGuard(schemeFor(clock).scheme))
  else if (guarded) server.app.use(totpGuard(scheme))
  const handlers = { '/a2a/jsonrpc': jsonRpcHandler(options), '/a2a/rest': restHandler(options) }
  for (const [path, handler] of Object.entries(handlers)) server.app.use(path, handler)
  routes = Object.entries(handlers).flatMap(([path, handler]) => routesOf(handler, path))
}

beforeEach(async () => {
  server = await new TestServer().listen()
  // The SDK logs what our builders throw.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await server.close()
})

/** A client of the SDK that sends both factors of a peer. */
function clientOf(peer: PeerName, transport: 'JSONRPC' | 'HTTP+JSON'): Promise<Client> {
  const fetchImpl: typeof fetch = (url, init) => {
    const headers = new Headers(init?.headers)
    for (const [name, value] of Object.entries(headersOf(peer, clock.at))) headers.set(name, value)
    return fetch(url, { ...init, headers })
  }
  return new ClientFactory({
    transports: [new JsonRpcTransportFactory({ fetchImpl }), new RestTransportFactory({ fetchImpl })],
    cardResolver: new DefaultAgentCardResolver(),
    preferredTransports: [transport],
  }).createFromUrl(server.origin)
}

const message = (text: string): Parameters<Client['sendMessage']>[0] => ({
  message: {
    messageId: randomUUID(),
    contextId: '',
    taskId: '',
    role: Role.ROLE_USER,
    parts: [{ content: { $case: 'text', value: text }, metadata: {}, filename: '', mediaType: '' }],
    metadata: {},
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: undefined,
  metadata: {},
  tenant: '',
})

const send = (headers: Record<string, string>): Promise<Response> =>
  fetch(`${server.origin}/a2a/jsonrpc`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0', ...headers },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] } },
    }),
  })

describe('TOTPCallContextBuilder behind the guard', () => {
  beforeEach(() => mount({ guarded: true }))

  it('reports the caller to the executor: the user, and all that is known of the call', async () => {
    const response = await send({
      ...headersOf('alice', someInstant),
      'A2A-Extensions': testExtension,
    })
    expect(response.status).toBe(200)
    const [{ context } = expect.fail('the executor did not run')] = executor.calls
    expect(context.user).toMatchObject({ isAuthenticated: true, userName: 'alice' })
    expect(context.state.get(callerStateKey)).toEqual({
      peer: 'alice',
      seedId: 'seed-1',
      timeStep: 60_000_000,
      drift: 0,
      claims: {},
      proof: 'code',
    })
    expect(context.requestedVersion).toBe('1.0')
    expect([...(context.requestedExtensions ?? [])]).toEqual([testExtension])
    expect(context.state.get('headers')).toMatchObject({ 'a2a-version': '1.0' })
  })

  it.each([
    ['no authorization', { 'X-TOTP': codeOf('alice', someInstant) }],
    ['no code', { Authorization: headersOf('alice', someInstant)['Authorization'] ?? '' }],
    ['an invalid code', { ...headersOf('alice', someInstant), 'X-TOTP': wrongCodeOf(someInstant) }],
    ["another peer's code", { ...headersOf('alice', someInstant), 'X-TOTP': codeOf('bob', someInstant) }],
    [
      'a code five minutes old',
      { ...headersOf('alice', someInstant), 'X-TOTP': codeOf('alice', someInstant, { drift: -10 }) },
    ],
  ])('is not reached with %s', async (_, headers) => {
    const response = await send(headers)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('TOTP realm="a2a"')
    expect(executor.calls).toEqual([])
  })

  it.each(['JSONRPC', 'HTTP+JSON'] as const)(
    "serves the SDK's own client over %s, whole and streamed",
    async (transport) => {
      const client = await clientOf('alice', transport)
      const task = await client.sendMessage(message('hello'))
      expect(JSON.stringify(task)).toContain('alice said: hello')
      const kinds = []
      for await (const { payload } of client.sendMessageStream(message('hello'))) kinds.push(payload?.$case)
      expect(kinds).toEqual(['task', 'artifactUpdate', 'statusUpdate'])
    },
  )

  it.each(['JSONRPC', 'HTTP+JSON'] as const)(
    "keeps one peer's tasks from another over %s",
    async (transport) => {
      const alice = await clientOf('alice', transport)
      const bob = await clientOf('bob', transport)
      const task = await alice.sendMessage(message('for my eyes only'))
      const id = 'id' in task ? task.id : expect.fail('a message came back')
      const query = { id, tenant: '' }
      expect((await alice.getTask(query)).id).toBe(id)
      await expect(bob.getTask(query)).rejects.toThrow(/not found/i)
      await expect(bob.cancelTask({ ...query, metadata: {} })).rejects.toThrow(/not found/i)
    },
  )
})

describe('TOTPCallContextBuilder without the guard of its scheme', () => {
  it.each<[how: string, guarded: Parameters<typeof mount>[0]['guarded'], headers: Record<string, string>]>([
    ['alone, to a request with both factors', false, headersOf('alice', someInstant)],
    ['alone, to a request with none', false, {}],
    ["behind another scheme's guard, to its caller", 'by another scheme', headersOf('alice', someInstant)],
  ])(
    'opens nothing %s: it throws ERR_GUARD_MISSING, and the executor does not run',
    async (_, guarded, headers) => {
      mount({ guarded })
      const response = await send(headers)
      expect(response.status).toBe(500)
      expect(await response.text()).toContain('guard did not let the request pass')
      expect(console.error).toHaveBeenCalledWith(
        expect.any(String),
        expect.objectContaining({ code: 'ERR_GUARD_MISSING' }),
      )
      expect(executor.calls).toEqual([])
    },
  )
})

describe('TOTPCallContextBuilder', () => {
  const { scheme } = schemeFor(clock)
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const guardMissing: unknown = expect.objectContaining({ code: 'ERR_GUARD_MISSING' })

  it('needs a scheme', () => {
    // @ts-expect-error There is no builder without a scheme.
    const forgotten = (): unknown => new TOTPCallContextBuilder()
    expect(failureOf(forgotten)).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('new TOTPCallContextBuilder(scheme)') as string,
    })
  })

  it("rejects a user that another scheme's builder made", async () => {
    const request = new IncomingMessage(new Socket())
    request.rawHeaders.push(...Object.entries(headersOf('alice', clock.at)).flat())
    const passed = new Promise<void>((done) => {
      void totpGuard(scheme)(
        request as express.Request,
        new ServerResponse(request) as express.Response,
        () => done(),
      )
    })
    await passed
    const user = await userBuilder(request)
    const context = { extensions: undefined, user, headers: {} }
    expect(contextBuilder(context).user?.userName).toBe('alice')
    expect(new TOTPCallContextBuilder(scheme).contextBuilder(context).user?.userName).toBe('alice')
    const other = new TOTPCallContextBuilder(schemeFor(clock).scheme)
    expect(() => other.contextBuilder(context)).toThrow(guardMissing)
  })

  it('rejects a request without a verdict, and users that are not its own', async () => {
    await expect(userBuilder({})).rejects.toThrow(guardMissing)
    const forged = { isAuthenticated: true, userName: 'alice', caller: { peer: 'alice' } }
    for (const user of [undefined, forged]) {
      const build = (): unknown => contextBuilder({ extensions: undefined, user, headers: {} })
      expect(build).toThrow(guardMissing)
    }
  })
})

describe('every route that the SDK mounts', () => {
  it('refuses a request without a code, and answers one with it', async () => {
    mount({ guarded: true })
    expect(routes.length).toBeGreaterThan(40)
    for (const { method, path } of routes) {
      const statusWith = async (headers: Record<string, string>): Promise<number> => {
        const response = await fetch(server.origin + path, {
          method,
          headers,
          signal: AbortSignal.timeout(20_000),
        })
        await response.body?.cancel()
        return response.status
      }
      const { Authorization = '', ...code } = headersOf('alice', someInstant)
      expect([method, path, await statusWith({ Authorization })]).toEqual([method, path, 401])
      expect([method, path, await statusWith(code)]).toEqual([method, path, 401])
      expect([method, path, await statusWith({ Authorization, ...code })]).not.toEqual([method, path, 401])
    }
    expect(executor.calls).toEqual([])
  })
})

describe('totpAgentCard', () => {
  const bothSchemes = {
    bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
    totp: { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } },
  }

  it("is served in the specification's shape by the SDK's own handler, for 1.0 and for 0.3", async () => {
    mount({ guarded: true })
    const get = async (version: string): Promise<Record<string, unknown>> => {
      const url = `${server.origin}/.well-known/agent-card.json`
      const response = await fetch(url, { headers: { 'A2A-Version': version } })
      return (await response.json()) as Record<string, unknown>
    }
    const newer = await get('1.0')
    expect(newer).toMatchObject({ securitySchemes: bothSchemes })
    expect(newer['securityRequirements']).toEqual([{ schemes: { bearer: {}, totp: {} } }])
    expect(Object.keys(newer['securitySchemes'] ?? {})).toEqual(['bearer', 'totp'])

    const older = await get('0.3')
    expect(older).toMatchObject({
      securitySchemes: {
        bearer: { type: 'http', scheme: 'Bearer' },
        totp: { type: 'apiKey', in: 'header', name: 'X-TOTP' },
      },
      security: [{ bearer: [], totp: [] }],
    })
    for (const served of [newer, older]) expect(JSON.stringify(served)).not.toContain('$case')
  })

  it('takes a card as JSON or as the SDK holds it, changes neither, and is as good done twice', () => {
    const json = {
      ...cardJson('https://agent.example'),
      securitySchemes: {
        key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
        oauth: bothSchemes.bearer,
      },
      securityRequirements: [{ schemes: { oauth: { list: ['tasks'] } } }],
    }
    const before = structuredClone(json)
    const fromJson = totpAgentCard(json)
    const inMemory = AgentCard.fromJSON(json)
    const fromMemory = totpAgentCard(inMemory)
    expect(json).toEqual(before)
    expect(inMemory).toEqual(AgentCard.fromJSON(before))
    expect(fromMemory).toEqual(fromJson)
    expect(totpAgentCard(fromJson)).toEqual(fromJson)
    expect(AgentCard.toJSON(fromJson)).toMatchObject({
      securitySchemes: { ...json.securitySchemes, totp: bothSchemes.totp },
      securityRequirements: [{ schemes: { oauth: { list: ['tasks'] }, totp: {} } }],
    })
  })

  it("names the profile's header, and refuses a card with a way round bearer", () => {
    const served = JSON.parse(JSON.stringify(totpAgentCard(cardJson('x:'), { header: 'X-Second' }))) as object
    expect(served).toHaveProperty('securitySchemes.totp.apiKeySecurityScheme.name', 'X-Second')
    const open = {
      ...cardJson('x:'),
      securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
      securityRequirements: [{ schemes: { key: { list: [] } } }],
    }
    const invalid: unknown = expect.objectContaining({ code: 'ERR_CARD_INVALID' })
    expect(() => totpAgentCard(open)).toThrow(invalid)
    expect(() => totpAgentCard(open, { replace: true })).not.toThrow()
  })

  it('is still needed: alone, the SDK serves its own form of a security scheme', async () => {
    const plain = AgentCard.fromJSON({ ...cardJson('x:'), securitySchemes: bothSchemes })
    server.app.use('/card', agentCardHandler({ agentCardProvider: () => Promise.resolve(plain) }))
    expect(await (await fetch(`${server.origin}/card`)).text()).toContain('$case')
  })
})
