import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { smokeTest } from '../support/smoke.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder()
const binary = join(folder, 'a2a-totp')

describe('the single executable', () => {
  beforeAll(() => {
    console.log(
      execFileSync(process.execPath, [join(root, 'scripts/build-binary.mjs'), binary], { encoding: 'utf8' }),
    )
  }, 600_000)

  it('does what the tarball does, with nothing beside it', async () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    await smokeTest([binary], alone)
  })

  it('says what is wrong, and needs no file for a script of a shell', () => {
    const run = (...args: string[]): string =>
      execFileSync(binary, args, { cwd: folder, stdio: 'pipe' }).toString()
    expect(() => run('code', 'nobody')).toThrow(/no store/)
    expect(run('completion', 'bash')).toContain('a2a-totp')
  })
})
