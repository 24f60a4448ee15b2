import { ClientFactory } from '@a2a-js/sdk/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import {
  totpAuthenticationHandler,
  totpFetch,
  type TOTPClientAuthSchemeOptions,
  type Wait,
} from '../../src/client/index.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { bindings, message13 } from '../support/messages.js'

let clock: FakeClock
let agent: ClientAgent
let waits: Wait[]
beforeEach(async () => {
  clock = new FakeClock()
  waits = []
  agent = await clientAgent(clock, { replay: 'once' })
})
afterEach(() => agent[Symbol.asyncDispose]())

const schemeOnce = (options: Partial<TOTPClientAuthSchemeOptions> = {}) =>
  schemeOn(clock, { replay: 'once', onWait: (wait) => waits.push(wait), ...options })

const post = (fetch: typeof globalThis.fetch) =>
  fetch(`${agent.origin}/jsonrpc`, { method: 'POST', body: '{}' })

/** Every request passed, each with a code of its own. */
function expectOwnCodes(count: number): void {
  expect(agent.seen.map(({ passed }) => passed)).toEqual(Array.from({ length: count }, () => true))
  expect(new Set(agent.seen.map(({ code }) => code)).size).toBe(count)
}

describe('under policy once', () => {
  it.each(bindings)('calls over %s wait for their steps, and none is refused', async (binding) => {
    const factory = new ClientFactory({ ...totpTransports(schemeOnce()), preferredTransports: [binding] })
    const client = await factory.createFromUrl(agent.origin)
    for (let call = 0; call < 4; call++) {
      expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
      clock.advance(7)
    }
    expectOwnCodes(4)
    expect(waits.map(({ waitMs }) => waitMs)).toEqual([23_000, 23_000, 23_000])
  })

  it('calls at the same time go one a step', async () => {
    let sleeps = 0
    const sleep = async (ms: number) => {
      sleeps++
      while (agent.seen.length < sleeps) await new Promise((done) => setImmediate(done))
      await clock.sleep(ms)
    }
    const fetch = totpFetch(schemeOnce({ maxWaitMs: 300_000, sleep }))
    const responses = await Promise.all(Array.from({ length: 5 }, () => post(fetch)))
    expect(responses.map(({ status }) => status)).not.toContain(401)
    expectOwnCodes(5)
  })

  it('one call too many fails, without having been sent', async () => {
    const fetch = totpFetch(schemeOnce({ sleep: () => new Promise(() => undefined) }))
    await post(fetch)
    const abort = new AbortController()
    const waiting = fetch(agent.origin, { signal: abort.signal })
    await expect(post(fetch)).rejects.toMatchObject({ code: 'ERR_STEP_SPENT' })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    expectOwnCodes(1)
  })

  it('the public card costs no step', async () => {
    const fetch = totpFetch(schemeOnce())
    const card = await fetch(`${agent.origin}/.well-known/agent-card.json`)
    expect(card.status).toBe(200)
    await post(fetch)
    expect(waits).toEqual([])
    expectOwnCodes(1)
  })
})

describe('a step that another process with the same seed spent', () => {
  beforeEach(async () => {
    await post(totpFetch(schemeOn(clock)))
    clock.advance(11)
  })

  it('is answered by waiting for the next one, once', async () => {
    expect((await post(totpFetch(schemeOnce()))).status).toBe(200)
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true, false, true])
    expect(waits.map(({ waitMs }) => waitMs)).toEqual([19_000])
  })

  it('is not tried again by a client that does not know the policy, which warns of that', async () => {
    const warnings: string[] = []
    const fetch = totpFetch(schemeOn(clock, { onWarning: (message) => warnings.push(message) }))
    const [response, another] = [await post(fetch), await post(fetch)]
    expect([response.status, response.headers.get('retry-after')]).toEqual([401, '19'])
    expect(another.status).toBe(401)
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true, false, false])
    expect(warnings).toEqual([expect.stringContaining("replay: 'once'")])
  })

  it('is an error when the wait is longer than the limit', async () => {
    const fetch = totpFetch(schemeOnce({ maxWaitMs: 10_000 }))
    await expect(post(fetch)).rejects.toMatchObject({ code: 'ERR_STEP_SPENT' })
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true, false])
  })

  it('makes an AuthenticationHandler ask for a try with the next one', async () => {
    const handler = totpAuthenticationHandler(schemeOnce())
    const headers = await handler.headers()
    const refused = await fetch(`${agent.origin}/jsonrpc`, { method: 'POST', headers })
    const again = await handler.shouldRetryWithHeaders({ headers }, refused)
    expect(again).toHaveProperty('X-TOTP', clock.code())
    expect(again).not.toEqual(headers)
  })
})
