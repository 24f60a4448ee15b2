import { once } from 'node:events'
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { makeFolder, makeStore, runBinary, runCli } from '../support/cli.js'
import { startStreamingAgent } from '../support/gate-process.js'
import { startProxyProcess as started } from '../support/proxy-process.js'
import { fieldsOf, record } from '../support/recording-server.js'

const tokenOf = async (cwd: string, name: string): Promise<string> => {
  const { stdout } = await runCli(['config', 'client', name, '--format', 'json'], { cwd })
  return (JSON.parse(stdout) as { token: string }).token
}

const post = (url: string): Promise<Response> => fetch(url, { method: 'POST', body: '{}' })

describe('a2a-totp proxy', () => {
  it('calls the agent as a peer of the store, and follows the store', async () => {
    await using agent = await record()
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { listeners, url, stderr } = await started([agent.origin, 'alice', '--admin', '127.0.0.1:0'], cwd)
    expect(listeners).toMatchObject([{ role: 'proxy', agent: 'billing', peer: 'alice' }, { role: 'admin' }])
    expect(stderr()).toMatch(/warning: .*every local user .*can call as the peer/)
    await post(url)
    const before = await tokenOf(cwd, 'alice')
    await runCli(['rotate', 'alice'], { cwd })
    const after = await tokenOf(cwd, 'alice')
    await vi.waitFor(
      async () => {
        await post(url)
        expect(fieldsOf(agent.requests.at(-1) ?? never(), 'authorization')).toEqual([`Bearer ${after}`])
      },
      { interval: 100 },
    )
    expect(fieldsOf(agent.requests[0] ?? never(), 'authorization')).toEqual([`Bearer ${before}`])
    expect(stderr()).not.toContain(before)
    expect(stderr()).not.toContain(after)
  })

  it('has its warning in its log, and with --quiet nothing else', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { child, url, stderr } = await started(
      ['http://127.0.0.1:9', 'alice', '--log', 'json', '--quiet', '--listen', '127.0.0.1:0'],
      cwd,
    )
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(502)
    child.kill('SIGTERM')
    await once(child, 'close')
    const lines = stderr()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; message: string })
    expect(lines.map(({ level }) => level)).toEqual(lines.map(() => 'warning'))
    expect(lines[0]?.message).toMatch(/every local user of this machine can call as the peer/)
  })

  it('says what is wrong alone, if it cannot start', async () => {
    const run = await runBinary(['proxy', 'https://agent.example', 'bob'], {
      cwd: await makeStore(['alice']),
    })
    expect(run.stderr).toMatch(/^error: no peer named "bob".*\n$/)
  })

  it('takes the URL of the store for a name alone, and the only peer for a URL alone', async () => {
    await using agent = await record()
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--url', agent.origin])
    for (const args of [['alice'], [agent.origin], []]) {
      const { url, child } = await started(args, cwd)
      expect((await post(url)).status).toBe(200)
      child.kill('SIGTERM')
      await once(child, 'close')
    }
    expect(agent.requests).toHaveLength(3)
  })

  it('takes a client file and follows it; a broken one leaves the last good one in force', async () => {
    await using agent = await record()
    const cwd = await makeStore(['alice'], ['--agent', 'billing', '--url', agent.origin])
    const client = async (): Promise<string> =>
      (await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd })).stdout
    const file = join(cwd, 'alice.json')
    writeFileSync(file, await client(), { mode: 0o600 })
    const { url, stderr } = await started(['--client-file', file], makeFolder())
    const before = await tokenOf(cwd, 'alice')
    writeFileSync(file, '{"version":1')
    await vi.waitFor(() => expect(stderr()).toMatch(/stay in force/))
    await post(url)
    expect(fieldsOf(agent.requests.at(-1) ?? never(), 'authorization')).toEqual([`Bearer ${before}`])
    await runCli(['rotate', 'alice', '--now'], { cwd })
    writeFileSync(file, await client())
    const after = await tokenOf(cwd, 'alice')
    await vi.waitFor(
      async () => {
        await post(url)
        expect(fieldsOf(agent.requests.at(-1) ?? never(), 'authorization')).toEqual([`Bearer ${after}`])
      },
      { interval: 100 },
    )
  })

  it('takes the credentials of the environment', async () => {
    await using agent = await record()
    const env = { A2A_TOTP_TOKEN: 't'.repeat(43), A2A_TOTP_SEED: 'A'.repeat(32), A2A_TOTP_URL: agent.origin }
    const { url } = await started([], makeFolder(), env)
    await post(url)
    expect(fieldsOf(agent.requests[0] ?? never(), 'authorization')).toEqual([`Bearer ${'t'.repeat(43)}`])
  })

  it('listens at a socket of its user alone, and is gone with it', async () => {
    await using agent = await record()
    const cwd = await makeStore(['alice'])
    const socket = join(cwd, 'p.sock')
    const { listeners, child } = await started([agent.origin, 'alice', '--socket', socket], cwd)
    expect(listeners[0]?.url).toBe(`unix:${socket}`)
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    const ask = (host: string): Promise<number | undefined> =>
      new Promise((done, fail) => {
        httpRequest({ socketPath: socket, path: '/', headers: { host } }, (answer) => {
          answer.resume()
          done(answer.statusCode)
        })
          .once('error', fail)
          .end()
      })
    expect(await ask('localhost')).toBe(200)
    expect(await ask('evil.example')).toBe(403)
    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    expect([0, 143]).toContain(code)
    expect(existsSync(socket)).toBe(false)
  })

  it('starts without its agent, and is ready until it refuses the credentials', async () => {
    const cwd = await makeStore(['alice'])
    const { url, listeners } = await started(['http://127.0.0.1:1', 'alice', '--admin', '127.0.0.1:0'], cwd)
    expect((await post(url)).status).toBe(502)
    const admin = listeners[1]?.url ?? ''
    expect((await fetch(`${admin}/readyz`)).status).toBe(200)
    expect((await fetch(`${admin}/healthz`)).status).toBe(200)
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    expect(metrics).toMatch(/# TYPE a2a_totp_proxy_breaker_open gauge/)
    expect(await (await fetch(`${admin}/status`)).json()).toMatchObject({
      role: 'proxy',
      agents: [{ peer: 'alice' }],
    })
  })

  it('is not ready while it drains, and still alive', async () => {
    const agent = await startStreamingAgent()
    const cwd = await makeStore(['alice'])
    const { url, listeners, child } = await started([agent.url, 'alice', '--admin', '127.0.0.1:0'], cwd)
    const stream = await fetch(`${url}/stream`, { method: 'POST' })
    const admin = listeners[1]?.url ?? ''
    expect((await fetch(`${admin}/readyz`)).status).toBe(200)
    child.kill('SIGTERM')
    await vi.waitFor(async () => expect((await fetch(`${admin}/readyz`)).status).toBe(503))
    expect((await fetch(`${admin}/healthz`)).status).toBe(200)
    agent.endStreams()
    expect(await stream.text()).toBe('data: first\n\ndata: last\n\n')
    const [code] = (await once(child, 'close')) as [number]
    expect([0, 143]).toContain(code)
  })

  it('logs only what should wake somebody with --quiet', async () => {
    await using agent = await record()
    const cwd = await makeStore(['alice'])
    const { url, stderr, child } = await started([agent.origin, 'alice', '--quiet', '--log', 'json'], cwd)
    await post(url)
    child.kill('SIGTERM')
    await once(child, 'close')
    const lines = stderr().trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { event: 'warning', message: expect.stringContaining('every local user') as string },
    ])
  })

  it('says only why when it does not start', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'ca.pem'), 'no certificate\n')
    const all = [
      ['http://127.0.0.1:1', 'bob'],
      ['http://127.0.0.1:1', 'alice', '--listen', '0.0.0.0:0'],
      ['http://agent.example', 'alice'],
      ['https://agent.example', 'alice', '--ca', 'ca.pem'],
    ]
    const answers = await Promise.all(all.map((args) => runBinary(['proxy', ...args, '--json'], { cwd })))
    expect(answers.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(
      [1, 2, 2, 3].map((code) => [code, '']),
    )
    for (const { stderr } of answers) expect(JSON.parse(stderr)).toHaveProperty('error.message')
  })

  it('runs several agents with --config, a listener each', async () => {
    await using billing = await record()
    await using stock = await record()
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    writeFileSync(join(cwd, 'token'), 'local-secret\n')
    writeFileSync(
      join(cwd, 'proxy.yaml'),
      `agents:\n  billing: { url: "${billing.origin}", peer: alice }\n  stock:\n    url: ${stock.origin}\n    peer: alice\n    local-auth: url\n    localTokenFile: token\n`,
    )
    const { listeners, stderr } = await started(['--config', join(cwd, 'proxy.yaml')], cwd)
    expect(listeners).toHaveLength(2)
    expect((await post(listeners[0]?.url ?? '')).status).toBe(200)
    expect((await post(listeners[1]?.url ?? '')).status).toBe(401)
    expect((await post(`${listeners[1]?.url ?? ''}/local-secret/rpc`)).status).toBe(200)
    expect([billing.requests.length, stock.requests.map(({ path }) => path)]).toEqual([1, ['/rpc']])
    expect(stderr() + JSON.stringify(listeners)).not.toContain('local-secret')
  })

  it('names all that is wrong in a configuration by its path, and quotes nothing', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(
      join(cwd, 'proxy.json'),
      JSON.stringify({
        agents: {
          a: { url: 'ftp://secret', sign: 'secret', listen: 'x' },
          b: { cert: 'secret', maxWait: -1, odd: 1 },
        },
      }),
    )
    const run = await runCli(['proxy', '--config', 'proxy.json'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    for (const path of [
      'agents.a.url',
      'agents.a.sign',
      'agents.a.listen',
      'agents.b.cert',
      'agents.b.maxWait',
      'agents.b.odd',
    ])
      expect(run.stderr).toContain(path)
    expect(run.stderr).not.toContain('secret')
  })

  it.each([
    [2, 'other machines', ['http://127.0.0.1:1', 'alice', '--listen', '0.0.0.0:0']],
    [3, 'needs --local-token-file', ['http://127.0.0.1:1', 'alice', '--local-auth', 'header']],
    [3, 'no such file', ['http://127.0.0.1:1', 'alice', '--local-auth', 'url', '--local-token-file', 'none']],
    [2, '--admin-public', ['http://127.0.0.1:1', 'alice', '--admin', '0.0.0.0:0']],
    [2, '--insecure-http', ['http://agent.example', 'alice']],
    [2, 'http://', ['alice', 'http://127.0.0.1:1']],
    [2, 'no URL|missing the URL', ['alice']],
    [1, 'no peer', ['http://127.0.0.1:1', 'bob']],
    [2, 'cannot be used together', ['http://127.0.0.1:1', 'alice', '--socket', 's', '--listen', '0']],
    [2, 'host to allow', ['http://127.0.0.1:1', 'alice', '--allow-host', 'a/b']],
    [2, 'go together', ['http://127.0.0.1:1', 'alice', '--cert', 'c.pem']],
    [2, '--config', ['--config', 'proxy.yaml', '--sign', 'never']],
    [3, 'client file', ['--client-file', 'none.json']],
  ])('exits with %i (%s) for %j', async (exitCode, message, args) => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(['proxy', ...args], { cwd })
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toMatch(new RegExp(message))
  })

  it('exits with 3 for a token that is known by its hash alone, and says how to get another', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { stdout } = await runCli(['config', 'server'], { cwd })
    const other = makeFolder()
    await runCli(['init', '--agent', 'billing'], { cwd: other })
    await runCli(['import', '-'], { cwd: other, stdin: stdout })
    const run = await runBinary(['proxy', 'http://127.0.0.1:1', 'alice'], { cwd: other })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('a2a-totp rotate alice --token')
  })

  it('says what a file is that is no client file', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['config', 'server', '--out', 'server.json'], { cwd })
    const of = async (file: string) =>
      (await runBinary(['proxy', 'http://127.0.0.1:9', '--client-file', file], { cwd })).stderr
    expect(await of('server.json')).toMatch(/server.json: it is a server file.*config client NAME/)
    expect(await of('a2a-totp.json')).toMatch(/a2a-totp.json: it is a store.*config client NAME/)
  })

  it('refuses authorities that are none', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'ca.pem'), 'not PEM')
    const run = await runBinary(['proxy', 'https://agent.example', 'alice', '--ca', 'ca.pem'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/ca\.pem has no certificate in PEM/)
  })

  it('warns of a client file that everybody can read', async () => {
    const cwd = await makeStore(['alice'], ['--url', 'http://127.0.0.1:1'])
    const { stdout } = await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd })
    const file = join(cwd, 'alice.json')
    writeFileSync(file, stdout)
    chmodSync(file, 0o644)
    const { stderr } = await started(['--client-file', file], cwd)
    await vi.waitFor(() => expect(stderr()).toMatch(/every user of this machine can read/))
  })
})

const never = (): never => {
  throw new Error('nothing arrived')
}
