import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

/** What `config server --json` prints for a proxy. */
interface Printed {
  readonly format: string
  readonly content: string
  readonly files: readonly { readonly name: string; readonly content: string }[]
}

const fronts = {
  nginx: ['a2a-totp.conf'],
  caddy: ['Caddyfile'],
  traefik: ['traefik-dynamic.yaml', 'traefik-static.yaml'],
  haproxy: ['haproxy.cfg', 'a2a-totp.lua'],
  envoy: ['envoy.yaml'],
} as const
const formats = Object.keys(fronts) as (keyof typeof fronts)[]
const several = formats.filter((format) => fronts[format].length > 1)

const server = (format: string, ...more: string[]): string[] => [
  'config',
  'server',
  '--format',
  format,
  ...more,
]

describe.each(formats)('config server --format %s', (format) => {
  it('prints all files as JSON, the main one first', async () => {
    const { stdout } = await runCli(server(format, '--json'), { cwd: await makeStore(['alice']) })
    const { content, files, ...rest } = parseJson({ stdout }) as unknown as Printed
    expect(rest).toEqual({ format })
    expect(files.map(({ name }) => name)).toEqual(fronts[format])
    expect(files[0]?.content).toBe(content)
    for (const { name } of files.slice(1)) expect(content).toContain(name)
    for (const file of files) expect(file.content).not.toMatch(/@[A-Z_]+@|^#\? /m)
  })

  it('prints the main one as text', async () => {
    const cwd = await makeStore(['alice'])
    const { stdout, stderr } = await runCli(server(format), { cwd })
    const { content } = parseJson(await runCli(server(format, '--json'), { cwd })) as unknown as Printed
    expect(stdout).toBe(content)
    for (const name of fronts[format].slice(1)) expect(stderr).toContain(name)
  })

  it('has the addresses and the header, and gRPC where it is wanted', async () => {
    const cwd = await makeStore(['alice'], ['--header', 'X-Own'])
    const all = async (...more: string[]): Promise<string> => {
      const { stdout } = await runCli(server(format, '--json', ...more), { cwd })
      return (parseJson({ stdout }) as unknown as Printed).files.map(({ content }) => content).join('\n')
    }
    const http = ['--listen', '[::1]:3001', '--gate', 'gate.internal:3002', '--agent', '127.0.0.2:3003']
    const plain = await all(...http, '--card', '127.0.0.3:3004')
    for (const part of ['::1', '3001', 'gate.internal', '3002', '127.0.0.2', '3003', '127.0.0.3', '3004'])
      expect(plain).toContain(part)
    expect(plain).toMatch(/x-own/i)
    expect(plain).not.toMatch(/x-totp/i)
    expect(plain).not.toMatch(/h2c|grpc_pass|proto h2|agent_grpc/)
    const grpc = await all(...http, '--listen-grpc', '127.0.0.1:3005', '--agent-grpc', '127.0.0.4:3006')
    for (const part of ['3005', '127.0.0.4', '3006']) expect(grpc).toContain(part)
    expect(grpc).toMatch(/h2c|grpc_pass|proto h2|agent_grpc/)
  })

  it('starts the gate in front of the agent, too, where that serves the card', async () => {
    const gateLine = async (cwd: string, ...more: string[]): Promise<string | undefined> =>
      /^# +gate +a2a-totp gate --authz \S+ --server-file \S+(.*)$/m.exec(
        (await runCli(server(format, ...more), { cwd })).stdout,
      )?.[1]
    const at = ['--listen', '127.0.0.1:3001', '--agent', '127.0.0.1:3002']
    const cwd = await makeStore(['alice'])
    expect(await gateLine(cwd, ...at)).toBe('')
    expect(await gateLine(cwd, ...at, '--card', '127.0.0.1:3002')).toBe('')
    const card = ['--card', '127.0.0.1:3003']
    const options = ' --upstream http://127.0.0.1:3002 --listen 127.0.0.1:3003 --public-url '
    expect(await gateLine(cwd, ...at, ...card)).toBe(`${options}http://127.0.0.1:3001`)
    const named = await makeStore(['alice'], ['--url', 'https://billing.example/a2a'])
    expect(await gateLine(named, ...at, ...card)).toBe(`${options}https://billing.example`)
  })

  it('has 127.0.0.1 for localhost, which some proxies look up elsewhere', async () => {
    const cwd = await makeStore(['alice'])
    const at = (host: string): string[] =>
      ['gate', 'agent', 'card', 'gate-grpc', 'agent-grpc'].flatMap((name, index) => [
        `--${name}`,
        `${host}:${String(3001 + index)}`,
      ])
    const { stdout } = await runCli(server(format, '--json', ...at('127.0.0.1')), { cwd })
    for (const name of ['localhost', 'LocalHost', 'localhost.']) {
      expect(await runCli(server(format, '--json', ...at(name)), { cwd })).toMatchObject({
        stdout,
        stderr: '',
      })
    }
  })

  it.each(['--listen', '--gate', '--agent', '--card', '--listen-grpc', '--gate-grpc', '--agent-grpc'])(
    'takes no other text for %s, nor puts it into the file',
    async (option) => {
      const cwd = await makeStore(['alice'])
      for (const value of [
        '8080',
        'a:0',
        'a:65536',
        'http://a:1',
        'a b:1',
        'a;:1',
        '"a":1',
        '[::1:1',
        '$a:1',
        'a\n:1',
      ]) {
        const run = await runCli(server(format, option, value), { cwd })
        expect(run, value).toMatchObject({ exitCode: 2, stdout: '' })
        expect(run.stderr).toContain(`${option} must be HOST:PORT`)
      }
    },
  )

  it('refuses one address for two listeners', async () => {
    const args = server(format, '--listen', '127.0.0.1:1', '--listen-grpc', 'localhost:1')
    expect(await runCli(args, { cwd: await makeStore(['alice']) })).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('is secret, and says so, with the token that the gate asks for', async () => {
    const cwd = await makeStore(['alice'])
    const token = '0123456789abcdef'
    writeFileSync(join(cwd, 'token'), `${token}\n`, { mode: 0o600 })
    const { stdout } = await runCli(server(format, '--authz-token-file', 'token', '--json'), { cwd })
    const { files } = parseJson({ stdout }) as unknown as Printed
    expect(files.filter(({ content }) => content.includes(token))).toHaveLength(1)
    expect(files[0]?.content).toContain('--authz-token-file FILE')
    for (const { content } of files) expect(content).not.toContain('Not secret')
    const plain = await runCli(server(format, '--json'), { cwd })
    expect(plain.stdout).not.toMatch(/authz-?token/i)
    for (const wrong of ['short', `${token}'; x`, `${token}"`, `${token} $x`, `${token}{`]) {
      writeFileSync(join(cwd, 'token'), wrong)
      const run = await runCli(server(format, '--authz-token-file', 'token'), { cwd })
      expect(run, wrong).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).toContain('openssl rand -hex 32')
    }
  })

  it.each([
    ['10.9.8.7:8181', '10.9.8.7:8181'],
    ['0.0.0.0:8181', '0.0.0.0:8181'],
    ['[2001:db8::1]:8181', '[2001:db8::1]:8181'],
    ['gate:8181', '0.0.0.0:8181'],
  ])('starts a gate that other machines reach, %s, with a token, and asks for it', async (gate, listens) => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'token'), '0123456789abcdef', { mode: 0o600 })
    const started = `gate --authz ${listens} --server-file a2a-totp-server.json --authz-token-file FILE\n`
    const open = await runCli(server(format, '--gate', gate), { cwd })
    expect(open.stdout).toContain(started)
    expect(open.stderr).toContain('pass the same --authz-token-file here')
    const kept = await runCli(server(format, '--gate', gate, '--authz-token-file', 'token'), { cwd })
    expect(kept.stdout).toContain(started)
    expect(kept.stderr).not.toContain('pass the same')
  })

  it('needs no token for a gate on loopback', async () => {
    const cwd = await makeStore(['alice'])
    for (const gate of ['127.0.0.2:8181', '[::1]:8181']) {
      const { stdout, stderr } = await runCli(server(format, '--gate', gate), { cwd })
      expect(stdout).toContain(`gate --authz ${gate} --server-file a2a-totp-server.json\n`)
      expect(stderr).not.toContain('token')
    }
  })

  it('says what the gate needs where proofs are required', async () => {
    const strict = await runCli(server(format), { cwd: await makeStore(['alice'], ['--strict']) })
    expect(strict.stdout).toMatch(/gate --authz .*--body-unchecked/)
    expect(strict.stderr).toMatch(/start the gate with --body-unchecked, or put gate --upstream/)
    const plain = await runCli(server(format), { cwd: await makeStore(['alice']) })
    expect(plain.stdout + plain.stderr).not.toContain('body-unchecked')
  })

  it('refuses a header that proxies drop', async () => {
    const run = await runCli(server(format), { cwd: await makeStore(['alice'], ['--header', 'X_Own']) })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('use letters, digits and hyphens')
  })
})

describe('config server --format caddy', () => {
  it.each(['127.0.0.1:3001', '0.0.0.0:3001', '[::1]:3001'])(
    'has HTTP/2 without TLS on the listener for gRPC as it is bound: %s',
    async (address) => {
      const args = server('caddy', '--listen-grpc', address)
      const { stdout } = await runCli(args, { cwd: await makeStore(['alice']) })
      // Caddy passes over the options of a listener that it does not have.
      expect(stdout).toContain(`servers ${address} {`)
    },
  )
})

describe('config server --format envoy', () => {
  it('starts a gate with a token where other machines reach it over gRPC', async () => {
    const args = server('envoy', '--gate-grpc', 'gate:8182')
    const { stdout, stderr } = await runCli(args, { cwd: await makeStore(['alice']) })
    expect(stdout).toMatch(/ --authz 127.0.0.1:8181 --authz-grpc 0.0.0.0:8182 .* --authz-token-file FILE$/m)
    expect(stderr).toContain('pass the same --authz-token-file here')
  })
})

describe('config server --format haproxy', () => {
  it('says that the name of the gate has to be in DNS', async () => {
    const cwd = await makeStore(['alice'])
    const said = async (gate: string): Promise<string> =>
      (await runCli(server('haproxy', '--gate', gate), { cwd })).stderr
    expect(await said('gate.internal:8181')).toContain('HAProxy looks up gate.internal in DNS alone')
    for (const gate of ['127.0.0.1:8181', '[::1]:8181', 'localhost:8181'])
      expect(await said(gate)).not.toContain('DNS')
  })
})

describe.each(several)('config server --format %s --out', (format) => {
  const [main, other = ''] = fronts[format]

  it('writes the other file beside it, which names it', async () => {
    const cwd = await makeStore(['alice'])
    const folder = makeFolder()
    const name = main.replace(/^[^.]+/, 'mine')
    const run = await runCli(server(format, '--out', join(folder, name)), { cwd })
    expect(run).toMatchObject({ exitCode: 0, stdout: '' })
    expect(readdirSync(folder).sort()).toEqual([name, other].sort())
    expect(readFileSync(join(folder, other), 'utf8')).toContain(name)
    expect(readFileSync(join(folder, name), 'utf8')).toContain(other)
  })

  it.each([main, other])('writes nothing where %s exists, unless --force is given', async (existing) => {
    const cwd = await makeStore(['alice'])
    const folder = makeFolder()
    writeFileSync(join(folder, existing), 'old')
    const args = server(format, '--out', join(folder, main))
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 1 })
    expect(readdirSync(folder)).toEqual([existing])
    expect(readFileSync(join(folder, existing), 'utf8')).toBe('old')
    expect(await runCli([...args, '--force'], { cwd })).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(folder, existing), 'utf8')).not.toBe('old')
  })

  it('does not write both to one name', async () => {
    const folder = makeFolder()
    const run = await runCli(server(format, '--out', join(folder, other)), {
      cwd: await makeStore(['alice']),
    })
    expect(run).toMatchObject({ exitCode: 2 })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('the addresses of a proxy', () => {
  it('are for no other format', async () => {
    const cwd = await makeStore(['alice'])
    const run = await runCli(server('json', '--gate', '127.0.0.1:1'), { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('--gate cannot be used with --format json')
  })

  it('go into files with endings that the programs know', async () => {
    const cwd = await makeStore(['alice'])
    for (const format of ['traefik', 'envoy']) {
      expect(await runCli(server(format, '--out', 'own.conf'), { cwd })).toMatchObject({ exitCode: 2 })
      expect(existsSync(join(cwd, 'own.conf'))).toBe(false)
    }
  })
})
