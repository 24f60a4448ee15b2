import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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
      await expect
        .poll(() => gate.said.slice(before).join('\n'), { timeout: 30_000 })
        .toContain('server file')
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
})
