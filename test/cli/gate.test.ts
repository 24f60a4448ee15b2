import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { makeAuthority } from '../support/authority.js'
import { makeStore, runBinary, runCli, startBinary } from '../support/cli.js'
import { ask, type Received } from '../support/gate.js'
import { fieldsOf, record } from '../support/recording-server.js'

interface Listener {
  readonly role: string
  readonly url: string
  readonly agent: string
}

class RunningGate {
  readonly child: ChildProcess
  #out = ''
  said = ''

  constructor(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
    this.child = startBinary(['--json', 'gate', ...args], { cwd, env })
    this.child.stdout?.on('data', (chunk: Buffer) => (this.#out += chunk.toString()))
    this.child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
  }

  async listeners(): Promise<Listener[]> {
    await expect.poll(() => this.#out, { interval: 20 }).toContain('\n')
    return (JSON.parse(this.#out) as { listeners: Listener[] }).listeners
  }

  async url(role = 'gate'): Promise<string> {
    return (await this.listeners()).find((one) => one.role === role)?.url ?? ''
  }

  async hasSaid(what: string | RegExp): Promise<void> {
    await expect.poll(() => this.said, { interval: 20 }).toMatch(what)
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    if (this.child.exitCode === null) await once(this.child, 'close')
    return this.child.exitCode
  }
}

/** Both header fields of a peer, as the tool prints them. */
async function headersOf(cwd: string, peer: string): Promise<Record<string, string>> {
  const { stdout } = await runCli(['code', peer, '--headers'], { cwd })
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(': ', 2) as [string, string]),
  )
}

async function call(url: string, headers: Record<string, string>, path = '/'): Promise<Received> {
  return ask({ port: Number(new URL(url).port) }, { path, headers })
}

const anyPort = ['--listen', '127.0.0.1:0']
const local = ['--upstream', 'http://127.0.0.1:9', ...anyPort]

describe('a2a-totp gate', () => {
  it('protects an agent with the peers of the store, which it follows', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    await using agent = await record()
    const gate = new RunningGate(cwd, ['--upstream', agent.origin, ...anyPort])
    const [listener, ...others] = await gate.listeners()
    expect(others).toEqual([])
    expect(listener).toMatchObject({ role: 'gate', agent: 'billing' })
    const url = await gate.url()
    expect((await call(url, {})).status).toBe(401)
    expect((await call(url, await headersOf(cwd, 'alice'))).status).toBe(200)
    await runCli(['add-peer', 'bob'], { cwd })
    const bob = await headersOf(cwd, 'bob')
    await expect.poll(async () => (await call(url, bob)).status).toBe(200)
    const seen = agent.requests.map((request) => fieldsOf(request, 'totppeer'))
    expect(seen).toEqual([['alice'], ['bob']])
    await runCli(['remove-peer', 'alice', '--yes'], { cwd })
    const alice = await runCli(['code', 'bob', '--headers'], { cwd })
    expect(alice.exitCode).toBe(0)
    expect(await gate.end()).toBe(143)
  })

  it('takes the server file of its option or of the environment, and shows the serial in force', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['config', 'server', '--out', 'server.json'], { cwd })
    await using agent = await record()
    const admin = ['--admin', '127.0.0.1:0']
    const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
    const gate = new RunningGate(cwd, ['--upstream', agent.origin, ...anyPort, ...admin], env)
    const status = async (): Promise<Record<string, unknown>> =>
      JSON.parse(
        (await ask(adminOf(await gate.url('admin')), { method: 'GET', path: '/status' })).body,
      ) as never
    expect(await status()).toMatchObject({ serial: 1, lastRefusal: null })
    writeFileSync(join(cwd, 'server.json'), '{"half":')
    await expect
      .poll(async () => (await status())['lastRefusal'])
      .toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    expect((await call(await gate.url(), await headersOf(cwd, 'alice'))).status).toBe(200)
    for (const [path, type] of [
      ['/healthz', 'text/plain'],
      ['/readyz', 'text/plain'],
      ['/metrics', 'application/openmetrics-text'],
    ] as const) {
      const { status: code, headers } = await ask(adminOf(await gate.url('admin')), { method: 'GET', path })
      expect(code).toBe(200)
      expect(headers['content-type']).toContain(type)
      expect((await ask({ port: portOf(await gate.url()) }, { method: 'GET', path })).status).toBe(401)
    }
  })

  it('signs who called, and publishes the key', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(cwd, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await using agent = await record()
    const key = ['--assert-key', 'key.pem', '--admin', '127.0.0.1:0']
    const gate = new RunningGate(cwd, ['--upstream', agent.origin, ...anyPort, ...key])
    const url = await gate.url()
    const forged = { ...(await headersOf(cwd, 'alice')), TotpAssertion: 'e.y.J' }
    expect((await call(url, forged)).status).toBe(200)
    const [assertion = '', ...more] = agent.requests.flatMap((request) => fieldsOf(request, 'totpassertion'))
    expect(more).toEqual([])
    const keys = createRemoteJWKSet(new URL('/jwks.json', await gate.url('admin')))
    const { payload } = await jwtVerify(assertion, keys, { issuer: 'a2a-totp', audience: agent.origin })
    expect(payload).toMatchObject({ sub: 'alice', agent: 'billing' })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(30)
    expect(gate.said).not.toContain('forge')
  })

  it('speaks TLS, and takes another certificate on SIGHUP', async () => {
    const cwd = await makeStore(['alice'])
    const authority = makeAuthority()
    const write = (name: string): void => {
      const { cert, key } = authority.issue(`IP:127.0.0.1,DNS:${name}`)
      writeFileSync(join(cwd, 'cert.pem'), cert)
      writeFileSync(join(cwd, 'key.pem'), key, { mode: 0o600 })
    }
    write('one.example')
    writeFileSync(join(cwd, 'card.json'), '{"name":"billing"}')
    const files = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem', '--card', 'card.json']
    const gate = new RunningGate(cwd, [...local, ...files])
    const url = await gate.url()
    expect(url).toMatch(/^https:/)
    const nameNow = async (): Promise<string | undefined> => {
      const socket = connectTls({ port: portOf(url), host: '127.0.0.1', ca: authority.ca })
      await once(socket, 'secureConnect')
      const { subjectaltname } = socket.getPeerCertificate()
      socket.destroy()
      return subjectaltname
    }
    expect(await nameNow()).toContain('one.example')
    write('two.example')
    // Each file is read for itself.
    writeFileSync(join(cwd, 'card.json'), 'broken')
    gate.child.kill('SIGHUP')
    await expect.poll(nameNow).toContain('two.example')
    writeFileSync(join(cwd, 'cert.pem'), 'broken')
    gate.child.kill('SIGHUP')
    await gate.hasSaid(/--tls-cert .*stays in force/)
    expect(gate.said).toMatch(/--card .*stays in force/)
    expect(await nameNow()).toContain('two.example')
  })

  it('reads longer heads of fronts than of callers, unless it is told otherwise', async () => {
    const cwd = await makeStore(['alice'])
    const statuses = async (...more: string[]): Promise<number[]> => {
      const gate = new RunningGate(cwd, [...local, '--authz', '127.0.0.1:0', ...more])
      const long = { 'X-Long': 'a'.repeat(40_000) }
      const asked = (await call(await gate.url('authz'), long, '/auth/caddy')).status
      return [(await call(await gate.url(), long)).status, asked]
    }
    expect(await statuses()).toEqual([431, 401])
    expect(await statuses('--max-header', '32768')).toEqual([431, 431])
    expect(await statuses('--max-header', '65536')).toEqual([401, 401])
  })

  it('takes another token of the front and another key of assertions on SIGHUP', async () => {
    const cwd = await makeStore(['alice'])
    const write = (token: string): void => {
      const { privateKey } = generateKeyPairSync('ed25519')
      writeFileSync(join(cwd, 'token'), token, { mode: 0o600 })
      writeFileSync(join(cwd, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
        mode: 0o600,
      })
    }
    const [first, second] = ['first-0123456789abcdef', 'second-0123456789abcdef'] as const
    write(first)
    const addresses = ['--authz', '127.0.0.1:0', '--admin', '127.0.0.1:0']
    const files = ['--authz-token-file', 'token', '--assert-key', 'key.pem']
    const gate = new RunningGate(cwd, [...addresses, ...files])
    const [authz, admin] = [await gate.url('authz'), await gate.url('admin')]
    // Without credentials: 401 for the right token, 403 for any other.
    const statuses = (): Promise<number[]> =>
      Promise.all(
        [first, second].map(
          async (TotpAuthzToken) => (await call(authz, { TotpAuthzToken }, '/auth/caddy')).status,
        ),
      )
    const kid = async (): Promise<unknown> => {
      const { body } = await ask(adminOf(admin), { method: 'GET', path: '/jwks.json' })
      return (JSON.parse(body) as { keys: { kid: unknown }[] }).keys[0]?.kid
    }
    const before = await kid()
    expect(await statuses()).toEqual([401, 403])
    write(second)
    gate.child.kill('SIGHUP')
    await expect.poll(statuses).toEqual([403, 401])
    const after = await kid()
    expect(after).not.toBe(before)
    writeFileSync(join(cwd, 'token'), 'short')
    writeFileSync(join(cwd, 'key.pem'), 'broken')
    gate.child.kill('SIGHUP')
    await gate.hasSaid(/--authz-token-file .*stays in force/)
    await gate.hasSaid(/--assert-key .*stays in force/)
    expect([await statuses(), await kid()]).toEqual([[403, 401], after])
  })

  it('logs a line of JSON for each call, without a secret', async () => {
    const cwd = await makeStore(['alice'])
    await using agent = await record()
    const gate = new RunningGate(cwd, ['--upstream', agent.origin, ...anyPort, '--log', 'json'])
    const headers = await headersOf(cwd, 'alice')
    await call(await gate.url(), headers, '/rpc?secret=1')
    await gate.hasSaid(/"path":"\/rpc"/)
    const line = gate.said.split('\n').find((one) => one.includes('/rpc')) ?? ''
    expect(JSON.parse(line)).toMatchObject({ peer: 'alice', method: 'POST', path: '/rpc' })
    const [token = ''] = (headers['Authorization'] ?? '').split(' ').slice(1)
    for (const secret of [token, headers['X-TOTP'] ?? '', 'secret=1']) expect(gate.said).not.toContain(secret)
  })

  it.each([
    ['neither --upstream nor --authz', [], /needs --upstream.*or --authz/],
    ['an upstream beyond this machine', ['--upstream', 'http://192.0.2.1:9'], /--assert-key/],
    ['an upstream by name', ['--upstream', 'http://agent:9'], /--assert-key/],
    ['the unspecified address as upstream', ['--upstream', 'http://0.0.0.0:9'], /--assert-key/],
    [
      'a gRPC upstream beyond this machine',
      [...local, '--grpc-upstream', 'http://192.0.2.1:9'],
      /--assert-key/,
    ],
    ['an upstream with a path', ['--upstream', 'http://127.0.0.1:9/a'], /without a path/],
    ['an upstream of another scheme', ['--upstream', 'ftp://127.0.0.1'], /--upstream must be/],
    [
      'a separator in the name of the identity',
      [...local, '--identity-header', 'X-Peer'],
      /letters and digits/,
    ],
    ['the name of another field', [...local, '--identity-header', 'Host'], /--identity-header/],
    ['a name that fronts read otherwise', [...local, '--identity-header', 'TotpProof'], /--identity-header/],
    ['a proxy that is no address', [...local, '--trust-proxy', 'example.org'], /--trust-proxy/],
    ['an open --admin', [...local, '--admin', '0.0.0.0:0'], /--admin-public/],
    ['a certificate without key', [...local, '--tls-cert', 'cert.pem'], /belong together/],
    ['an audience without a key', [...local, '--assert-audience', 'x'], /--assert-key/],
    ['a public path that is none', [...local, '--public-path', 'docs'], /--public-path must be/],
    ['a public path with a query', [...local, '--public-path', '/docs?a'], /--public-path must be/],
    ['a listener by name', ['--upstream', 'http://127.0.0.1:9', '--listen', 'gate:80'], /--listen must be/],
    ['a Redis that is none', [...local, '--redis', 'http://127.0.0.1'], /--redis must be/],
    [
      'an option of --upstream with --authz alone',
      ['--authz', '127.0.0.1:0', '--public-path', '/a'],
      /without --upstream/,
    ],
  ])('refuses to start with %s', async (_, args, why) => {
    const cwd = await makeStore(['alice'])
    const { exitCode, stdout, stderr } = await runCli(['gate', ...args], { cwd })
    expect(stderr).toMatch(why)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })

  it.each([
    ['no store and no server file', [...local], /ERR_STORE_MISSING/],
    ['a server file that is missing', [...local, '--server-file', 'none.json'], /ERR_FILE_UNREADABLE/],
    ['a key that is none', [...local, '--assert-key', 'broken'], /ERR_CONFIG_INVALID/],
    ['a key that is missing', [...local, '--assert-key', 'none'], /ERR_FILE_UNREADABLE/],
    [
      'a certificate that is none',
      [...local, '--tls-cert', 'broken', '--tls-key', 'broken'],
      /ERR_CONFIG_INVALID/,
    ],
    ['a card that is none', [...local, '--card', 'broken'], /ERR_CARD_INVALID/],
  ])('refuses to start with %s', async (what, args, why) => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'broken'), '-----BEGIN broken')
    const store = what.startsWith('no store') ? ['--store', 'none'] : []
    const { exitCode, stdout, stderr } = await runBinary([...store, 'gate', ...args], { cwd })
    expect(stderr).toMatch(why)
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('error:')),
    ).toHaveLength(1)
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
  })

  it('refuses to answer fronts alone where peers must sign, unless that is said', async () => {
    const cwd = await makeStore(['alice'], ['--signed', 'require'])
    const { exitCode, stdout } = await runBinary(['gate', '--authz', '127.0.0.1:0'], { cwd })
    expect([2, 3]).toContain(exitCode)
    expect(stdout).toBe('')
    const gate = new RunningGate(cwd, ['--authz', '127.0.0.1:0', '--body-unchecked'])
    expect(await gate.listeners()).toMatchObject([{ role: 'authz' }])
    const both = new RunningGate(cwd, ['--authz', '127.0.0.1:0', ...local])
    expect((await both.listeners()).map(({ role }) => role).sort()).toEqual(['authz', 'gate'])
  })

  it('listens where its help says unless it is told otherwise', async () => {
    const cwd = await makeStore(['alice'])
    const help = (await runCli(['gate', '--help'], { cwd })).stdout.replaceAll(/\s+/g, ' ')
    expect(help).toContain('where callers reach the agent (default: 127.0.0.1:8080)')
    // The port is not ours, so it is taken: by this, or by whoever has it.
    const taker = createServer()
    taker.listen(8080, '127.0.0.1')
    await once(taker, 'listening').catch(() => undefined)
    try {
      const { exitCode, stderr } = await runBinary(['gate', '--upstream', 'http://127.0.0.1:9'], { cwd })
      expect(stderr).toContain('ERR_PORT_UNAVAILABLE')
      expect(stderr).toContain('8080')
      expect(exitCode).toBe(3)
    } finally {
      taker.close()
    }
  })

  it('says at its start that plain codes wait under once', async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once'])
    const gate = new RunningGate(cwd, local)
    await gate.listeners()
    await gate.hasSaid(/answered 503 for the first time steps/)
    expect((await call(await gate.url(), await headersOf(cwd, 'alice'))).status).toBe(503)
  })
})

function portOf(url: string): number {
  return Number(new URL(url).port)
}

function adminOf(url: string): { readonly port: number } {
  return { port: portOf(url) }
}
