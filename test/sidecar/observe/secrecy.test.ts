import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findSecrets } from '../../secrecy/scan.js'
import { makeStore, runBinary } from '../../support/cli.js'
import { SidecarProcess, startStreamingAgent } from '../../support/gate-process.js'

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** Sends a request, and waits until it is over, however it ends. */
function ask(url: string, { path = '/', method = 'POST', headers = {} }: Asked = {}): Promise<string> {
  return new Promise((done) => {
    const sent = request(url, { path, method, headers: headers as Record<string, string>, agent: false })
    sent.on('error', () => done(''))
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('close', () => done(text))
    })
    sent.end(method === 'POST' ? '{}' : undefined)
  })
}

interface Known {
  readonly seeds: readonly string[]
  readonly tokens: readonly string[]
}

/** Every seed and token that the store has. */
function secretsIn(folder: string): Known {
  const text = readFileSync(join(folder, 'a2a-totp.json'), 'utf8')
  const all = (pattern: RegExp): string[] => Array.from(text.matchAll(pattern), ([, value = '']) => value)
  return { seeds: all(/"seed": ?"([A-Z2-7]{32,})"/g), tokens: all(/"token": ?"(a2at_[\w-]+)"/g) }
}

const anyToken = `a2at_${'Zq9'.repeat(14)}x`

describe.each(['text', 'json'])('with --log %s', (format) => {
  it('a gate shows no seed, token, code or key in its log, its metrics, its status and its keys', async () => {
    const folder = await makeStore(['alice', 'bob'], ['--digits', '8', '--replay', 'once'])
    await runBinary(['add-peer', 'bait', '--canary'], { cwd: folder })
    const printed = await runBinary(['config', 'server', '--out', 'server.json'], { cwd: folder })
    expect(printed.exitCode, printed.stderr).toBe(0)
    const known = secretsIn(folder)
    expect(known.seeds).toHaveLength(2)
    expect(known.tokens).toHaveLength(3)
    const { privateKey } = generateKeyPairSync('ed25519')
    const jwk = privateKey.export({ format: 'jwk' })
    writeFileSync(join(folder, 'key.jwk'), JSON.stringify(jwk), { mode: 0o600 })

    const agent = await startStreamingAgent()
    const listeners = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']
    const gate = new SidecarProcess(
      [
        ...['gate', '--json', '--log', format, '--upstream', agent.url, '--server-file', 'server.json'],
        ...['--assert-key', 'key.jwk', ...listeners],
      ],
      folder,
    )
    const { gate: url = '', admin = '' } = await gate.urls()
    const shown = await runBinary(['code', 'alice', '--headers'], { cwd: folder })
    const headers = Object.fromEntries(
      shown.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(': ')),
    ) as Record<string, string>
    const code = headers['X-TOTP'] ?? ''
    expect(code).toMatch(/^\d{8}$/)
    const { Authorization = '' } = headers

    for (let n = 0; n < 2; n++) await ask(url, { path: `/a2a?token=${anyToken}&code=${code}`, headers })
    await ask(url, { headers: { ...headers, 'X-TOTP': [code, code] } })
    await ask(url, { headers: { ...headers, 'X-TOTP': `${code}x` } })
    for (let n = 0; n < 8; n++) await ask(url, { headers: { Authorization, 'X-TOTP': `0000000${n}` } })
    for (const token of [...known.tokens, anyToken])
      await ask(url, { headers: { Authorization: `Bearer ${token}`, 'X-TOTP': code } })
    await ask(url, { headers: { Authorization: `Basic ${anyToken}` } })
    await ask(url, { path: `/a2a#${anyToken}`, headers })
    await ask(url, { path: `http://alice:${anyToken}@127.0.0.1/a2a`, headers })

    // A broken file, with a seed where none belongs.
    const file = readFileSync(join(folder, 'server.json'), 'utf8')
    for (const broken of [
      file.replace('"digits"', `"${known.seeds[0]}"`),
      file.slice(0, -9),
      `"${known.seeds[1]}`,
    ]) {
      const before = gate.said.length
      writeFileSync(join(folder, 'server.json'), broken)
      gate.child.kill('SIGHUP')
      await expect.poll(() => gate.said.slice(before).join('\n')).toContain('server file')
    }
    const pages = await Promise.all(
      ['metrics', 'status', 'jwks.json', 'readyz', 'nothing'].map((page) =>
        fetch(`${admin}/${page}`).then((answer) => answer.text()),
      ),
    )
    gate.child.kill('SIGTERM')
    await gate.ended()
    const all = [gate.out, ...gate.said, ...pages].join('\n')
    expect(all).toContain('a2a_totp_gate_decisions_total')
    expect(all).toContain('"kty"')
    expect(gate.said.length).toBeGreaterThan(15)
    expect(findSecrets(all, { ...known, tokens: [...known.tokens, anyToken] }, 'the gate')).toEqual([])
    expect(all).not.toContain(String(jwk.d))
    expect(all).not.toMatch(new RegExp(`(?<!\\d)(${code}|0000000\\d)(?!\\d)`))
  })

  it('a proxy shows no seed, token, code or token of its clients in its log, its metrics and its status', async () => {
    const folder = await makeStore(['alice'], ['--digits', '8', '--agent', 'billing'])
    const printed = await runBinary(['config', 'client', 'alice', '--format', 'json'], { cwd: folder })
    const client = JSON.parse(printed.stdout) as { token: string; seed: string }
    const path = join(folder, 'client.json')
    writeFileSync(path, printed.stdout, { mode: 0o600 })
    const local = 'Local-Token-Of-This-Machine'
    writeFileSync(join(folder, 'local'), `${local}\n`, { mode: 0o600 })

    // Sends back what it was sent, wherever an answer has room.
    const codes = new Set<string>()
    const agent = createServer((req, res) => {
      const { authorization = '' } = req.headers
      const code = String(req.headers['x-totp'])
      codes.add(code)
      const isCard = req.url?.includes('.well-known') ?? false
      res.writeHead(isCard ? 200 : 401, { 'www-authenticate': `Bearer realm="${authorization} ${code}"` })
      res.end(
        isCard ? JSON.stringify({ name: authorization, url: `http://x/${authorization}/${code}` }) : code,
      )
    })
    agent.listen(0, '127.0.0.1')
    await once(agent, 'listening')
    onTestFinished(() => void agent.close())
    const proxy = new SidecarProcess(
      [
        ...['proxy', '--json', '--log', format, '--client-file', 'client.json', '--admin', '127.0.0.1:0'],
        ...[`http://127.0.0.1:${(agent.address() as AddressInfo).port}`, '--listen', '127.0.0.1:0'],
        ...['--local-auth', 'url', '--local-token-file', 'local'],
      ],
      folder,
    )
    const { proxy: url = '', admin = '' } = await proxy.urls()
    const referer = { referer: `http://127.0.0.1/${local}/` }
    for (const path of [
      `/${local}`,
      `/${local}/a2a?token=${anyToken}`,
      `/${local}/.well-known/agent-card.json`,
      `//${local}/a2a`,
      `/a2a/${local}`,
      `/a2a?${local}`,
      `/${local}x`,
      `/${local}/a2a#${local}`,
      `/%4C${local.slice(1)}/a2a`,
      `http://127.0.0.1/${local}/a2a`,
    ]) {
      for (const method of ['POST', 'GET', 'OPTIONS'])
        await ask(url, { path, method, headers: { ...referer, authorization: `Bearer ${anyToken}` } })
    }
    await ask(url, { path: `/${local}/a2a`, headers: { host: local } })
    for (const broken of [`"${client.seed}`, `{"${client.seed}`, printed.stdout.slice(0, -9)]) {
      const before = proxy.said.length
      writeFileSync(path, broken)
      proxy.child.kill('SIGHUP')
      await expect.poll(() => proxy.said.slice(before).join('\n')).toContain('client file')
    }
    const pages = await Promise.all(
      ['metrics', 'status', 'readyz', 'nothing'].map((page) =>
        fetch(`${admin}/${page}`).then((answer) => answer.text()),
      ),
    )
    proxy.child.kill('SIGTERM')
    await proxy.ended()
    const all = [proxy.out, ...proxy.said, ...pages].join('\n')
    expect(all).toContain('a2a_totp_proxy_breaker_open')
    expect(proxy.said.length).toBeGreaterThan(25)
    const known = { seeds: [client.seed], tokens: [client.token, anyToken] }
    expect(findSecrets(all, known, 'the proxy')).toEqual([])
    expect(all).not.toContain(local.slice(1))
    expect(codes.size).toBeGreaterThan(0)
    for (const code of codes) expect(all).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`))
  })
})
