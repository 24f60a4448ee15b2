import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder, parseJson, runCli, type CliRun } from '../support/cli.js'
import { rejectionOf } from '../support/store-folder.js'
import { createStore } from '../../src/store/create-store.js'
import { fileSystem } from '../../src/store/file-system.js'
import { previousPath } from '../../src/store/previous.js'
import { readStore } from '../../src/store/store.js'
import { systemError, watchedFs } from '../support/faulty-fs.js'
import { rosterOf } from '../support/roster.js'

let [identity, recipient] = ['', '']
beforeAll(async () => {
  identity = await generateIdentity()
  recipient = await identityToRecipient(identity)
})

const pathIn = (cwd: string): string => join(cwd, 'a2a-totp.json')

async function done(cwd: string, ...args: string[]): Promise<CliRun> {
  const run = await runCli(args, { cwd, env: { A2A_TOTP_IDENTITY: identity } })
  expect(run.exitCode, `${args.join(' ')}: ${run.stderr}`).toBe(0)
  return run
}

const serialOf = async (cwd: string): Promise<unknown> =>
  parseJson(await done(cwd, 'config', 'server'))['serial']

describe('a store that replaces another', () => {
  it.each([
    ['in plain text', false],
    ['encrypted', true],
  ])('goes on with the serial of one %s: its server file is the newer one', async (_, encrypted) => {
    const cwd = makeFolder()
    await done(cwd, 'init', ...(encrypted ? ['--encrypt-to', recipient] : []))
    for (const name of ['alice', 'bob', 'carol']) await done(cwd, 'add-peer', name)
    const before = await serialOf(cwd)
    await done(cwd, 'init', '--force', '--yes')
    await done(cwd, 'add-peer', 'alice')
    expect(await serialOf(cwd)).toBeGreaterThan(Number(before))
  })

  it('goes on with the serial of a damaged one, where it can be seen', async () => {
    const path = pathIn(makeFolder())
    writeFileSync(path, '{ "version": 1, "serial": 41, "agent"', { mode: 0o600 })
    await createStore(path, rosterOf([]), { now: new Date(), replace: true })
    expect((await readStore(path)).serial).toBe(42)
  })

  it('can be written where the serial of the old one is the last there is', async () => {
    const path = pathIn(makeFolder())
    await createStore(path, rosterOf([], { serial: Number.MAX_SAFE_INTEGER }), { now: new Date() })
    await createStore(path, rosterOf([]), { now: new Date(), replace: true })
    expect((await readStore(path)).serial).toBeLessThan(Number.MAX_SAFE_INTEGER)
  })

  it('leaves no earlier state in plain text beside it when it is encrypted, but the backup that it names', async () => {
    const cwd = makeFolder()
    await done(cwd, 'init')
    await done(cwd, 'add-peer', 'alice')
    await done(cwd, 'add-peer', 'bob')
    const { stderr } = await done(cwd, 'init', '--force', '--yes', '--encrypt-to', recipient)
    expect(existsSync(previousPath(pathIn(cwd)))).toBe(false)
    const backups = readdirSync(cwd).filter((name) => name.includes('.bak-'))
    expect(backups).toHaveLength(1)
    expect(stderr).toContain(`the old store is kept as ${join(cwd, backups[0] ?? '')}`)
    expect(readFileSync(join(cwd, backups[0] ?? ''), 'utf8')).toContain('"bob"')
  })
})

describe('a store that cannot be replaced', () => {
  const now = new Date('2026-11-23T22:45:01.987Z')

  it('stays as it is where its backup cannot be written', async () => {
    const path = pathIn(makeFolder())
    await createStore(path, rosterOf([], { agent: 'old' }), { now })
    let faults = 0
    const openSync = ((...given: Parameters<typeof fileSystem.openSync>) => {
      if (String(given[0]).includes('.bak-') && faults++ === 0) throw systemError('ENOSPC')
      return fileSystem.openSync(...given)
    }) as typeof fileSystem.openSync
    const fs = { ...fileSystem, openSync }
    expect(await rejectionOf(createStore(path, rosterOf([]), { now, replace: true, fs }))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: `cannot write ${path}.bak-20261123T224501Z: the disk is full; free some space and try again`,
    })
    expect((await readStore(path)).agent).toBe('old')
    expect(readdirSync(join(path, '..'))).toEqual(['a2a-totp.json'])
  })

  it('stays as it is where asking for its key fails by a mistake', async () => {
    const path = pathIn(makeFolder())
    const protection = { kind: 'recipients', recipients: [recipient] } as const
    await createStore(path, rosterOf([], { agent: 'old' }), { now, protection })
    const before = readFileSync(path)
    const mistake = new RangeError('this is a mistake of ours')
    const keys = { identities: () => Promise.reject(mistake), passphrase: () => Promise.reject(mistake) }
    expect(await rejectionOf(createStore(path, rosterOf([]), { now, replace: true, keys }))).toBe(mistake)
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(join(path, '..'))).toEqual(['a2a-totp.json'])
  })

  it('is named where it cannot be looked at', async () => {
    const path = pathIn(makeFolder())
    const fs = watchedFs((call) => {
      if (call === 'lstatSync') throw systemError('EACCES')
    })
    expect(await rejectionOf(createStore(path, rosterOf([]), { now, fs }))).toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: `cannot write ${path}: no permission; change the permissions, or run as its owner`,
    })
  })
})

describe('a store that is created beside the rest of an older one', () => {
  it('has nothing before it to go back to: the rest becomes a backup', async () => {
    const path = pathIn(makeFolder())
    writeFileSync(previousPath(path), 'old', { mode: 0o600 })
    const now = new Date('2026-11-23T22:45:01.987Z')
    expect(await createStore(path, rosterOf([]), { now })).toEqual({})
    expect(existsSync(previousPath(path))).toBe(false)
    expect(readFileSync(`${path}.bak-20261123T224501Z`, 'utf8')).toBe('old')
  })

  it('is not, where that cannot be set aside, and the file is named', async () => {
    const path = pathIn(makeFolder())
    const previous = previousPath(path)
    writeFileSync(previous, 'old', { mode: 0o600 })
    const readFileSync = ((...given: Parameters<typeof fileSystem.readFileSync>) => {
      if (given[0] === previous) throw systemError('EACCES')
      return fileSystem.readFileSync(...given)
    }) as typeof fileSystem.readFileSync
    const fs = { ...fileSystem, readFileSync }
    const error = await rejectionOf(createStore(path, rosterOf([]), { now: new Date(), fs }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect(String(error)).toContain(`cannot set ${previous} aside: no permission`)
    expect(existsSync(path)).toBe(false)
  })

  it('is, where that is a folder', async () => {
    const path = pathIn(makeFolder())
    mkdirSync(previousPath(path))
    await createStore(path, rosterOf([]), { now: new Date() })
    expect(existsSync(path)).toBe(true)
    rmSync(previousPath(path), { recursive: true })
  })
})
