import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson } from '../support/cli.js'
import { cli, recipient } from '../support/git-store.js'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly message: string
  readonly fix: string
}

async function previousFindings(cwd: string): Promise<Finding[]> {
  const { findings } = parseJson(await cli('doctor --json', cwd)) as { findings: Finding[] }
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
