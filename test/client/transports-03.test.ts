import * as sdk03 from 'a2a-sdk-0.3/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { bindings, collect, message03 } from '../support/messages.js'

// As it is for those who have SDK 0.3.14 installed under its own name.
vi.mock('@a2a-js/sdk/client', () => import('a2a-sdk-0.3/client'))
vi.mock('@a2a-js/sdk/client/grpc', () => import('a2a-sdk-0.3/client/grpc'))

let clock: FakeClock
let agent: ClientAgent
beforeEach(async () => {
  clock = new FakeClock()
  agent = await clientAgent(clock)
})
afterEach(() => agent[Symbol.asyncDispose]())

type Options03 = Pick<sdk03.ClientFactoryOptions, 'transports' | 'cardResolver'>

const factoryFor = (binding: string) => {
  const transports = totpTransports(schemeOn(clock), { onWarning: (message) => expect.fail(message) })
  return new sdk03.ClientFactory({
    ...(transports as unknown as Options03),
    preferredTransports: [binding],
  })
}

it.each(bindings)('a client of SDK 0.3.14 calls over %s with a fresh code each time', async (binding) => {
  const client = await factoryFor(binding).createFromUrl(agent.origin)
  expect(JSON.stringify(await client.sendMessage(message03))).toContain('alice said: hi')
  clock.advance(90)
  expect(JSON.stringify(await collect(client.sendMessageStream(message03)))).toContain('alice said: hi')
  clock.advance(90)
  await expect(client.getTask({ id: 'none' })).rejects.toThrow(/not found|NOT_FOUND/i)
  clock.advance(90)
  await expect(collect(client.resubscribeTask({ id: 'none' }))).rejects.toThrow(/not found|NOT_FOUND/i)
  expect(agent.seen.map(({ passed }) => passed)).toEqual([true, true, true, true])
  expect(new Set(agent.seen.map(({ code }) => code)).size).toBe(4)
})

it.each(bindings)('an interface elsewhere makes no client of SDK 0.3.14 for %s', async (binding) => {
  const url = (binding === 'GRPC' ? agent.grpc : agent.origin).replace('127.0.0.1', 'localhost')
  const card = (own: Record<string, unknown>) => ({
    ...own,
    supportedInterfaces: [{ url, protocolBinding: binding, protocolVersion: '0.3' }],
  })
  await using lying = await clientAgent(clock, { card })
  await expect(factoryFor(binding).createFromUrl(lying.origin)).rejects.toMatchObject({
    code: 'ERR_HOST_FORBIDDEN',
  })
})
