import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { makeFolder, runCli } from '../support/cli.js'
import { freePorts } from '../support/free-ports.js'
import { startProxyProcess, type Listener } from '../support/proxy-process.js'
import { fileFor, put, startOne, threeAgents } from '../support/several-agents.js'

const post = async (url: string | undefined): Promise<string> => {
  const response = await fetch(url ?? '', { method: 'POST', body: '{}' })
  return response.ok ? response.text() : `${response.status} ${await response.text()}`
}

const at = (listeners: readonly Listener[], agent: string): string | undefined =>
  listeners.find((one) => one.agent === agent)?.url

const soon = { timeout: 8000, interval: 100 }

describe('a2a-totp proxy with a client file of several agents', () => {
  it('has a listener for each, calls each with its own credentials, and observes each by its name', async () => {
    const { agents, file } = await threeAgents()
    const { listeners } = await startProxyProcess(
      ['--client-file', file, '--admin', '127.0.0.1:0'],
      makeFolder(),
    )
    expect(listeners.map(({ role, agent, peer }) => [role, agent, peer])).toEqual([
      ['proxy', 'billing', 'alice'],
      ['proxy', 'stock', 'alice'],
      ['proxy', 'orders', 'alice'],
      ['admin', '', undefined],
    ])
    for (const { name, tokens, entry } of agents) {
      expect(await post(at(listeners, name))).toBe(`${name} heard alice`)
      expect(tokens).toEqual([(await entry())['token']])
    }
    const admin = listeners[3]?.url ?? ''
    const status = (await (await fetch(`${admin}/status`)).json()) as { agents: object[] }
    expect(status.agents).toMatchObject(agents.map(({ name }) => ({ agent: name, peer: 'alice' })))
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    for (const { name } of agents) expect(metrics).toContain(`a2a_totp_proxy_breaker_open{agent="${name}"} 0`)
  })

  it('gives a fixed port and those after it to the agents in the order of the file', async () => {
    const { agents, file } = await threeAgents()
    const port = await freePorts(agents.length)
    const { listeners } = await startProxyProcess(
      ['--client-file', file, '--listen', `127.0.0.1:${port}`],
      makeFolder(),
    )
    expect(listeners.map(({ url, agent }) => [url, agent])).toEqual(
      agents.map(({ name }, index) => [`http://127.0.0.1:${port + index}`, name]),
    )
  })

  it('serves one of them alone if it is named', async () => {
    const { file } = await threeAgents()
    const { listeners } = await startProxyProcess(['stock', '--client-file', file], makeFolder())
    expect(listeners.map(({ agent }) => agent)).toEqual(['stock'])
    expect(await post(listeners[0]?.url)).toBe('stock heard alice')
  })

  it('follows the one file: credentials that change are in force, and only their agent is told of', async () => {
    const { agents, file } = await threeAgents()
    const [billing] = agents
    const { listeners, stderr } = await startProxyProcess(['--client-file', file], makeFolder())
    const before = (await billing.entry())['token']
    await runCli(['rotate', 'alice'], { cwd: billing.cwd })
    await runCli(['config', 'server', '--out', 'server.json', '--force'], { cwd: billing.cwd })
    put(file, await fileFor(agents))
    const after = (await billing.entry())['token']
    await vi.waitFor(() => expect(stderr()).toMatch(/alice for billing are in force/), soon)
    await vi.waitFor(async () => {
      await post(at(listeners, 'billing'))
      expect(billing.tokens.at(-1)).toBe(after)
    }, soon)
    expect(after).not.toBe(before)
    expect(stderr()).not.toMatch(/for (stock|orders) are in force/)
    expect(stderr()).not.toContain(after)
  })

  it('keeps the last good credentials of all while the file is broken, and says so for each', async () => {
    const { agents, file } = await threeAgents()
    const { listeners, stderr } = await startProxyProcess(['--client-file', file], makeFolder())
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, '{"version":1')
    await vi.waitFor(() => expect(stderr().match(/stay in force/g)).toHaveLength(3), soon)
    for (const { name } of agents) expect(await post(at(listeners, name))).toBe(`${name} heard alice`)
    put(file, good)
    await vi.waitFor(() => expect(stderr().match(/alice for \w+ are in force/g)).toHaveLength(3), soon)
  })

  it('sends nothing to an agent that has left the file, until it is back', async () => {
    const { agents, file } = await threeAgents()
    const [billing, stock, orders] = agents
    const { listeners, stderr } = await startProxyProcess(
      ['--client-file', file, '--admin', '127.0.0.1:0'],
      makeFolder(),
    )
    put(file, await fileFor([billing, orders]))
    await vi.waitFor(() => expect(stderr()).toMatch(/does not have the agent stock any more/), soon)
    expect(await post(at(listeners, 'stock'))).toMatch(/^503 .*the credentials for stock were withdrawn/)
    expect(stock.tokens).toEqual([])
    expect(await post(at(listeners, 'orders'))).toBe('orders heard alice')
    expect((await fetch(`${listeners[3]?.url ?? ''}/readyz`)).status).toBe(200)
    put(file, await fileFor(agents))
    await vi.waitFor(async () => expect(await post(at(listeners, 'stock'))).toBe('stock heard alice'), soon)
    expect(stderr()).not.toMatch(/for stock could not be read anew.*stay in force/)
  })

  it('has left, too, for a proxy that is told to read its files anew', async () => {
    const { agents, file } = await threeAgents()
    const [billing] = agents
    const { child, listeners, stderr } = await startProxyProcess(['--client-file', file], makeFolder())
    put(file, await fileFor([billing]))
    child.kill('SIGHUP')
    await vi.waitFor(() => expect(stderr().match(/any more/g)).toHaveLength(2), soon)
    expect(await post(at(listeners, 'orders'))).toMatch(/^503 /)
    expect(await post(at(listeners, 'billing'))).toBe('billing heard alice')
  })

  it('starts a listener for an agent that joins the file, and says where', async () => {
    const { agents, file } = await threeAgents()
    const { stderr } = await startProxyProcess(['--client-file', file, '--log', 'json'], makeFolder())
    const desk = await startOne('desk')
    put(file, await fileFor([desk, ...agents]))
    const listening = (): Listener | undefined =>
      stderr()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { listener?: Listener })
        .find(({ listener }) => listener?.agent === 'desk')?.listener
    await vi.waitFor(() => expect(listening()).toBeDefined(), soon)
    expect(await post(listening()?.url)).toBe('desk heard alice')
  })

  it('with fixed ports, starts one at the port that it has after a restart, or asks for the restart', async () => {
    const { agents, file } = await threeAgents()
    const port = await freePorts(5)
    const { stderr } = await startProxyProcess(
      ['--client-file', file, '--listen', `127.0.0.1:${port}`],
      makeFolder(),
    )
    const [desk, shop] = [await startOne('desk'), await startOne('shop')]
    put(file, await fileFor([...agents, desk]))
    await vi.waitFor(() => expect(stderr()).toContain(`desk as alice at http://127.0.0.1:${port + 3}`), soon)
    expect(await post(`http://127.0.0.1:${port + 3}`)).toBe('desk heard alice')
    put(file, await fileFor([shop, ...agents, desk]))
    await vi.waitFor(() => expect(stderr()).toMatch(/shop has joined .*; restart the proxy/), soon)
    expect(await post(`http://127.0.0.1:${port}`)).toBe('billing heard alice')
  })

  it('shares a client file between the agents of --config', async () => {
    const { agents, file } = await threeAgents()
    const cwd = makeFolder()
    const names = agents.map(({ name }) => name)
    writeFileSync(
      join(cwd, 'proxy.yaml'),
      `agents:\n${names.map((name) => `  ${name}: { clientFile: '${file}' }\n`).join('')}`,
    )
    const { listeners } = await startProxyProcess(['--config', 'proxy.yaml'], cwd)
    for (const name of names) expect(await post(at(listeners, name))).toBe(`${name} heard alice`)
  })

  it.each([
    [2, '--socket is for one agent, and .* billing, stock, orders; name one', ['--socket', 's']],
    [2, '--allow-host is for one agent', ['--allow-host', 'card.example']],
    [2, 'too few ports', ['--listen', '127.0.0.1:65534']],
    [3, 'several agents; name one of billing, stock, orders', ['http://127.0.0.1:1']],
    [3, 'does not have the agent desk; it has billing, stock, orders', ['desk']],
  ])('exits with %i (%s) for %j', async (exitCode, message, args) => {
    const { file } = await threeAgents()
    const run = await runCli(['proxy', '--client-file', file, ...args], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toMatch(new RegExp(message))
  })

  it('exits with 3 where an agent has no URL, and names its field', async () => {
    const { agents } = await threeAgents()
    const file = join(makeFolder(), 'alice.json')
    const content = JSON.parse(await fileFor(agents)) as { agents: Record<string, { url: unknown }> }
    Object.assign(content.agents['stock'] ?? {}, { url: null })
    put(file, JSON.stringify(content))
    const run = await runCli(['proxy', '--client-file', file], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/agents\.stock\.url is missing/)
  })
})
