import { chmodSync, readFileSync, writeFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileSystem, type FileSystem } from '../../src/store/file-system.js'
import { readStoreBytes } from '../../src/store/read-file.js'
import { descriptorFs } from '../support/descriptor-fs.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { asOnWindows } from '../support/pretended-process.js'
import { errorOf, makeStoreFolder } from '../support/store-folder.js'

const plain = '{ "version": 1 }'
const encrypted = 'age-encryption.org/v1\n'

function makeFile(content: string, mode = 0o600): string {
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

function failingAt(failing: Call, errno: string): FileSystem {
  return watchedFs((call) => {
    if (call === failing) throw systemError(errno)
  })
}

/** The file system, where every open file belongs to another user. */
function foreignFs(uid: number): FileSystem {
  const fstatSync = (file: number): Stats => Object.assign(fileSystem.fstatSync(file), { uid })
  return { ...fileSystem, fstatSync: fstatSync as typeof fileSystem.fstatSync }
}

describe('the bytes of a store', () => {
  it.each([
    ['600', plain],
    ['644', encrypted],
    ['444', encrypted],
  ])('are read from a file of mode %s: %j', (modeBits, content) => {
    const path = makeFile(content, Number.parseInt(modeBits, 8))
    expect(readStoreBytes(path)).toEqual(readFileSync(path))
  })

  it.each([
    ['640', plain, '0640', 'chmod 600'],
    ['604', plain, '0604', 'chmod 600'],
    ['4755', plain, '0755', 'chmod 600'],
    ['006', plain, '0006', 'chmod 600'],
    ['664', encrypted, '0664', 'chmod go-w'],
    ['602', encrypted, '0602', 'chmod go-w'],
  ])(
    'are not read by root, nor its owner, from a file of mode %s: %j; the error has the command that closes it',
    (modeBits, content, shown, command) => {
      const path = makeFile(content)
      const mode = 0o100000 | Number.parseInt(modeBits, 8)
      const fstatSync = (file: number): Stats => Object.assign(fileSystem.fstatSync(file), { mode })
      const fs = { ...fileSystem, fstatSync: fstatSync as typeof fileSystem.fstatSync }
      expect(errorOf(() => readStoreBytes(path, { fs }))).toMatchObject({
        code: 'ERR_STORE_PERMISSIONS',
        message: `the store ${path} is accessible to other users (mode ${shown}); run: ${command} ${path}`,
      })
    },
  )

  it('are not read where the file belongs to another user, unless that is allowed', () => {
    const path = makeFile(plain)
    const uid = (process.geteuid?.() ?? 0) + 1
    const fs = foreignFs(uid)
    expect(errorOf(() => readStoreBytes(path, { fs }))).toMatchObject({
      code: 'ERR_STORE_PERMISSIONS',
      message: `the store ${path} belongs to another user (uid ${uid}); run as that user, or change its owner with chown`,
    })
    expect(readStoreBytes(path, { fs, allowInsecurePermissions: true })).toEqual(readFileSync(path))
  })

  it('are read on Windows, where owners and modes say nothing', () => {
    const path = makeFile(plain, 0o666)
    asOnWindows()
    expect(readStoreBytes(path)).toEqual(readFileSync(path))
  })

  it.each(['ELOOP', 'EMLINK'])('are not read through a link, which a system reports as %s', (errno) => {
    const path = makeFile(plain)
    expect(errorOf(() => readStoreBytes(path, { fs: failingAt('openSync', errno) }))).toMatchObject({
      code: 'ERR_STORE_PERMISSIONS',
      message: `the store ${path} is a symbolic link; pass the path of the file it points to`,
    })
  })

  it('are not read from a disk that fails; the error says which file, and why', () => {
    const path = makeFile(plain)
    expect(errorOf(() => readStoreBytes(path, { fs: failingAt('readFileSync', 'EIO') }))).toMatchObject({
      code: 'ERR_STORE_UNREADABLE',
      message: `cannot read the store ${path}: the disk reported an input/output error; check it before you try again`,
      cause: systemError('EIO'),
    })
  })
})

describe('the file of a store', () => {
  it.each<[string, Call | undefined]>([
    ['it was read', undefined],
    ['it could not be looked at', 'fstatSync'],
    ['it could not be read', 'readFileSync'],
  ])('is closed once %s', (_, failing) => {
    const path = makeFile(plain)
    const { fs, opened, closed } = descriptorFs((call) => {
      if (call === failing) throw systemError('EIO')
    })
    const read = (): Uint8Array => readStoreBytes(path, { fs })
    if (failing === undefined) read()
    else expect(errorOf(read)).toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
    expect(opened).toHaveLength(1)
    expect(closed).toEqual(opened)
  })
})
