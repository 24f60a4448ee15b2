import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { previousPath } from '../../src/store/previous.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { makeStore, makeStoreFolder } from '../support/store-folder.js'
import { useWorkers } from '../support/store-processes.js'
import { contention, countIn, killStorm, makeCounter, writers } from '../support/store-storms.js'

const workers = useWorkers()
const root = process.getuid?.() === 0
const nobody = 65_534

describe('several processes on one store', () => {
  it('lose nothing when 8 of them make 50 changes each', async () => {
    const { acknowledged, present } = await writers(workers, 8, 50)
    expect(acknowledged).toHaveLength(400)
    expect(present.sort()).toEqual(acknowledged.sort())
  })

  it('never hold the lock together when 12 of them find that its holder died', async () => {
    const said = await contention(workers, 12, 15)
    expect(said).toEqual(Array.from({ length: 12 * 15 }, () => 'alone'))
  })

  it('wait for a holder that stands still, and name it', async () => {
    const path = makeCounter()
    const holder = workers.start('hold', path)
    await holder.hasSaid(1)
    holder.child.kill('SIGSTOP')
    const change = updateStore(path, { lock: { deadlineMs: 100 } }, () => undefined)
    await expect(change).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: expect.stringContaining(`process ${String(holder.child.pid)} on `) as string,
    })
    holder.child.kill('SIGKILL')
  })
})

describe('a writer that is killed', () => {
  it('at random moments, loses no acknowledged change, tears nothing and makes nobody wait', async () => {
    const { acknowledged } = await killStorm(workers, 40)
    expect(acknowledged).toBeGreaterThanOrEqual(40)
  })

  it('before any one of its calls, leaves the old store or the new one, and no trace after the next change', async () => {
    const path = makeCounter()
    for (let at = 0; ; at++) {
      const before = await countIn(path)
      const worker = workers.start('die-at', path, at)
      await worker.ended()
      const after = await countIn(path)
      if (worker.said.length > 0) {
        expect(at).toBeGreaterThan(20)
        expect(after).toBe(before + 1)
        break
      }
      expect([before, before + 1]).toContain(after)
      await updateStore(path, { lock: { deadlineMs: 0 } }, (roster) => ({ ...roster, replay: 'once' }))
      expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), basename(previousPath(path))])
    }
  })
})

describe.skipIf(!root)('another user (skipped unless run by root)', () => {
  function open(folder: string, path: string): void {
    chmodSync(folder, 0o755)
    chownSync(path, nobody, nobody)
  }

  async function asNobody(path: string): Promise<readonly string[]> {
    const worker = workers.start('as-user', path, nobody)
    await worker.ended()
    return worker.said
  }

  it('may not read a store that is not theirs', async () => {
    const { path, folder } = makeStore()
    chmodSync(folder, 0o755)
    expect(await asNobody(path)).toEqual([expect.stringContaining('no permission')])
    chmodSync(path, 0o644)
    expect(await asNobody(path)).toEqual([expect.stringContaining('belongs to another user (uid 0)')])
  })

  it('is told that it may not write in the folder, and the store is intact', async () => {
    const { path, folder, text } = makeStore()
    open(folder, path)
    const said = await asNobody(path)
    expect(said).toEqual(['read', expect.stringContaining('no permission')])
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    chownSync(folder, nobody, nobody)
    expect(await asNobody(path)).toEqual(['read', 'changed'])
  })
})

describe('a disk of its own (skipped where no tmpfs can be mounted)', () => {
  const mount = (...words: string[]): boolean => spawnSync('mount', words).status === 0

  /** A store on a file system of 64 kB. */
  function makeStoreOnDisk(skip: (why: string) => never): { folder: string; path: string; text: string } {
    const folder = join(makeStoreFolder(), 'small')
    mkdirSync(folder)
    if (!mount('-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder))
      skip('no tmpfs can be mounted here')
    onTestFinished(() => void execFileSync('umount', [folder]))
    const { text } = makeStore()
    const path = join(folder, 'a2a-totp.json')
    writeFileSync(path, text, { mode: 0o600 })
    return { folder, path, text }
  }

  it('that can only be read leaves the store as it was, and readable', async ({ skip }) => {
    const { folder, path, text } = makeStoreOnDisk(skip)
    expect(mount('-o', 'remount,ro', folder)).toBe(true)
    await expect(updateStore(path, {}, (roster) => ({ ...roster, agent: 'changed' }))).rejects.toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: expect.stringContaining('the file system is read-only') as string,
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    expect((await readStore(path)).agent).toBe('agent')
  })

  it('does not let a store be replaced that is mounted by itself, and says what to do', async ({ skip }) => {
    const { folder, path, text } = makeStoreOnDisk(skip)
    if (!mount('--bind', path, path)) skip('no file can be mounted here')
    onTestFinished(() => void execFileSync('umount', [path]))
    await expect(updateStore(path, {}, (roster) => ({ ...roster, agent: 'changed' }))).rejects.toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: expect.stringContaining('mount its folder instead') as string,
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder).sort()).toEqual(['a2a-totp.json', 'a2a-totp.json.bak-prev'])
  })

  it('that is full leaves the store as it was', async ({ skip }) => {
    const { folder, path, text } = makeStoreOnDisk(skip)
    const change = updateStore(path, {}, (roster) => ({
      ...roster,
      url: `http://a.example/${'x'.repeat(80_000)}`,
    }))
    await expect(change).rejects.toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: expect.stringContaining('the disk is full; free some space and try again') as string,
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    expect((await readStore(path)).agent).toBe('agent')
  })
})
