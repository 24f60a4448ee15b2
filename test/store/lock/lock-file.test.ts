import * as nodeFs from 'node:fs'
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileSystem, type FileSystem } from '../../../src/store/file-system.js'
import {
  createLockFile,
  listSidecars,
  lockPath,
  readLockFile,
  type Holder,
} from '../../../src/store/lock/lock-file.js'
import { systemError, watchedFs } from '../../support/faulty-fs.js'
import { makeStore } from '../../support/store-folder.js'
import { here, noPid, putLock } from '../../support/store-locks.js'

const holder: Holder = { ...here, host: 'host-a', nonce: 'nonce-a' }

/** The real file system with some calls replaced, and the descriptors that it has open. */
function descriptors(replaced: Partial<FileSystem> = {}): { fs: FileSystem; open: Set<number> } {
  const open = new Set<number>()
  const openSync: FileSystem['openSync'] = (...args) => {
    const file = (replaced.openSync ?? nodeFs.openSync)(...args)
    open.add(file)
    return file
  }
  const closeSync: FileSystem['closeSync'] = (file) => {
    nodeFs.closeSync(file)
    open.delete(file)
  }
  return { fs: { ...fileSystem, ...replaced, openSync, closeSync }, open }
}

const failing = (errno: string) => (): never => {
  throw systemError(errno)
}

describe('the holder that a lock file names', () => {
  const holderIn = (path: string): Holder | undefined => readLockFile(path, 1, fileSystem)?.holder

  it('is the one that wrote it', () => {
    const { path } = makeStore()
    expect(holderIn(putLock(path, 1, holder))).toEqual(holder)
  })

  it('may be the first process of a container', () => {
    const { path } = makeStore()
    expect(holderIn(putLock(path, 1, { ...holder, pid: 1 }))).toEqual({ ...holder, pid: 1 })
  })

  it('has no place that is not text', () => {
    const { path } = makeStore()
    expect(holderIn(putLock(path, 1, { ...holder, place: 5 }))).toEqual({ ...holder, place: undefined })
  })

  it.each([
    { pid: 0 },
    { pid: -noPid },
    { pid: String(noPid) },
    { pid: 1.5 },
    { startedAt: 5 },
    { host: null },
    { nonce: false },
  ])('is nobody with %j', (part) => {
    const { path } = makeStore()
    expect(holderIn(putLock(path, 1, { ...holder, ...part }))).toBeUndefined()
  })

  it.each(['', '{"place":"x","pi', 'null', '5', '[]', '"hello"'])('is nobody in a file with %j', (text) => {
    const { path } = makeStore()
    expect(holderIn(putLock(path, 1, text))).toBeUndefined()
  })

  it('is read from at most 4096 bytes', () => {
    const { path } = makeStore()
    const text = JSON.stringify(holder)
    expect(holderIn(putLock(path, 1, text.padEnd(4096)))).toEqual(holder)
    expect(holderIn(putLock(path, 1, text.padEnd(4097)))).toBeUndefined()
  })
})

describe('a lock file that is read', () => {
  it('is gone when it vanishes after the look at it', () => {
    const { path } = makeStore()
    const file = putLock(path, 1, holder)
    const fs = watchedFs((call) => {
      if (call === 'openSync') unlinkSync(file)
    })
    expect(readLockFile(file, 1, fs)).toBeUndefined()
  })

  it('is there, with an unknown holder, when it cannot be opened', () => {
    const { path } = makeStore()
    const file = putLock(path, 1, holder)
    const { fs } = descriptors({ openSync: failing('EACCES') })
    expect(readLockFile(file, 1, fs)).toMatchObject({ path: file, number: 1, holder: undefined })
  })

  it('does not count as gone when it cannot be looked at', () => {
    const { path } = makeStore()
    const file = putLock(path, 1, holder)
    const { fs } = descriptors({ lstatSync: failing('EIO') as unknown as FileSystem['lstatSync'] })
    expect(() => readLockFile(file, 1, fs)).toThrow('EIO')
  })

  it('is closed again, whatever it holds', () => {
    const { path } = makeStore()
    const { fs, open } = descriptors()
    for (const content of [holder, 'no holder', 'x'.repeat(5000)])
      readLockFile(putLock(path, 1, content), 1, fs)
    expect(open).toEqual(new Set())
  })
})

describe('the files that belong to a store', () => {
  it('are told by their whole names', () => {
    const { path, folder } = makeStore()
    const [lock, temporary] = ['.a2a-totp.json.lock-', '.a2a-totp.json.tmp-']
    const locks = [`${lock}1`, `${lock}20`, `${lock}999999999999999`]
    const others = ['', '0', '01', 'x1', '1x', '1000000000000000', '-1', '1.5'].map((end) => lock + end)
    const temporaries = [`${temporary}0123456789abcdef`, `${temporary}x`]
    for (const name of [...locks, ...others, ...temporaries, `x${temporary}`, '.other.json.lock-1'])
      writeFileSync(join(folder, name), '')
    const sidecars = listSidecars(path, fileSystem)
    expect(sidecars.locks.map((file) => file.path).sort()).toEqual(locks.map((name) => join(folder, name)))
    expect(sidecars.locks.map((file) => file.number).sort((a, b) => a - b)).toEqual([
      1, 20, 999_999_999_999_999,
    ])
    expect([...sidecars.temporaries].sort()).toEqual(temporaries.map((name) => join(folder, name)))
  })
})

describe('a lock file that is created', () => {
  it('is complete, open, and leaves no temporary file', () => {
    const { path, folder } = makeStore()
    const { fs, open } = descriptors()
    const file = createLockFile(path, 1, holder, fs)
    expect(open).toEqual(new Set([file]))
    expect(readLockFile(lockPath(path, 1), 1, fs)?.holder).toEqual(holder)
    expect(readdirSync(folder).sort()).toEqual(['.a2a-totp.json.lock-1', 'a2a-totp.json'])
    for (const descriptor of open) fs.closeSync(descriptor)
  })

  it.each(['hard links', 'no hard links'])('does not replace that of another, with %s', (links) => {
    const { path, folder } = makeStore()
    const other = putLock(path, 1, {})
    const text = readFileSync(other, 'utf8')
    const { fs, open } = descriptors(links === 'hard links' ? {} : { linkSync: failing('EPERM') })
    expect(createLockFile(path, 1, holder, fs)).toBeUndefined()
    expect(readFileSync(other, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toHaveLength(2)
    expect(open).toEqual(new Set())
  })

  it.each(['fchmodSync', 'writeFileSync'] as const)('is nowhere when %s fails', (call) => {
    const { path, folder } = makeStore()
    const { fs, open } = descriptors({ [call]: failing('ENOSPC') })
    expect(() => createLockFile(path, 1, holder, fs)).toThrow('ENOSPC')
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    expect(open).toEqual(new Set())
  })

  it('is nowhere when, without hard links, it cannot be opened', () => {
    const { path, folder } = makeStore()
    const openSync: FileSystem['openSync'] = (name, ...rest) => {
      if (name === lockPath(path, 1)) throw systemError('EROFS')
      return nodeFs.openSync(name, ...rest)
    }
    const { fs, open } = descriptors({ openSync, linkSync: failing('EPERM') })
    expect(() => createLockFile(path, 1, holder, fs)).toThrow('EROFS')
    expect(readdirSync(folder)).toEqual(['a2a-totp.json'])
    expect(open).toEqual(new Set())
  })

  it.each(['EEXIST', 'EIO', 'ETIMEDOUT'])(
    'is ours when a network file system made the link and answered %s',
    (errno) => {
      const { path } = makeStore()
      const { fs, open } = descriptors({
        linkSync(existing, name) {
          nodeFs.linkSync(existing, name)
          throw systemError(errno)
        },
      })
      const file = createLockFile(path, 1, holder, fs)
      expect(open).toEqual(new Set([file]))
      expect(existsSync(lockPath(path, 1))).toBe(true)
      for (const descriptor of open) fs.closeSync(descriptor)
    },
  )
})
