import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Roster } from '../../src/core/roster.js'
import { previousPath } from '../../src/store/previous.js'
import { createStore } from '../../src/store/create-store.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { formatStore } from '../../src/store/store-file.js'
import { peerOf, rosterOf } from '../support/roster.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { makeStore, makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const now = new Date('2026-11-23T22:45:01.987Z')
const renamed = (roster: Roster): Roster => ({ ...roster, agent: 'renamed' })

describe('reading a store', () => {
  it('gives what was written', async () => {
    const { path } = makeStore()
    expect([...(await readStore(path)).peers.keys()]).toEqual(['alice', 'bob'])
  })

  it('says how to begin when there is none', async () => {
    const folder = makeStoreFolder()
    writeFileSync(join(folder, 'file'), '')
    for (const path of [
      join(folder, 'none.json'),
      join(folder, 'none', 'none.json'),
      join(folder, 'file', 'none.json'),
    ]) {
      const error = await rejectionOf(readStore(path))
      expect(error).toMatchObject({ code: 'ERR_STORE_MISSING' })
      expect(String(error)).toContain('a2a-totp init')
    }
  })

  it.each(['640', '604', '660', '601', '644'])(
    'refuses mode %s with the command that mends it',
    async (modeBits) => {
      const mode = Number.parseInt(modeBits, 8)
      const { path } = makeStore()
      chmodSync(path, mode)
      const error = await rejectionOf(readStore(path))
      expect(error).toMatchObject({ code: 'ERR_STORE_PERMISSIONS' })
      const [, command = ''] = /run: (.*)$/.exec(String(error)) ?? []
      execFileSync('sh', ['-c', command])
      expect((await readStore(path)).agent).toBe('agent')
    },
  )

  it('gives a command that a shell understands, whatever the path', async () => {
    const folder = join(makeStoreFolder(), "it's $HOME; here")
    mkdirSync(folder)
    const path = join(folder, 'a store.json')
    writeFileSync(path, formatStore(rosterOf([])), { mode: 0o644 })
    const [, command = ''] = /run: (.*)$/.exec(String(await rejectionOf(readStore(path)))) ?? []
    execFileSync('sh', ['-c', command])
    expect((await readStore(path)).agent).toBe('agent')
  })

  it.each(['600', '400', '700'])('takes mode %s', async (modeBits) => {
    const mode = Number.parseInt(modeBits, 8)
    const { path } = makeStore()
    chmodSync(path, mode)
    expect((await readStore(path)).agent).toBe('agent')
  })

  it('takes an open mode when told to', async () => {
    const { path } = makeStore()
    chmodSync(path, 0o644)
    expect((await readStore(path, { allowInsecurePermissions: true })).agent).toBe('agent')
  })

  it.each([false, true])(
    'follows no link (insecure permissions allowed: %s)',
    async (allowInsecurePermissions) => {
      const { folder, path } = makeStore()
      const link = join(folder, 'link.json')
      symlinkSync(path, link)
      expect(await rejectionOf(readStore(link, { allowInsecurePermissions }))).toMatchObject({
        code: 'ERR_STORE_PERMISSIONS',
      })
    },
  )

  it('takes a file with a second name: it is no link to elsewhere', async () => {
    const { folder, path } = makeStore()
    linkSync(path, join(folder, 'other.json'))
    expect((await readStore(path)).agent).toBe('agent')
  })

  it.each([false, true])('refuses a folder, a FIFO and a socket at once (allowed: %s)', async (allow) => {
    const folder = makeStoreFolder()
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', ['-m', '600', fifo])
    const socket = join(folder, 'socket')
    const server = createServer().listen(socket)
    onTestFinished(() => void server.close())
    await new Promise((listening) => server.once('listening', listening))
    for (const path of [folder, fifo, socket]) {
      const error = await rejectionOf(readStore(path, { allowInsecurePermissions: allow }))
      expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
      expect(String(error)).toContain('not a regular file')
    }
  })

  it('refuses what is not UTF-8 rather than change it at the next write', async () => {
    const { path, text } = makeStore()
    writeFileSync(path, Buffer.concat([Buffer.from(text.trimEnd().slice(0, -1)), Buffer.of(0xff, 0x7d)]))
    expect(await rejectionOf(readStore(path))).toMatchObject({ code: 'ERR_STORE_INVALID' })
  })

  it('explains a disk that fails', async () => {
    const { path } = makeStore()
    for (const failing of ['openSync', 'fstatSync', 'readFileSync'] satisfies Call[]) {
      const fs = watchedFs((call) => {
        if (call === failing) throw systemError('EIO')
      })
      expect(await rejectionOf(readStore(path, { fs }))).toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
    }
  })
})

describe('making a store', () => {
  it('writes it whole, readable by its owner alone, and nothing else', async () => {
    const folder = makeStoreFolder()
    const path = join(folder, 'a2a-totp.json')
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    expect(await createStore(path, rosterOf([peerOf('alice')]), { now })).toEqual({})
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe(formatStore(rosterOf([peerOf('alice')])))
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })

  it('leaves one that is there alone, whatever it is', async () => {
    const { folder, path, text } = makeStore()
    await expect(createStore(path, rosterOf([]), { now })).rejects.toMatchObject({ code: 'ERR_STORE_EXISTS' })
    expect(readFileSync(path, 'utf8')).toBe(text)
    const dangling = join(folder, 'dangling.json')
    symlinkSync(join(folder, 'elsewhere'), dangling)
    await expect(createStore(dangling, rosterOf([]), { now })).rejects.toMatchObject({
      code: 'ERR_STORE_EXISTS',
    })
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
  })

  it('lets one of several at once make it', async () => {
    const path = join(makeStoreFolder(), 'a2a-totp.json')
    const attempts = Array.from({ length: 8 }, (_, n) =>
      createStore(path, rosterOf([], { agent: `agent-${n}` }), { now }).then(
        () => `agent-${n}`,
        () => undefined,
      ),
    )
    const made = (await Promise.all(attempts)).filter((agent) => agent !== undefined)
    expect(made).toEqual([(await readStore(path)).agent])
  })

  it('keeps the old file beside the new one, byte for byte and closed to others, under a name of its own', async () => {
    const { folder, path, text } = makeStore()
    chmodSync(path, 0o644)
    const first = await createStore(path, rosterOf([], { agent: 'second' }), { now, replace: true })
    const second = await createStore(path, rosterOf([], { agent: 'third' }), { now, replace: true })
    expect(first.backup).toBe(`${path}.bak-20261123T224501Z`)
    expect(second.backup).toBe(`${path}.bak-20261123T224501Z-2`)
    expect(readFileSync(first.backup ?? '', 'utf8')).toBe(text)
    expect(statSync(first.backup ?? '').mode & 0o777).toBe(0o600)
    expect((await readStore(second.backup ?? '')).agent).toBe('second')
    expect((await readStore(path)).agent).toBe('third')
    expect(readFileSync(previousPath(path))).toEqual(readFileSync(second.backup ?? ''))
    expect(readdirSync(folder)).toHaveLength(4)
  })

  it('replaces even a broken store, but not a link or a folder', async () => {
    const { folder, path } = makeStore()
    writeFileSync(path, 'broken')
    const { backup } = await createStore(path, rosterOf([]), { now, replace: true })
    expect(readFileSync(backup ?? '', 'utf8')).toBe('broken')
    const link = join(folder, 'link.json')
    symlinkSync(path, link)
    for (const target of [link, folder]) {
      await expect(createStore(target, rosterOf([]), { now, replace: true })).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_STORE_(PERMISSIONS|INVALID)$/) as string,
      })
    }
    expect(readdirSync(folder)).toHaveLength(4)
  })

  it('says so when the folder is missing', async () => {
    const path = join(makeStoreFolder(), 'no', 'a2a-totp.json')
    await expect(createStore(path, rosterOf([]), { now })).rejects.toMatchObject({
      code: 'ERR_STORE_UNWRITABLE',
      message: expect.stringContaining('the folder does not exist') as string,
    })
  })
})

describe('changing a store', () => {
  it('writes what the change gives back, and gives that back itself', async () => {
    const { folder, path } = makeStore()
    expect((await updateStore(path, {}, renamed)).agent).toBe('renamed')
    expect((await readStore(path)).agent).toBe('renamed')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).sort()).toEqual(['a2a-totp.json', 'a2a-totp.json.bak-prev'])
  })

  it.each<[string, (roster: Roster) => Roster | undefined]>([
    ['nothing', () => undefined],
    ['what it was given', (roster) => roster],
  ])('writes nothing when the change gives back %s', async (_, change) => {
    const { path, text } = makeStore()
    const { ino, mtimeMs } = statSync(path)
    await updateStore(path, {}, change)
    expect(statSync(path)).toMatchObject({ ino, mtimeMs })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it.each<[string, (roster: Roster) => Roster]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['makes what could not be read back', () => rosterOf([peerOf('eve', { tokens: [] })])],
  ])('leaves everything as it was when the change %s', async (_, change) => {
    const { folder, path, text } = makeStore()
    await expect(updateStore(path, {}, change)).rejects.toThrow()
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    expect((await updateStore(path, { lock: { deadlineMs: 0 } }, renamed)).agent).toBe('renamed')
  })

  it('loses none of many changes at once', async () => {
    const { path } = makeStore()
    const names = Array.from({ length: 30 }, (_, n) => `peer-${n}`)
    await Promise.all(
      names.map((name) =>
        updateStore(path, {}, (roster) => ({
          ...roster,
          peers: new Map(roster.peers).set(name, peerOf(name)),
        })),
      ),
    )
    expect([...(await readStore(path)).peers.keys()]).toEqual(expect.arrayContaining(names))
  })

  it('refuses what a read refuses, without a trace in the folder', async () => {
    const { folder, path, text } = makeStore()
    chmodSync(path, 0o644)
    await expect(updateStore(path, {}, renamed)).rejects.toMatchObject({ code: 'ERR_STORE_PERMISSIONS' })
    await expect(updateStore(join(folder, 'none'), {}, renamed)).rejects.toMatchObject({
      code: 'ERR_STORE_MISSING',
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
  })

  it('closes an open store to others when it changes it', async () => {
    const { path } = makeStore()
    chmodSync(path, 0o644)
    await updateStore(path, { allowInsecurePermissions: true }, renamed)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('clears away what killed writers left', async () => {
    const { folder, path } = makeStore()
    writeFileSync(join(folder, '.a2a-totp.json.tmp-0123456789abcdef'), 'half')
    writeFileSync(join(folder, '.other.json.tmp-0123456789abcdef'), 'not ours')
    await updateStore(path, {}, renamed)
    expect(readdirSync(folder).sort()).toEqual([
      '.other.json.tmp-0123456789abcdef',
      'a2a-totp.json',
      'a2a-totp.json.bak-prev',
    ])
  })

  it('is whole or not there, whichever call fails, and the next one works', async () => {
    const calls: Call[] = []
    await updateStore(makeStore().path, { fs: watchedFs((call) => calls.push(call)) }, renamed)
    expect(calls).toContain('linkSync')
    for (const errno of ['ENOSPC', 'EIO', 'EROFS', 'EACCES']) {
      for (const at of calls.keys()) {
        const { folder, path, text } = makeStore()
        const fs = watchedFs((_, index) => {
          if (index === at) throw systemError(errno)
        })
        const outcome: unknown = await updateStore(path, { fs }, renamed).catch((error: unknown) => error)
        const where = `${errno} at call ${at}, ${String(calls[at])}`
        if (outcome instanceof Error) {
          expect(outcome, where).toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) as string })
          const lasting = outcome.message.startsWith(`${path} was written, but`)
          expect(readFileSync(path, 'utf8') === text, where).toBe(!lasting)
        } else {
          expect((await readStore(path)).agent, where).toBe('renamed')
        }
        // Who cannot look at its lock file, or not unlink a file, has to leave it; the next process clears up.
        if (calls[at] === 'unlinkSync' || at > calls.lastIndexOf('fsyncSync')) continue
        const left = readdirSync(folder).filter((name) => name !== basename(previousPath(path)))
        expect(left, where).toEqual(['a2a-totp.json'])
        if (left.length < readdirSync(folder).length)
          expect(readFileSync(previousPath(path), 'utf8'), where).toBe(text)
        await updateStore(path, { lock: { deadlineMs: 0 } }, renamed)
      }
    }
  })
})
