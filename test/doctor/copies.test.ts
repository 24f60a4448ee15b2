import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli } from '../support/cli.js'
import { git, hasGit } from '../support/git.js'
import { cli, recipient } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly subject: string
  readonly fix: string
}

async function copyFindings(cwd: string): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd)) as { findings: Finding[] }
  return findings.filter(({ id }) => id === 'copy-plaintext')
}

/** Names that editors, merges and people give to copies. */
const copyNames = [
  ...['a2a-totp.json~', '#a2a-totp.json#', '.a2a-totp.json.swp', '.a2a-totp.json.swo', '.a2a-totp.json.un~'],
  ...[
    'a2a-totp.json.orig',
    'a2a-totp.json.rej',
    'a2a-totp.json.bak',
    'a2a-totp.json.old',
    'a2a-totp.json.save',
  ],
  ...['a2a-totp.json (copy)', 'a2a-totp (copy).json', 'Copy of a2a-totp.json', 'a2a-totp copy.json'],
  ...[
    "a2a-totp (alice's conflicted copy 2026-11-29).json",
    'a2a-totp.json.tmp',
    'sedWyTpQk',
    'a2a-totp\n.json',
  ],
]

describe('doctor on copies of the store', () => {
  it.each(copyNames)('finds %j, and its fix removes it', async (name) => {
    const cwd = await makeStore(['alice'])
    copyFileSync(join(cwd, 'a2a-totp.json'), join(cwd, name))
    chmodSync(join(cwd, name), 0o600)
    const [finding, ...others] = await copyFindings(cwd)
    expect(finding).toMatchObject({ severity: 'warning', subject: join(cwd, name) })
    expect(others).toEqual([])
    execFileSync('sh', ['-c', finding?.fix ?? 'false'], { cwd })
    expect(existsSync(join(cwd, name))).toBe(false)
    expect(existsSync(join(cwd, 'a2a-totp.json'))).toBe(true)
    expect(await copyFindings(cwd)).toEqual([])
  })

  it('finds a copy and a backup of any size', async () => {
    const cwd = await makeStore(['alice'])
    const text = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8').trimEnd() + ' '.repeat(5 << 20)
    for (const name of ['a2a-totp.json~', 'a2a-totp.json.bak-1'])
      writeFileSync(join(cwd, name), text, { mode: 0o600 })
    expect(await copyFindings(cwd)).toMatchObject([{ subject: join(cwd, 'a2a-totp.json~') }])
    const { stdout } = await runCli(['doctor'], { cwd })
    expect(stdout).toContain('backup-plaintext')
  })

  it('prints their names on one line', async () => {
    const cwd = await makeStore(['alice'])
    copyFileSync(join(cwd, 'a2a-totp.json'), join(cwd, 'a2a-totp.json\n::error::\u001b[31m'))
    const { stdout } = await runCli(['doctor'], { cwd })
    // eslint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/::error|\u001b/)
    expect(stdout.split('\n').filter((line) => line.includes('copy-plaintext'))).toHaveLength(1)
  })

  it('finds parts of a store in the middle of binary data, as in a swap file', async () => {
    const cwd = await makeStore(['alice'])
    const text = readFileSync(join(cwd, 'a2a-totp.json'))
    const noise = Buffer.from([0, 255, 10, 0, 1])
    writeFileSync(join(cwd, '.a2a-totp.json.swp'), Buffer.concat([noise, text.subarray(40), noise]))
    expect(await copyFindings(cwd)).toHaveLength(1)
  })

  it('is serious about one that others can read', async () => {
    const cwd = await makeStore(['alice'])
    copyFileSync(join(cwd, 'a2a-totp.json'), join(cwd, 'a2a-totp.json~'))
    chmodSync(join(cwd, 'a2a-totp.json~'), 0o644)
    expect(await copyFindings(cwd)).toMatchObject([{ severity: 'serious' }])
  })

  it.skipIf(!hasGit)('is serious about one that git would take (skipped without git)', async () => {
    const cwd = await makeStore(['alice'])
    git(cwd, 'init', '-q')
    copyFileSync(join(cwd, 'a2a-totp.json'), join(cwd, 'a2a-totp.json.orig'))
    chmodSync(join(cwd, 'a2a-totp.json.orig'), 0o600)
    expect(await copyFindings(cwd)).toMatchObject([{ severity: 'serious' }])
  })

  it('looks at what is in them: an encrypted one, a link and other files are no finding', async () => {
    const cwd = await makeStore(['alice'])
    await runCli(['encrypt', '--encrypt-to', recipient], { cwd })
    copyFileSync(join(cwd, 'a2a-totp.json'), join(cwd, 'a2a-totp.json~'))
    writeFileSync(join(cwd, 'a2a-totp.json.notes'), 'the store of "billing"; "token": see the wiki')
    symlinkSync('/dev/zero', join(cwd, '.#a2a-totp.json'))
    await runCli(['config', 'server', '--out', 'a2a-totp.server.json'], { cwd })
    expect(await copyFindings(cwd)).toEqual([])
  })
})
