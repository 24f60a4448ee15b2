import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, runBinary } from '../support/cli.js'

/** Node's own, from 22.1 on. The suite runs on older ones as well. */
const supported = 'enableCompileCache' in module
const posix = process.platform !== 'win32'

/** Files in a folder, at any depth. */
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        statSync(join(folder, name)).isFile(),
      )
    : []

async function version(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const run = await runBinary(['--version'], { cwd, env: { XDG_CACHE_HOME: '', ...env } })
  expect(run).toMatchObject({ exitCode: 0, stderr: '' })
  expect(run.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
}

describe.skipIf(!posix)('the compile cache', () => {
  it.runIf(supported)('is a folder that only its user can read (skipped before Node 22.1)', async () => {
    const home = makeFolder()
    await version(home)
    const folder = join(home, '.cache/a2a-totp')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(filesIn(folder)).not.toEqual([])
    await version(home)
  })

  it.runIf(supported)('is where XDG_CACHE_HOME says (skipped before Node 22.1)', async () => {
    const home = makeFolder()
    await version(home, { XDG_CACHE_HOME: join(home, 'caches') })
    expect(filesIn(join(home, 'caches/a2a-totp'))).not.toEqual([])
    expect(existsSync(join(home, '.cache'))).toBe(false)
  })

  it.skipIf(supported)('does not exist before Node 22.1', async () => {
    const home = makeFolder()
    await version(home)
    expect(readdirSync(home)).toEqual([])
  })

  it('is not used if others can write to it, or if it is a link', async () => {
    const [open, linked, elsewhere] = [makeFolder(), makeFolder(), makeFolder()]
    mkdirSync(join(open, 'a2a-totp'))
    chmodSync(join(open, 'a2a-totp'), 0o770)
    symlinkSync(elsewhere, join(linked, 'a2a-totp'))
    for (const caches of [open, linked]) await version(makeFolder(), { XDG_CACHE_HOME: caches })
    expect([...filesIn(join(open, 'a2a-totp')), ...filesIn(elsewhere)]).toEqual([])
  })

  it('is not created below a folder that others can write to', async () => {
    const open = makeFolder()
    chmodSync(open, 0o777)
    await version(makeFolder(), { XDG_CACHE_HOME: join(open, 'caches') })
    expect(readdirSync(open)).toEqual([])
  })

  it.runIf(process.geteuid?.() === 0)("is not created in another user's home, as under sudo", async () => {
    const home = makeFolder()
    chownSync(home, 12_345, 12_345)
    await version(makeFolder(), { HOME: home })
    expect(readdirSync(home)).toEqual([])
  })

  it.each([
    ['it is turned off', { NODE_DISABLE_COMPILE_CACHE: '1' }],
    ['its folder cannot be created', { XDG_CACHE_HOME: '/dev/null/caches' }],
    ['no absolute folder is named', { XDG_CACHE_HOME: '', HOME: 'home' }],
  ])('leaves nothing behind where %s', async (_, env) => {
    const home = makeFolder()
    await version(home, env)
    expect(readdirSync(home)).toEqual([])
  })

  it.runIf(existsSync('/proc/self/fd') && supported)(
    'does not fail a command when it is damaged',
    async () => {
      const home = makeFolder()
      await version(home)
      const folder = join(home, '.cache/a2a-totp')
      for (const name of filesIn(folder)) truncateSync(join(folder, name), 10)
      await version(home)
    },
  )
})
