import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../support/folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder()

const run = (command: string, args: string[], cwd: string): string =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] }).toString()

let tarball = ''

beforeAll(() => {
  // Without scripts: the build that is under test is there already.
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '')
})

describe('the packed tarball', () => {
  it('holds what a user needs and nothing else', () => {
    const files = run('tar', ['-tzf', tarball], folder)
      .trim()
      .split('\n')
      .map((name) => name.replace('package/', ''))
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'bin/a2a-totp.cjs',
        'dist/index.js',
        'dist/index.d.ts',
      ]),
    )
    expect(files.filter((name) => !/^(bin|dist)\/|^(LICENSE|package\.json|[A-Z]+\.md)$/.test(name))).toEqual(
      [],
    )
  })

  it('runs the CLI on its own, with no package installed', async () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    run('tar', ['-xzf', tarball, '-C', alone], folder)
    const cli = join(alone, 'package/bin/a2a-totp.cjs')
    const a2aTotp = (...args: string[]): string => run(process.execPath, [cli, ...args], alone)
    a2aTotp('init')
    a2aTotp('add-peer', 'alice', 'bob')
    a2aTotp('show', 'alice', '--qr-file', 'alice.png')
    expect(a2aTotp('code', 'alice')).toMatch(/^\d{6}\n$/)
    const agent = spawn(process.execPath, [cli, 'demo'], { cwd: alone, stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void agent.kill('SIGKILL'))
    const [card] = (await once(createInterface({ input: agent.stdout }), 'line')) as [string]
    const report = JSON.parse(a2aTotp('probe', new URL(card).origin, 'alice', '--json')) as { ok: boolean }
    expect(report.ok).toBe(true)
  })

  it('is a library whose core, server and client load without any optional package', () => {
    const user = join(folder, 'user')
    mkdirSync(user)
    writeFileSync(join(user, 'package.json'), '{"type":"module"}')
    run('npm', ['install', '--no-audit', '--no-fund', '--omit=optional', '--omit=peer', tarball], user)
    for (const optional of Object.keys(packageJson.peerDependencies)) {
      expect(() =>
        run(process.execPath, ['-e', `import.meta.resolve; require.resolve('${optional}')`], user),
      ).toThrow()
    }
    writeFileSync(
      join(user, 'use.js'),
      `import { Seed, generateCode, defaultProfile } from 'a2a-totp'
       import { TOTPServerAuthScheme } from 'a2a-totp/server'
       import { TOTPClientAuthScheme } from 'a2a-totp/client'
       const seed = Seed.fromBase32('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
       console.log(generateCode(seed, defaultProfile, new Date(59000)), typeof TOTPServerAuthScheme, typeof TOTPClientAuthScheme)`,
    )
    expect(run(process.execPath, ['use.js'], user)).toBe('287082 function function\n')
  })

  it('has types that a strict compiler takes', () => {
    const user = join(folder, 'user')
    writeFileSync(
      join(user, 'use.ts'),
      `import { Seed, withTotpSecurity, type TOTPProfile } from 'a2a-totp'
       import { PeerTokenAuth, TOTPServerAuthScheme, type AuthRequest } from 'a2a-totp/server'
       import { BearerTokenAuth, TOTPClientAuthScheme } from 'a2a-totp/client'
       export const profile: Partial<TOTPProfile> = { digits: 8 }
       export const scheme = new TOTPServerAuthScheme({
         delegate: new PeerTokenAuth({ alice: 'sha256:${'0'.repeat(64)}' }),
         peerSeeds: { alice: Seed.fromBytes(new Uint8Array(20)) },
         replay: 'reuse',
         profile,
       })
       export const ask = (request: AuthRequest) => scheme.authenticate(request)
       export const card = withTotpSecurity({ name: 'x' })
       export const client = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth('t'), seed: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' })`,
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--typeRoots',
      join(root, 'node_modules/@types'),
      '--types',
      'node',
    ]
    expect(run(process.execPath, [tsc, ...flags, 'use.ts'], user)).toBe('')
  })
})
