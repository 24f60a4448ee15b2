import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  overwriteFile,
  replaceBeside,
  replaceFile,
  requireWritable,
  writeNewFile,
} from '../../src/store/atomic-write.js'
import { fileSystem, type FileSystem } from '../../src/store/file-system.js'
import { descriptorFs } from '../support/descriptor-fs.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { asOnWindows } from '../support/pretended-process.js'
import { errorOf, makeStoreFolder } from '../support/store-folder.js'

const text = 'passed: caf\u00e9 \u{1f511}\n'
const bytes = Buffer.from(text)

const makePath = (): string => join(makeStoreFolder(), 'file.json')
const namesBeside = (path: string): string[] => readdirSync(dirname(path))
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

function failingAt(failing: Call, errno: string): FileSystem {
  return watchedFs((call) => {
    if (call === failing) throw systemError(errno)
  })
}

interface Writer {
  readonly what: string
  readonly write: (path: string, fs: FileSystem) => void
  readonly code: string
}

const writers: readonly Writer[] = [
  {
    what: 'a store',
    write: (path, fs) => replaceFile(path, bytes, { fs }),
    code: 'ERR_STORE_UNWRITABLE',
  },
  {
    what: 'a file beside a store',
    write: (path, fs) => replaceBeside(join(dirname(path), 'store.json'), path, bytes, fs),
    code: 'ERR_STORE_UNWRITABLE',
  },
  {
    what: 'a new file',
    write: (path, fs) => writeNewFile(path, text, { force: false, fs }),
    code: 'ERR_FILE_UNWRITABLE',
  },
  {
    what: 'a new file where nothing stops it',
    write: (path, fs) => writeNewFile(path, bytes, { force: true, fs }),
    code: 'ERR_FILE_UNWRITABLE',
  },
  {
    what: 'a report',
    write: (path, fs) => overwriteFile(path, text, fs),
    code: 'ERR_FILE_UNWRITABLE',
  },
]

/** The calls that a write makes, in order, when all goes well. */
function callsOf({ write }: Writer): Call[] {
  const calls: Call[] = []
  write(
    makePath(),
    watchedFs((call) => calls.push(call)),
  )
  return calls
}

describe.each(writers)('writing $what', (writer) => {
  const { write, code } = writer

  it('leaves that, closed to others, and nothing else', () => {
    const path = makePath()
    write(path, fileSystem)
    expect(readFileSync(path)).toEqual(bytes)
    expect(modeOf(path)).toBe('600')
    expect(namesBeside(path)).toEqual([basename(path)])
  })

  it('names the file whose folder cannot be synced', () => {
    const path = makePath()
    const last = callsOf(writer).lastIndexOf('fsyncSync')
    const fs = watchedFs((_, index) => {
      if (index === last) throw systemError('EIO')
    })
    expect(errorOf(() => write(path, fs))).toMatchObject({
      code,
      message: `${path} was written, but a power failure may still undo that: the disk reported an input/output error; check it before you try again`,
      cause: systemError('EIO'),
    })
  })

  it('closes each descriptor once, whichever call fails', () => {
    const calls = callsOf(writer)
    for (const at of [...calls.keys(), calls.length]) {
      const { fs, opened, closed } = descriptorFs((_, index) => {
        if (index === at) throw systemError('EIO')
      })
      try {
        write(makePath(), fs)
      } catch (error) {
        expect(error).toMatchObject({ code })
      }
      expect([...closed].sort(), `${at}, ${calls[at]}`).toEqual([...opened].sort())
    }
  })

  it('works on Windows, which can neither open nor sync a folder', () => {
    const path = makePath()
    asOnWindows()
    const { fs, opened, closed } = descriptorFs()
    const openSync = ((target: string, ...given: [number, number]) => {
      if (target === dirname(path)) throw systemError('EISDIR')
      return fs.openSync(target, ...given)
    }) as FileSystem['openSync']
    write(path, { ...fs, openSync })
    expect(readFileSync(path)).toEqual(bytes)
    expect(opened).toHaveLength(1)
    expect(closed).toEqual(opened)
  })
})

describe('a file that is there', () => {
  it('is not replaced unless that is forced, and nothing is written first', () => {
    const path = makePath()
    writeFileSync(path, 'old')
    const fs = failingAt('openSync', 'EROFS')
    expect(errorOf(() => writeNewFile(path, text, { force: false, fs }))).toMatchObject({
      code: 'ERR_FILE_EXISTS',
      message: `${path} already exists; pass another path, or --force`,
    })
  })

  it('is not asked to be forced where forcing does not help', () => {
    const folder = makeStoreFolder()
    expect(errorOf(() => writeNewFile(folder, text, { force: true }))).toMatchObject({
      code: 'ERR_FILE_EXISTS',
      message: `${folder} is not a regular file; pass another path`,
    })
  })
})

describe('a report over an older one', () => {
  it.each([
    ['600', '600'],
    ['644', '644'],
    ['664', '664'],
    ['755', '644'],
  ])('of mode %s, has mode %s', (before, after) => {
    const path = makePath()
    writeFileSync(path, 'a longer report, from the day before\n')
    chmodSync(path, Number.parseInt(before, 8))
    overwriteFile(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(modeOf(path)).toBe(after)
    expect(namesBeside(path)).toEqual([basename(path)])
  })

  it('is whole: the older one stays where the disk is full', () => {
    const path = makePath()
    writeFileSync(path, 'old')
    expect(errorOf(() => overwriteFile(path, text, failingAt('fsyncSync', 'ENOSPC')))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: `cannot write ${path}: the disk is full; free some space and try again`,
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(namesBeside(path)).toEqual([basename(path)])
  })
})

describe('a report that is to be written later', () => {
  it.each(['', 'old'])('can be, and nothing changes yet (there is already: %j)', (before) => {
    const path = makePath()
    if (before !== '') writeFileSync(path, before)
    const names = namesBeside(path)
    requireWritable(path)
    expect(namesBeside(path)).toEqual(names)
    if (before !== '') expect(readFileSync(path, 'utf8')).toBe(before)
  })

  it('cannot be in a folder that is missing', () => {
    const path = join(makeStoreFolder(), 'no', 'report.txt')
    expect(errorOf(() => requireWritable(path))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: `cannot write ${path}: the folder does not exist; create it first`,
    })
  })

  it.each<[string, Call]>([
    ['nothing can be created', 'openSync'],
    ['nothing can be written', 'fsyncSync'],
    ['nothing can be removed', 'unlinkSync'],
  ])('cannot be where %s', (_, failing) => {
    expect(errorOf(() => requireWritable(makePath(), failingAt(failing, 'EROFS')))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      cause: systemError('EROFS'),
    })
  })
})

it('a link, a folder or a device is no place for a report, now or later', () => {
  const path = makePath()
  writeFileSync(path, 'old')
  const [link, sub] = [`${path}.link`, `${path}.d`]
  symlinkSync(path, link)
  mkdirSync(sub)
  for (const target of [link, sub, '/dev/null'])
    for (const attempt of [() => overwriteFile(target, text), () => requireWritable(target)])
      expect(errorOf(attempt)).toMatchObject({
        code: 'ERR_FILE_UNWRITABLE',
        message: `${target} is not a regular file; name another file`,
      })
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(namesBeside(path).sort()).toEqual([basename(path), basename(sub), basename(link)].sort())
})
