import * as sdk03 from 'a2a-sdk-0.3/client'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { bindings, collect, message03 } from '../support/messages.js'
import { agentName, signedAgent } from '../support/signed-agent.js'

// As it is for those who have SDK 0.3.14 installed under its own name.
vi.mock('@a2a-js/sdk/client', () => import('a2a-sdk-0.3/client'))
vi.mock('@a2a-js/sdk/client/grpc', () => import('a2a-sdk-0.3/client/grpc'))

let clock: FakeClock
beforeEach(() => {
  clock = new FakeClock()
})

type Options03 = Pick<sdk03.ClientFactoryOptions, 'transports' | 'cardResolver'>

it.each(bindings)('a client of SDK 0.3.14 signs every call over %s', async (binding) => {
  const agent = await signedAgent(clock, { replay: 'once' })
  onTestFinished(() => agent[Symbol.asyncDispose]())
  const scheme = schemeOn(clock, { agent: agentName, replay: 'once', signed: 'require' })
  const transports = totpTransports(scheme, { onWarning: () => undefined })
  const factory = new sdk03.ClientFactory({
    ...(transports as unknown as Options03),
    preferredTransports: [binding],
  })
  const client = await factory.createFromUrl(agent.origin)
  expect(JSON.stringify(await client.sendMessage(message03))).toContain('hello')
  expect(JSON.stringify(await collect(client.sendMessageStream(message03)))).toContain('hello')
  await expect(client.getTask({ id: 'none' })).rejects.toThrow(/not found|NOT_FOUND/i)
  await expect(collect(client.resubscribeTask({ id: 'none' }))).rejects.toThrow(/not found|NOT_FOUND/i)
  expect(agent.arrived.map(({ verdict }) => verdict)).toEqual(['signed', 'signed', 'signed', 'signed'])
  expect(new Set(agent.arrived.map(({ header }) => header('x-totp'))).size).toBe(1)
})
