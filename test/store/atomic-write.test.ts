import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import * as nodeFs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTemporary, replaceFile, temporaryPrefix, writeNewFile } from '../../src/store/atomic-write.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { errorOf, makeStoreFolder } from '../support/store-folder.js'

const old = 'the old content\n'
const fresh = Buffer.from('the new content\n')

function makeFile(mode = 0o600): { folder: string; path: string } {
  const folder = makeStoreFolder()
  const path = join(folder, 'file.json')
  writeFileSync(path, old)
  chmodSync(path, mode)
  return { folder, path }
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

/** The calls that a write makes, in order, when all goes well. */
function callsOf(write: (path: string, fs: typeof nodeFs) => void, path: string): Call[] {
  const calls: Call[] = []
  write(path, watchedFs((call) => calls.push(call)) as typeof nodeFs)
  return calls
}

function withUmask(umask: number): void {
  const before = process.umask(umask)
  onTestFinished(() => void process.umask(before))
}

const errnos = ['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EDQUOT']

describe('replacing a file', () => {
  const replace = (path: string, fs: typeof nodeFs): void => replaceFile(path, fresh, { fs })
  const anywhere = mkdtempSync(join(tmpdir(), 'a2a-totp-store-'))
  const calls = callsOf(replace, join(anywhere, 'file.json'))
  rmSync(anywhere, { recursive: true })
  const folderSync = calls.lastIndexOf('fsyncSync')
  const harmless = calls.length - 1

  it('syncs the file before it takes the name, and the folder after', () => {
    expect(calls).toEqual([
      'openSync',
      'openSync',
      'fchmodSync',
      'writeFileSync',
      'fsyncSync',
      'closeSync',
      'renameSync',
      'fsyncSync',
      'closeSync',
    ])
  })

  const faults = calls.flatMap((call, at) => errnos.map((errno) => ({ call, at, errno })))
  it.each(faults.filter(({ at }) => at !== folderSync && at !== harmless))(
    'leaves the old file and nothing else when call $at, $call, fails with $errno',
    ({ at, errno }) => {
      const { folder, path } = makeFile()
      const fs = watchedFs((_, index) => {
        if (index === at) throw systemError(errno)
      })
      const error = errorOf(() => replaceFile(path, fresh, { fs }))
      expect(error).toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
      expect(readFileSync(path, 'utf8')).toBe(old)
      expect(readdirSync(folder)).toEqual([basename(path)])
    },
  )

  it('says that the change may not last when only the fsync of the folder fails', () => {
    const { folder, path } = makeFile()
    const fs = watchedFs((_, index) => {
      if (index === folderSync) throw systemError('EIO')
    })
    const error = errorOf(() => replaceFile(path, fresh, { fs }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNWRITABLE', cause: systemError('EIO') })
    expect(String(error)).toContain('was written, but a power failure may still undo that')
    expect(readFileSync(path)).toEqual(fresh)
    expect(readdirSync(folder)).toEqual([basename(path)])
  })

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'])(
    'is content with a file system that says %s to the fsync of a folder',
    (errno) => {
      const { path } = makeFile()
      const fs = watchedFs((_, index) => {
        if (index === folderSync) throw systemError(errno)
      })
      replaceFile(path, fresh, { fs })
      expect(readFileSync(path)).toEqual(fresh)
    },
  )

  it('leaves nothing of a write that stopped half-way', () => {
    const { folder, path } = makeFile()
    const fs = {
      ...nodeFs,
      writeFileSync(file: number, content: Uint8Array) {
        nodeFs.writeSync(file, content, 0, 5)
        throw systemError('ENOSPC')
      },
    } as typeof nodeFs
    const error = errorOf(() => replaceFile(path, fresh, { fs }))
    expect(String(error)).toContain('the disk is full; free some space and try again')
    expect(readFileSync(path, 'utf8')).toBe(old)
    expect(readdirSync(folder)).toEqual([basename(path)])
  })

  it('reports what failed first, even when clearing up fails too', () => {
    const { path } = makeFile()
    const fs = watchedFs((call) => {
      if (call === 'renameSync') throw systemError('EROFS')
      if (call === 'unlinkSync') throw systemError('EIO')
    })
    expect(String(errorOf(() => replaceFile(path, fresh, { fs })))).toContain('read-only')
  })

  it('is called off by what is asked right before the rename', () => {
    const { folder, path } = makeFile()
    const beforeRename = (): void => {
      throw new Error('called off')
    }
    expect(() => replaceFile(path, fresh, { beforeRename })).toThrow('called off')
    expect(readFileSync(path, 'utf8')).toBe(old)
    expect(readdirSync(folder)).toEqual([basename(path)])
  })

  it.each(['000', '022', '277'])('gives mode 0600 under umask %s, whatever the old mode', (umaskBits) => {
    const umask = Number.parseInt(umaskBits, 8)
    const { path } = makeFile(0o644)
    withUmask(umask)
    let bornWith: number | undefined
    const fs = watchedFs((call) => {
      if (call !== 'writeFileSync') return
      const [temporary = ''] = readdirSync(join(path, '..')).filter((name) => name.includes('.tmp-'))
      bornWith = modeOf(join(path, '..', temporary))
    })
    replaceFile(path, fresh, { fs })
    expect(bornWith).toBe(0o600)
    expect(modeOf(path)).toBe(0o600)
  })

  it('explains a folder that is not there', () => {
    const path = join(makeStoreFolder(), 'no', 'store.json')
    const error = errorOf(() => replaceFile(path, fresh))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNWRITABLE' })
    expect(String(error)).toContain('the folder does not exist; create it first')
  })
})

describe('writing a new file', () => {
  it.each(['000', '022', '277'])('gives mode 0600 under umask %s', (umaskBits) => {
    const umask = Number.parseInt(umaskBits, 8)
    const path = join(makeStoreFolder(), 'out.txt')
    withUmask(umask)
    writeNewFile(path, 'text', { force: false })
    expect(modeOf(path)).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe('text')
    expect(readdirSync(join(path, '..'))).toEqual(['out.txt'])
  })

  it('refuses to replace a file unless it is forced', () => {
    const { folder, path } = makeFile()
    expect(errorOf(() => writeNewFile(path, fresh, { force: false }))).toMatchObject({
      code: 'ERR_FILE_EXISTS',
    })
    expect(readFileSync(path, 'utf8')).toBe(old)
    writeNewFile(path, fresh, { force: true })
    expect(readFileSync(path)).toEqual(fresh)
    expect(readdirSync(folder)).toEqual([basename(path)])
  })

  it.each([
    ['600', '600'],
    ['644', '600'],
    ['400', '400'],
    ['777', '600'],
  ])('forced over a file of mode %s, leaves mode %s', (before, after) => {
    const { path } = makeFile(Number.parseInt(before, 8))
    writeNewFile(path, fresh, { force: true })
    expect(modeOf(path).toString(8)).toBe(after)
  })

  it('replaces no link, folder or device, even when forced', () => {
    const { folder, path } = makeFile()
    const link = join(folder, 'link')
    symlinkSync(path, link)
    mkdirSync(join(folder, 'sub'))
    for (const target of [link, join(folder, 'sub'), '/dev/null']) {
      const error = errorOf(() => writeNewFile(target, fresh, { force: true }))
      expect(error).toMatchObject({ code: 'ERR_FILE_EXISTS' })
    }
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(path, 'utf8')).toBe(old)
  })

  it('does not take the name from a file that appeared meanwhile, with hard links or without', () => {
    for (const without of [undefined, 'EPERM', 'ENOTSUP']) {
      const path = join(makeStoreFolder(), 'out.txt')
      const fs = watchedFs((call) => {
        if (call !== 'linkSync') return
        writeFileSync(path, old)
        if (without) throw systemError(without)
      })
      expect(errorOf(() => writeNewFile(path, fresh, { force: false, fs }))).toMatchObject({
        code: 'ERR_FILE_EXISTS',
      })
      expect(readFileSync(path, 'utf8')).toBe(old)
      expect(readdirSync(join(path, '..'))).toEqual(['out.txt'])
    }
  })

  it.each(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])('works where a hard link gives %s', (errno) => {
    const path = join(makeStoreFolder(), 'out.txt')
    const fs = watchedFs((call) => {
      if (call === 'linkSync') throw systemError(errno)
    })
    writeNewFile(path, fresh, { force: false, fs })
    expect(readFileSync(path)).toEqual(fresh)
    expect(modeOf(path)).toBe(0o600)
    expect(readdirSync(join(path, '..'))).toEqual(['out.txt'])
  })

  it.each([true, false])(
    'leaves nothing behind when any call before the last fsync fails (force: %s)',
    (force) => {
      const calls = callsOf(
        (path, fs) => writeNewFile(path, fresh, { force, fs }),
        join(makeStoreFolder(), 'out.txt'),
      )
      for (const at of calls.keys()) {
        if (at >= calls.lastIndexOf('fsyncSync') || calls[at] === 'unlinkSync') continue
        const path = join(makeStoreFolder(), 'out.txt')
        const fs = watchedFs((_, index) => {
          if (index === at) throw systemError('EIO')
        })
        expect(errorOf(() => writeNewFile(path, fresh, { force, fs }))).toMatchObject({
          code: 'ERR_FILE_UNWRITABLE',
          message: `cannot write ${path}: the disk reported an input/output error; check it before you try again`,
          cause: systemError('EIO'),
        })
        expect(readdirSync(join(path, '..'))).toEqual([])
      }
    },
  )
})

it.each([
  [`${temporaryPrefix('/x/store.json')}0123456789abcdef`, true],
  ['.a.tmp-0123456789abcdef0123456789abcdef', true],
  ['..tmp-0123456789abcdef', false],
  ['a.tmp-0123456789abcdef', false],
  ['x.a.tmp-0123456789abcdef', false],
  ['.a.tmp-0123456789abcde', false],
  ['.a.tmp-0123456789abcdef.json', false],
  ['.a.tmp-not-a-number-here', false],
])('the name %s is that of a temporary file: %s', (name, expected) => {
  expect(isTemporary(name)).toBe(expected)
})
