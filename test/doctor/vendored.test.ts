import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { stampVendored } from '../../src/fragments/vendored.js'
import { makeStore, parseJson } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { cli } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
  readonly message: string
  readonly fix: string
}

async function vendoredFindings(cwd: string): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd)) as { findings: Finding[] }
  return findings.filter(({ id }) => id === 'vendored-old')
}

const unmarked = (text: string): string => text.replace(/^# a2a-totp .*\n/m, '')

describe('doctor on Python modules that config printed', () => {
  it.each([
    'client alice --format python --vendored',
    'client alice --format crewai --vendored',
    'server --format python --vendored',
    'server --format crewai --vendored',
  ])('reports that of config %s by another version', async (args) => {
    const cwd = await makeStore(['alice'])
    const text = unmarked((await cli(`config ${args}`, cwd)).stdout)
    const module = join(cwd, 'module.py')
    writeFileSync(module, stampVendored(text, '0.0.9'))
    expect(await vendoredFindings(cwd)).toMatchObject([
      {
        severity: 'warning',
        subject: module,
        message: `this module was printed by version 0.0.9 of a2a-totp, this is ${packageJson.version}`,
        fix: `a2a-totp config ${args} --out ${module} --force`,
      },
    ])
    writeFileSync(module, stampVendored(text, '0.0.9').replace('import', 'import  '))
    expect((await vendoredFindings(cwd))[0]?.message).toContain('changed by hand')
    writeFileSync(module, stampVendored(text, packageJson.version))
    expect(await vendoredFindings(cwd)).toEqual([])
    writeFileSync(module, text)
    expect(await vendoredFindings(cwd)).toEqual([])
  })

  it('says of a server module of version 0.1, which named no version, what was renamed', async () => {
    const cwd = await makeStore(['alice'])
    const head =
      'Made by `a2a-totp config server --format python` (or `crewai`, which adds its own). Save it as'
    const module = join(cwd, 'module.py')
    writeFileSync(
      module,
      `"""A guard.\n\n${head}\n`.concat('`a2a_totp_server.py`.\n"""\nclass Authenticator:\n'),
    )
    expect(await vendoredFindings(cwd)).toMatchObject([
      {
        message: expect.stringMatching(
          /^this module was printed by version 0\.1 .*changed by hand.*; Authenticator is now TOTPServerAuthScheme, see docs\/upgrading\.md$/,
        ) as string,
        fix: `a2a-totp config server --format python --vendored --out ${module} --force`,
      },
    ])
  })

  it.each([
    ['"""Made by `a2a-totp config client NAME --format crewai`."""', 'client alice --format crewai'],
    [
      '"""Made by `a2a-totp config server --format python` (or `crewai`)."""\nclass TOTPServerAuthScheme(ServerAuthScheme):',
      'server --format crewai',
    ],
  ])('knows the modules of version 0.1: %s', async (text, args) => {
    const cwd = await makeStore(['alice'])
    const module = join(cwd, 'module.py')
    writeFileSync(module, stampVendored(text, '0.0.9'))
    expect((await vendoredFindings(cwd))[0]?.fix).toBe(
      `a2a-totp config ${args} --vendored --out ${module} --force`,
    )
  })

  it('reports one that another build of this version printed, unless it was changed by hand', async () => {
    const cwd = await makeStore(['alice'])
    const module = join(cwd, 'module.py')
    const old =
      '"""Made by `a2a-totp config server --format python` (or `crewai`)."""\nclass Authenticator:\n'
    writeFileSync(module, stampVendored(old, packageJson.version))
    expect(await vendoredFindings(cwd)).toMatchObject([
      {
        subject: module,
        message: `this module was printed by another build of a2a-totp ${packageJson.version}`,
        fix: `a2a-totp config server --format python --vendored --out ${module} --force`,
      },
    ])
    writeFileSync(module, `${stampVendored(old, packageJson.version)}mine = True\n`)
    expect(await vendoredFindings(cwd)).toEqual([])
  })

  it('takes a file with the line endings of Windows for what was printed', async () => {
    const cwd = await makeStore(['alice'])
    const { stdout } = await cli('config client alice --format python --vendored', cwd)
    writeFileSync(join(cwd, 'module.py'), stdout.replaceAll('\n', '\r\n'))
    expect(await vendoredFindings(cwd)).toEqual([])
  })

  it.skipIf(!hasGit)('looks in the whole work tree (skipped without git)', async () => {
    const cwd = await makeStore(['alice'])
    git(cwd, 'init', '-q')
    mkdirSync(join(cwd, 'src', 'agent'), { recursive: true })
    const module = join(cwd, 'src', 'agent', 'auth.py')
    writeFileSync(module, stampVendored('import os\n', '0.0.9'))
    git(cwd, 'add', 'src')
    expect(await vendoredFindings(cwd)).toMatchObject([{ subject: module }])
  })
})
