import { createServer, type Server } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAuthority, type Authority, type Issued } from '../support/authority.js'
import { parseJson, runBinary, type CliRun } from '../support/cli.js'
import { listening } from '../support/listening.js'
import { alice } from '../support/probing.js'

let folder: string
let authority: Authority
let other: Authority
let issued: Issued

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'a2a-totp-transport-'))
  authority = makeAuthority()
  other = makeAuthority('another authority')
  issued = authority.issue('IP:127.0.0.1,DNS:agent.example')
  const client = authority.issue('DNS:client')
  const files = {
    'ca.pem': authority.ca,
    'other.pem': other.ca,
    'both.pem': `${other.ca}${authority.ca}`,
    'client.pem': client.cert,
    'client.key': client.key,
    'stranger.key': other.issue('DNS:client').key,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})

afterAll(() => rmSync(folder, { recursive: true }))

const credentials = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32 }

/** The environment without proxies of its own. */
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<CliRun> =>
  runBinary(['probe', ...args, '--timeout', '5', '--json'], { cwd: folder, env: { ...credentials, ...env } })

const only = ['--only', 'reach,tls']

const agentWith = (options: object = {}): Server =>
  createServer({ ...issued, ...options }, (_request, response) => {
    response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end()
  })

describe('a2a-totp probe', () => {
  it.each([
    ['an authority that nobody named', [], {}, false],
    ['--ca', ['--ca', 'ca.pem'], {}, true],
    ['--ca, with several certificates in it', ['--ca', 'both.pem'], {}, true],
    ['NODE_EXTRA_CA_CERTS', [], { NODE_EXTRA_CA_CERTS: 'ca.pem' }, true],
    ['NODE_EXTRA_CA_CERTS beside --ca', ['--ca', 'other.pem'], { NODE_EXTRA_CA_CERTS: 'ca.pem' }, true],
    [
      'a variable that switches checking off',
      ['--ca', 'other.pem'],
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      false,
    ],
  ] as [string, string[], Record<string, string>, boolean][])(
    'trusts what it is told to: %s',
    async (_, args, env, trusted) => {
      await using agent = await listening(agentWith())
      const result = await run([`https://127.0.0.1:${agent.port}`, ...only, ...args], env)
      expect(parseJson(result)['ok']).toBe(trusted)
      expect(result.exitCode).toBe(trusted ? 0 : 1)
    },
  )

  it('presents a client certificate', async () => {
    await using agent = await listening(agentWith({ requestCert: true, ca: authority.ca }))
    const args = [`https://127.0.0.1:${agent.port}`, ...only, '--ca', 'ca.pem']
    const without = await run(args)
    expect(without.exitCode).toBe(1)
    expect(without.stdout).toContain('pass --cert and --key')
    expect(await run([...args, '--cert', 'client.pem', '--key', 'client.key'])).toMatchObject({ exitCode: 0 })
  })

  it.each<[string[], number, RegExp]>([
    [['--cert', 'client.pem'], 2, /--cert needs --key/],
    [['--key', 'client.key'], 2, /--key needs --cert/],
    [['--cert', 'client.pem', '--key', 'nowhere.key'], 3, /--key cannot be read/],
    [['--cert', 'client.key', '--key', 'client.key'], 2, /\(--cert\) cannot be read/],
    [['--cert', 'client.pem', '--key', 'client.pem'], 2, /\(--key\) cannot be read/],
    [['--cert', 'client.pem', '--key', 'stranger.key'], 2, /not the key of --cert/],
    [['--ca', 'client.key'], 2, /no certificate/],
    [['--proxy', 'http://user:hush@127.0.0.1:1'], 2, /A2A_TOTP_PROXY_PASSWORD/],
    [['--proxy', 'socks5://127.0.0.1:1'], 2, /--proxy must be an http or https URL/],
  ] as [string[], number, RegExp][])(
    'refuses %j before anything is sent',
    async (args, exitCode, message) => {
      await using agent = await listening(agentWith())
      const result = await run([`https://127.0.0.1:${agent.port}`, ...only, ...args])
      expect(result).toMatchObject({ exitCode, stdout: '' })
      expect(result.stderr).toMatch(message)
      expect(result.stderr).not.toMatch(/hush|PRIVATE KEY/)
      expect(agent.connections()).toBe(0)
    },
  )

  it.each([
    ['HTTPS_PROXY', (url: string) => ({ env: { HTTPS_PROXY: url }, args: [] })],
    ['all_proxy', (url: string) => ({ env: { all_proxy: url }, args: [] })],
    ['--proxy', (url: string) => ({ env: { NO_PROXY: '' }, args: ['--proxy', url] })],
  ] as [string, (url: string) => { env: Record<string, string>; args: string[] }][])(
    'goes through the proxy of %s, and says so',
    async (_, given) => {
      await using agent = await listening(agentWith())
      const heads: string[] = []
      await using proxy = await listening(
        createTcpServer((socket) => {
          socket.once('data', (head: Buffer) => {
            heads.push(head.toString('latin1'))
            const inner = connect(agent.port, '127.0.0.1')
            inner.on('error', () => socket.destroy())
            socket.on('error', () => inner.destroy()).on('close', () => inner.destroy())
            socket.write('HTTP/1.1 200 OK\r\n\r\n')
            socket.pipe(inner).pipe(socket)
          })
        }),
      )
      const { env, args } = given(`http://user@127.0.0.1:${proxy.port}`)
      const result = await run(['https://agent.example', ...only, '--ca', 'ca.pem', ...args], {
        ...env,
        A2A_TOTP_PROXY_PASSWORD: 'hush',
      })
      expect(result).toMatchObject({ exitCode: 0 })
      expect(result.stdout).toContain(`through the proxy 127.0.0.1:${proxy.port}`)
      expect(result.stdout).not.toContain('hush')
      expect(new Set(heads.map((head) => head.split('\r\n')[0]))).toEqual(
        new Set(['CONNECT agent.example:443 HTTP/1.1']),
      )
      const password = args.length > 0 ? 'hush' : ''
      expect(heads[0]).toContain(`Basic ${Buffer.from(`user:${password}`).toString('base64')}`)
    },
  )

  it('exits with 4 where the proxy refuses, and with 2 where a variable names none', async () => {
    await using proxy = await listening(
      createTcpServer((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
      }),
    )
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const refused = await run(['https://agent.example', ...only], env)
    expect(refused.exitCode).toBe(4)
    expect(refused.stdout).toContain(`the proxy 127.0.0.1:${proxy.port} answered 407 to CONNECT`)
    const none = await run(['https://agent.example', ...only], { HTTPS_PROXY: 'socks5://user:hush@x' })
    expect(none).toMatchObject({ exitCode: 2, stdout: '' })
    expect(none.stderr).toMatch(/\$HTTPS_PROXY names no proxy/)
    expect(none.stderr).not.toContain('hush')
  })
})
