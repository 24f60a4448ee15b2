import { ClientFactory } from '@a2a-js/sdk/client'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import type { TOTPClientAuthSchemeOptions } from '../../src/client/index.js'
import { clientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { bindings, collect, message13 } from '../support/messages.js'
import { agentName, signedAgent, type SignedServerOptions } from '../support/signed-agent.js'

let clock: FakeClock
beforeEach(() => {
  clock = new FakeClock()
})

async function clientFor(
  binding: string,
  origin: string,
  options: Partial<TOTPClientAuthSchemeOptions> = {},
) {
  const scheme = schemeOn(clock, { agent: agentName, ...options })
  const transports = totpTransports(scheme, { onWarning: () => undefined })
  return new ClientFactory({ ...transports, preferredTransports: [binding] }).createFromUrl(origin)
}

async function serving(options: SignedServerOptions = {}) {
  const agent = await signedAgent(clock, options)
  onTestFinished(() => agent[Symbol.asyncDispose]())
  return agent
}

describe.each(bindings)('a client of SDK 1.3 over %s', (binding) => {
  it.each(['reuse', 'once'] as const)('signs every call, under %s', async (replay) => {
    const agent = await serving({ replay })
    const client = await clientFor(binding, agent.origin, { replay, signed: 'require' })
    expect(JSON.stringify(await client.sendMessage(message13()))).toContain('hello')
    expect(JSON.stringify(await collect(client.sendMessageStream(message13())))).toContain('hello')
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found|NOT_FOUND/i)
    await expect(collect(client.resubscribeTask({ id: 'none', tenant: '' }))).rejects.toThrow(
      /not found|NOT_FOUND/i,
    )
    expect(agent.arrived.map(({ verdict }) => verdict)).toEqual(['signed', 'signed', 'signed', 'signed'])
    expect(new Set(agent.arrived.map(({ header }) => header('x-totp'))).size).toBe(1)
    expect(new Set(agent.arrived.map(({ header }) => header('signature'))).size).toBe(4)
    for (const { header } of agent.arrived) {
      expect(header('a2a-version')).not.toBe('')
      expect(header('signature-input')).toContain('"a2a-version"')
    }
  })

  it('is served by an agent that knows no proofs', async () => {
    await using agent = await clientAgent(clock)
    const client = await clientFor(binding, agent.origin)
    expect(JSON.stringify(await client.sendMessage(message13()))).toContain('alice said: hi')
    expect(JSON.stringify(await collect(client.sendMessageStream(message13())))).toContain('alice said: hi')
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true, true])
  })
})

it('the guard of Express lets signed reads in, any number in a step', async () => {
  await using agent = await clientAgent(clock, { replay: 'once', signed: 'require' })
  const client = await clientFor('HTTP+JSON', agent.origin, { replay: 'once', signed: 'require' })
  for (let count = 0; count < 3; count++) {
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
  }
  expect(agent.seen.map(({ passed }) => passed)).toEqual([true, true, true])
  expect(new Set(agent.seen.map(({ code }) => code)).size).toBe(1)
})
