import { SendMessageRequest } from '@a2a-js/sdk'
import {
  ClientFactory,
  createAuthenticatingFetchWithRetry,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client'
import * as sdk03 from 'a2a-sdk-0.3/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpAuthenticationHandler, totpFetch } from '../../src/client/index.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { sdkAgent, type SdkAgent } from '../support/sdk-agent.js'

type Fetch = typeof globalThis.fetch

let clock: FakeClock
let agent: SdkAgent
beforeEach(async () => {
  clock = new FakeClock()
  agent = await sdkAgent(clock)
})
afterEach(() => agent[Symbol.asyncDispose]())

/** Every seam, for both SDK lines: each makes a fetch that authenticates. */
const seams: Record<string, () => Fetch> = {
  totpFetch: () => totpFetch(schemeOn(clock)),
  'the AuthenticationHandler of SDK 1.3': () =>
    createAuthenticatingFetchWithRetry(fetch, totpAuthenticationHandler(schemeOn(clock))),
  'the AuthenticationHandler of SDK 0.3.14': () =>
    sdk03.createAuthenticatingFetchWithRetry(fetch, totpAuthenticationHandler(schemeOn(clock))),
}

function client13(fetchImpl: Fetch, binding: string) {
  const options = { fetchImpl, legacyCompat: { enabled: true } }
  return new ClientFactory({
    transports: [new JsonRpcTransportFactory(options), new RestTransportFactory(options)],
    cardResolver: new DefaultAgentCardResolver(options),
    preferredTransports: [binding],
  }).createFromUrl(agent.origin)
}

function client03(fetchImpl: Fetch, binding: string) {
  return new sdk03.ClientFactory({
    transports: [
      new sdk03.JsonRpcTransportFactory({ fetchImpl }),
      new sdk03.RestTransportFactory({ fetchImpl }),
    ],
    cardResolver: new sdk03.DefaultAgentCardResolver({ fetchImpl }),
    preferredTransports: [binding],
  }).createFromUrl(agent.origin)
}

const message13 = () =>
  SendMessageRequest.fromJSON({ message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] } })

const message03: Parameters<sdk03.Client['sendMessage']>[0] = {
  message: {
    kind: 'message',
    messageId: 'm1',
    role: 'user',
    parts: [{ kind: 'text', text: 'hi' }],
  },
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = []
  for await (const event of stream) events.push(event)
  return events
}

/** Every request passed, and each had the code of its own moment. */
function expectFreshCodes(count: number): void {
  expect(agent.visits.map(({ passed }) => passed)).toEqual(Array.from({ length: count }, () => true))
  expect(new Set(agent.visits.map(({ code }) => code)).size).toBe(count)
}

describe.each(Object.entries(seams))('%s', (_name, seam) => {
  it.each(['JSONRPC', 'HTTP+JSON'])(
    'lets a client of SDK 1.3 fetch the card, send, stream and ask over %s, a fresh code each time',
    async (binding) => {
      const client = await client13(seam(), binding)
      clock.advance(90)
      expect(await client.sendMessage(message13())).toMatchObject({ messageId: 'reply' })
      clock.advance(90)
      const events = await collect(client.sendMessageStream(message13()))
      expect(JSON.stringify(events)).toContain('hello')
      clock.advance(90)
      await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
      expectFreshCodes(4)
    },
  )

  it.each(['JSONRPC', 'HTTP+JSON'])(
    'lets a client of SDK 0.3.14 fetch the card, send, stream and ask over %s, a fresh code each time',
    async (binding) => {
      const client = await client03(seam(), binding)
      clock.advance(90)
      expect(await client.sendMessage(message03)).toMatchObject({ messageId: 'reply' })
      clock.advance(90)
      expect(JSON.stringify(await collect(client.sendMessageStream(message03)))).toContain('hello')
      clock.advance(90)
      await expect(client.getTask({ id: 'none' })).rejects.toThrow(/not found/i)
      expectFreshCodes(4)
    },
  )
})

describe.each(Object.entries(seams))('with a window of 0 and %s', (_name, seam) => {
  it('a request that crosses the turn of a step is answered', async () => {
    let late = true
    await using strict = await sdkAgent(clock, {
      window: 0,
      onVisit: () => {
        if (late) clock.advance(1)
        late = false
      },
    })
    clock.advance(29.5)
    const response = await seam()(`${strict.origin}/.well-known/agent-card.json`)
    expect(response.status).toBe(200)
    expect(strict.visits.map(({ passed }) => passed)).toEqual([false, true])
  })

  it('a code that is simply wrong is sent once', async () => {
    const wrong = new FakeClock()
    wrong.advance(600)
    await using strict = await sdkAgent(wrong, { window: 0 })
    const response = await seam()(`${strict.origin}/.well-known/agent-card.json`)
    expect(response.status).toBe(401)
    expect(strict.visits).toHaveLength(1)
  })
})

describe('an AuthenticationHandler', () => {
  const refused = new Response('', { status: 401 })

  it('asks for no retry with a code that the caller set, or that is not there', async () => {
    const handler = totpAuthenticationHandler(schemeOn(clock))
    for (const headers of [{ 'X-TOTP': '000000' }, {}] as Record<string, string>[]) {
      expect(await handler.shouldRetryWithHeaders({ headers }, refused)).toBeUndefined()
    }
  })

  it('asks for a retry after a 401 only', async () => {
    const handler = totpAuthenticationHandler(schemeOn(clock))
    const headers = await handler.headers()
    clock.advance(30)
    for (const status of [200, 403, 429, 500]) {
      expect(await handler.shouldRetryWithHeaders({ headers }, new Response('', { status }))).toBeUndefined()
    }
    expect(await handler.shouldRetryWithHeaders({ headers }, refused)).toEqual(await handler.headers())
  })
})
