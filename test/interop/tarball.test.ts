import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { hash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../support/folder.js'
import { smokeTest } from '../support/smoke.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder()

const run = (command: string, args: string[], cwd: string): string =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** For what is expected to say why it fails. */
const tried = (command: string, args: string[], cwd: string): SpawnSyncReturns<string> =>
  spawnSync(command, args, { cwd, encoding: 'utf8' })

let tarball = ''

beforeAll(() => {
  // Without scripts: the build that is under test is there already.
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)
  tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '')
})

describe('the packed tarball', () => {
  it('installs as the README says, without a warning, and runs no script', () => {
    // The prefix stands for the folder of global packages. With --foreground-scripts a script's output would be seen.
    const flags = ['--global', '--prefix', join(folder, 'global'), '--prefer-offline', '--foreground-scripts']
    // Under `npm run --silent` npm would say nothing here, and hide what it has to warn of.
    flags.push('--loglevel', 'notice')
    const { status, stdout, stderr } = tried('npm', ['install', ...flags, tarball], folder)
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\s*added \d+ packages in \d+m?s\s*$/) as string,
      stderr: '',
    })
    expect(run(join(folder, 'global/bin/a2a-totp'), ['--version'], folder)).toBe(`${packageJson.version}\n`)
    expect(readdirSync(join(folder, 'global/share/man/man1'))).toContain('a2a-totp-mesh-apply.1')
    expect(readdirSync(join(folder, 'global/share/man/man7'))).toContain('a2a-totp-exit-codes.7')
  })

  it('installs into a project as the README says, beside the SDK and Express', () => {
    const project = join(folder, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{"type":"module"}')
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'notice']
    const { status, stderr } = tried('npm', ['install', ...flags, '@a2a-js/sdk', 'express', tarball], project)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const code = ['server', 'server/a2a', 'server/express', 'client'].map(
      (name) => `import 'a2a-totp/${name}'`,
    )
    expect(run(process.execPath, ['--input-type=module', '--eval', code.join('\n')], project)).toBe('')
  })

  it('can be published', () => {
    // A dry run that neither asks nor tells a registry. It warns where nobody is logged in, which is no fault of ours.
    const { status, stderr } = tried('npm', ['publish', '--dry-run', '--offline', '--ignore-scripts'], root)
    const warnings = stderr.match(/^npm (warn|error) (?!.* requires you to be logged in).*/gm)
    expect([status, warnings]).toEqual([0, null])
  })

  it('is the same, byte for byte, built twice in two places', () => {
    const sums = ['one', 'deeper/two'].map((name) => {
      const checkout = join(folder, name)
      mkdirSync(checkout, { recursive: true })
      const tracked = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], root)
        .split('\0')
        .filter(Boolean)
      for (const path of tracked) cpSync(join(root, path), join(checkout, path), { recursive: true })
      run('cp', ['-al', join(root, 'node_modules'), checkout], root)
      run('npm', ['pack', '--silent'], checkout)
      const made = readdirSync(checkout).find((file) => file.endsWith('.tgz')) ?? ''
      return hash('sha256', readFileSync(join(checkout, made)))
    })
    expect(new Set(sums).size).toBe(1)
    expect(sums[0]).toBe(hash('sha256', readFileSync(tarball)))
  })

  it('passes publint', () => {
    const publint = join(root, 'node_modules/publint/src/cli.js')
    expect(tried(process.execPath, [publint, tarball], folder).stdout).toContain('All good!')
  })

  it('passes are-the-types-wrong at every entry point', () => {
    // The package is ESM alone, and its entry points are those of `exports`. The profile leaves out what cannot apply:
    // `require()` before Node 20.19, and the resolution of Node 10, which does not read `exports`. The types are in the
    // tarball, so DefinitelyTyped is not looked up.
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const flags = ['--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii']
    const { status, stdout } = tried(process.execPath, [attw, tarball, ...flags], folder)
    for (const entry of Object.keys(packageJson.exports)) {
      expect(stdout).toContain(`"${join('a2a-totp', entry)}"`)
    }
    expect([status, status === 0 ? '' : stdout]).toEqual([0, ''])
  })

  it('runs the CLI on its own, with no package installed', async () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    run('tar', ['-xzf', tarball, '-C', alone], folder)
    await smokeTest([process.execPath, join(alone, 'package/bin/a2a-totp.cjs')], alone)
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

  it('has types that a strict compiler takes, with those of Node and of no optional package', () => {
    const user = join(folder, 'user')
    writeFileSync(
      join(user, 'use.ts'),
      `import { Seed, withTotpSecurity, type TOTPProfile } from 'a2a-totp'
       import { PeerTokenAuth, TOTPServerAuthScheme, type AuthRequest } from 'a2a-totp/server'
       import { totpGuard } from 'a2a-totp/server/fetch'
       import { totpGuard as nodeGuard } from 'a2a-totp/server/node'
       import { BearerTokenAuth, TOTPClientAuthScheme } from 'a2a-totp/client'
       export const profile: Partial<TOTPProfile> = { digits: 8 }
       export const scheme = new TOTPServerAuthScheme({
         delegate: new PeerTokenAuth({ alice: 'sha256:${'0'.repeat(64)}' }),
         peerSeeds: { alice: Seed.fromBytes(new Uint8Array(20)) },
         replay: 'reuse',
         profile,
       })
       export const ask = (request: AuthRequest) => scheme.authenticate(request)
       export const guards = [totpGuard(scheme), nodeGuard(scheme, (_, response) => response.end())]
       export const card = withTotpSecurity({ name: 'x' })
       export const client = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth('t'), seed: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' })`,
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const nodeTypes = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const target = ['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023']
    const strictness = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']
    const { stdout } = tried(process.execPath, [tsc, ...strictness, ...target, ...nodeTypes, 'use.ts'], user)
    expect(stdout).toBe('')
  })
})
