import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { TOTPClientAuthScheme, totpFetch, totpFetchFromFile } from '../../src/client/index.js'
import { makeFolder } from '../support/cli.js'
import { record } from '../support/recording-server.js'
import { fileFor, put, startOne, threeAgents } from '../support/several-agents.js'

const soon = { timeout: 8000, interval: 50 }

/** Without warnings of the process. */
const quiet = (): { warnings: string[]; onWarning: (message: string) => void } => {
  const warnings: string[] = []
  return { warnings, onWarning: (message) => void warnings.push(message) }
}

describe('a client file of three agents', () => {
  it('gives each of them a scheme, whose requests that agent lets in', async () => {
    const { agents, file } = await threeAgents()
    for (const { name, origin } of agents) {
      const scheme = TOTPClientAuthScheme.fromFile(file, { agent: name })
      expect(scheme.agent).toBe(name)
      const response = await totpFetch(scheme)(origin, { method: 'POST', body: '{}' })
      expect(await response.text()).toBe(`${name} heard alice`)
      scheme.close()
    }
  })

  it('is an error without the name of one, and for the name of another, which says what it has', async () => {
    const { file } = await threeAgents()
    expect(() => TOTPClientAuthScheme.fromFile(file)).toThrow(
      `client file ${file}: it has several agents; name one of billing, stock, orders`,
    )
    expect(() => TOTPClientAuthScheme.fromFile(file, { agent: 'desk' })).toThrow(
      `client file ${file}: it does not have the agent desk; it has billing, stock, orders`,
    )
  })

  it('leaves an agent that leaves it what it had, with a warning', async () => {
    const { agents, file } = await threeAgents()
    const [billing, stock, orders] = agents
    const { warnings, onWarning } = quiet()
    const scheme = TOTPClientAuthScheme.fromFile(file, { agent: 'stock', onWarning })
    put(file, await fileFor([billing, orders]))
    await vi.waitFor(() => expect(warnings).toHaveLength(1), soon)
    expect(warnings[0]).toMatch(/does not have the agent stock; it has billing, orders .*stay in force/)
    expect((await totpFetch(scheme)(stock.origin)).status).toBe(200)
    scheme.close()
  })
})

describe('totpFetchFromFile', () => {
  it('calls each agent with its own credentials, by the origin of the request', async () => {
    const { agents, file } = await threeAgents()
    const fetch = totpFetchFromFile(file)
    for (const { name, origin, tokens, entry } of agents) {
      const given = [`${origin}/rpc`, new URL('/rpc', origin), new Request(`${origin}/rpc`)]
      for (const target of given) {
        expect(await (await fetch(target, { method: 'POST', body: '{}' })).text()).toBe(`${name} heard alice`)
      }
      expect(new Set(tokens)).toEqual(new Set([(await entry())['token']]))
    }
    fetch.close()
  })

  it('sends nothing to an origin that none of them has, nor after a redirect to another of them', async () => {
    const { agents, file } = await threeAgents()
    const [billing, stock] = agents
    await using stranger = await record()
    await using leading = await record((_, response) =>
      response.writeHead(307, { location: `${stock.origin}/` }).end(),
    )
    put(
      file,
      await fileFor([
        stock,
        { name: 'billing', entry: async () => ({ ...(await billing.entry()), url: leading.origin }) },
      ]),
    )
    const fetch = totpFetchFromFile(file)
    await expect(fetch(stranger.origin)).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
      message: `no agent of the client file is at ${stranger.origin}; it has stock at ${stock.origin}, billing at ${leading.origin}`,
    })
    await fetch(leading.origin, { method: 'POST', body: '{}' }).catch(() => undefined)
    expect(leading.requests).toHaveLength(1)
    expect([stranger.requests, stock.tokens]).toEqual([[], []])
    fetch.close()
  })

  it('follows the file: agents join and leave it, and a broken one leaves the last good one in force', async () => {
    const { agents, file } = await threeAgents()
    const [billing, stock] = agents
    const { warnings, onWarning } = quiet()
    const fetch = totpFetchFromFile(file, { onWarning })
    const desk = await startOne('desk')
    put(file, await fileFor([stock, desk]))
    await vi.waitFor(async () => expect((await fetch(desk.origin)).status).toBe(200), soon)
    await expect(fetch(billing.origin)).rejects.toMatchObject({ code: 'ERR_HOST_FORBIDDEN' })
    expect(warnings).toEqual([])
    writeFileSync(file, '{"version":1')
    await vi.waitFor(() => expect(warnings).toHaveLength(1), soon)
    expect(warnings[0]).toMatch(/not JSON.*stay in force/)
    expect((await fetch(stock.origin)).status).toBe(200)
    put(file, await fileFor([stock]))
    const other = totpFetchFromFile(file)
    fetch.close()
    put(file, await fileFor([billing]))
    await vi.waitFor(async () => expect((await other(billing.origin)).status).toBe(200), soon)
    expect((await fetch(stock.origin)).status).toBe(200)
    other.close()
  })

  it('takes no agent from a file in which another cannot be used', async () => {
    await using agent = await record()
    const entry = (token: string) => () =>
      Promise.resolve({ url: agent.origin, token: token.repeat(43), seed: 'A'.repeat(32) })
    const file = join(makeFolder(), 'alice.json')
    const content = (token: string) => fileFor([{ name: 'billing', entry: entry(token) }])
    put(file, await content('o'))
    const { warnings, onWarning } = quiet()
    const fetch = totpFetchFromFile(file, { onWarning })
    // An agent without a name cannot be signed for.
    const unnamed = { ...(await entry('u')()), url: 'http://127.0.0.1:1/', signed: 'require' }
    put(file, JSON.stringify({ ...(JSON.parse(await content('n')) as object), ...unnamed }))
    await vi.waitFor(() => expect(warnings).toHaveLength(1), soon)
    expect(warnings[0]).toMatch(/stay in force/)
    await fetch(agent.origin)
    const fields = agent.requests[0]?.fields.map(([, value]) => value)
    expect(fields).toContain(`Bearer ${'o'.repeat(43)}`)
    fetch.close()
  })

  it('keeps the queue of a seed that stays: under once no time step is used twice', async () => {
    await using agent = await record()
    const entry =
      (token = 't'.repeat(43)) =>
      () =>
        Promise.resolve({
          url: agent.origin,
          token,
          seed: 'A'.repeat(32),
          replay: 'once',
        })
    const file = join(makeFolder(), 'alice.json')
    put(file, await fileFor([{ name: 'billing', entry: entry() }]))
    let at = 0
    const sleep = vi.fn((ms: number) => Promise.resolve(void (at += ms)))
    const fetch = totpFetchFromFile(file, { now: () => new Date(at), sleep, sign: 'never' })
    await fetch(agent.origin)
    put(file, await fileFor([{ name: 'billing', entry: entry('n'.repeat(43)) }]))
    const fields = (): string[] => agent.requests.at(-1)?.fields.map(([, value]) => value) ?? []
    await vi.waitFor(async () => {
      await fetch(agent.origin)
      expect(fields()).toContain(`Bearer ${'n'.repeat(43)}`)
    }, soon)
    const codes = agent.requests.map(({ fields }) => fields.find(([name]) => name === 'x-totp')?.[1])
    expect(new Set(codes).size).toBe(codes.length)
    fetch.close()
  })

  it.each([
    ['agents.stock.url is missing', { url: null }],
    ['agents.stock.seed: ', { seed: '0189' }],
  ])('is an error at the start with a file that cannot be used: %s', async (message, changed) => {
    const { agents, file } = await threeAgents()
    const [billing, stock] = agents
    const entry = async () => ({ ...(await stock.entry()), ...changed })
    put(file, await fileFor([billing, { name: 'stock', entry }]))
    expect(() => totpFetchFromFile(file)).toThrow(`client file ${file}: ${message}`)
  })

  it('is an error where two agents have one origin, which names both', async () => {
    const { agents, file } = await threeAgents()
    const [billing, stock] = agents
    const entry = async () => ({ ...(await stock.entry()), url: `${billing.origin}/stock` })
    put(file, await fileFor([billing, { name: 'stock', entry }]))
    expect(() => totpFetchFromFile(file)).toThrow(
      `client file ${file}: the agents billing and stock are both at ${billing.origin}; make a scheme for each, with the option agent`,
    )
  })
})
