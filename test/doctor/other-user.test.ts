import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, makeStore } from '../support/cli.js'

const nobody = 65_534

/** Whether this is root, and anybody may read the built binary. */
function canBeNobody(): boolean {
  if (process.getuid?.() !== 0) return false
  const look = 'require("fs").accessSync(process.argv[1], 4)'
  return spawnSync(process.execPath, ['-e', look, binary], { uid: nobody, gid: nobody }).status === 0
}

interface Report {
  readonly status: number | null
  readonly stderr: string
  readonly ids: readonly string[]
}

function doctorAsNobody(cwd: string, ...args: string[]): Report {
  const { status, stdout, stderr } = spawnSync(process.execPath, [binary, 'doctor', '--json', ...args], {
    cwd,
    uid: nobody,
    gid: nobody,
    env: { PATH: process.env['PATH'], HOME: cwd },
    encoding: 'utf8',
  })
  const { findings } = JSON.parse(stdout) as { findings: { id: string }[] }
  return { status, stderr, ids: findings.map(({ id }) => id) }
}

async function storeOf(owner: number): Promise<string> {
  const cwd = await makeStore(['alice', 'bob'])
  for (const path of [cwd, join(cwd, 'a2a-totp.json')]) chownSync(path, owner, owner)
  return cwd
}

describe.skipIf(!canBeNobody())('doctor, run by somebody else (skipped unless root may be nobody)', () => {
  it('warns of a mode that it may not change', async () => {
    const cwd = await storeOf(0)
    chmodSync(cwd, 0o755)
    chmodSync(join(cwd, 'a2a-totp.json'), 0o644)
    const { status, stderr, ids } = doctorAsNobody(cwd, '--fix')
    expect(status).toBe(1)
    expect(stderr).toContain('cannot change the mode of')
    expect(ids).toEqual(expect.arrayContaining(['store-mode', 'store-owner']))
  })

  it('reports a previous store that it cannot read', async () => {
    const cwd = await storeOf(nobody)
    const { ids } = doctorAsNobody(cwd)
    expect(ids).toContain('previous-stale')
  })

  it('reports a folder that it cannot list, and goes on', async () => {
    const cwd = await storeOf(nobody)
    chmodSync(cwd, 0o300)
    const { status, ids } = doctorAsNobody(cwd)
    expect(status).toBeLessThan(2)
    expect(ids).toContain('folder-unlisted')
  })
})
