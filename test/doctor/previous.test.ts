import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson } from '../support/cli.js'
import { cli, recipient } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly message: string
  readonly fix: string
}

async function previousFindings(cwd: string, env: Record<string, string> = {}): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd, env)) as { findings: Finding[] }
  return findings.filter(({ id }) => id.startsWith('previous-') || id === 'backup-plaintext')
}

/** Keeps the store as it is now, as each change does. */
function keep(cwd: string): string {
  const previous = join(cwd, 'a2a-totp.json.bak-prev')
  writeFileSync(previous, readFileSync(join(cwd, 'a2a-totp.json')), { mode: 0o600 })
  return previous
}

describe('doctor on the previous store', () => {
  it('has nothing against one whose credentials are still in the store', async () => {
    const cwd = await makeStore(['alice'])
    keep(cwd)
    await cli('add-peer bob', cwd)
    expect(await previousFindings(cwd)).toEqual([])
  })

  it.each(['remove-peer alice --yes', 'rotate alice --now'])(
    'reports one with what %s revoked, and its fix removes it',
    async (command) => {
      const cwd = await makeStore(['alice'])
      const previous = keep(cwd)
      await cli(command, cwd)
      if (!existsSync(previous)) keep(cwd)
      const [finding, ...others] = await previousFindings(cwd)
      expect(finding).toMatchObject({ id: 'previous-stale', severity: 'warning', fix: `rm ${previous}` })
      expect(finding?.message).toContain('2 revoked credentials')
      expect(others).toEqual([])
      execFileSync('sh', ['-c', finding?.fix ?? 'false'])
      expect(await previousFindings(cwd)).toEqual([])
    },
  )

  it('looks into the one of an encrypted store', async () => {
    const cwd = makeFolder()
    await cli(`init --encrypt-to ${recipient}`, cwd)
    await cli('add-peer alice', cwd)
    await cli('add-peer bob', cwd)
    expect(await previousFindings(cwd)).toEqual([])
    await cli('remove-peer bob --yes', cwd)
    expect(await previousFindings(cwd)).toMatchObject([
      {
        id: 'previous-stale',
        severity: 'warning',
        message: expect.stringContaining('2 revoked credentials') as string,
      },
    ])
  })

  it('looks into the one of a store with a passphrase', { timeout: 120_000 }, async () => {
    const cwd = makeFolder()
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
    await cli('init', cwd)
    await cli('add-peer alice bob', cwd)
    await cli('encrypt --passphrase', cwd, env)
    await cli('remove-peer bob --yes', cwd, env)
    expect(await previousFindings(cwd, env)).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('2 revoked credentials') as string },
    ])
  })

  it('says of one that it cannot read that it cannot tell', async () => {
    const cwd = await makeStore(['alice'])
    await cli(`encrypt --encrypt-to ${recipient}`, cwd)
    const encrypted = readFileSync(join(cwd, 'a2a-totp.json'))
    await cli('decrypt --yes', cwd)
    writeFileSync(join(cwd, 'a2a-totp.json.bak-prev'), encrypted, { mode: 0o600 })
    expect(await previousFindings(cwd)).toEqual([])
    const cannotTell = {
      id: 'previous-stale',
      severity: 'note',
      message: expect.stringContaining('cannot be read here') as string,
    }
    expect(await previousFindings(cwd, { A2A_TOTP_IDENTITY: '' })).toMatchObject([cannotTell])
    writeFileSync(join(cwd, 'a2a-totp.json.bak-prev'), '{', { mode: 0o600 })
    expect(await previousFindings(cwd)).toMatchObject([cannotTell])
  })

  it('reports one that is older than 7 days', async () => {
    const cwd = await makeStore(['alice'])
    const before = new Date(Date.now() - 8 * 86_400_000)
    utimesSync(keep(cwd), before, before)
    expect(await previousFindings(cwd)).toMatchObject([{ id: 'previous-stale' }])
  })

  it('is serious about one in plain text beside an encrypted store', async () => {
    const cwd = await makeStore(['alice'])
    const plain = readFileSync(join(cwd, 'a2a-totp.json'))
    await cli(`encrypt --encrypt-to ${recipient}`, cwd)
    writeFileSync(join(cwd, 'a2a-totp.json.bak-prev'), plain, { mode: 0o600 })
    expect(await previousFindings(cwd)).toMatchObject([{ id: 'previous-plaintext', severity: 'serious' }])
  })
})
