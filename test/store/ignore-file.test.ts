import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import * as nodeFs from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ignoreFileInGit, ignoreInGit, ignoreResultInGit } from '../../src/store/ignore-file.js'
import { descriptorFs } from '../support/descriptor-fs.js'
import { systemError, watchedFs } from '../support/faulty-fs.js'
import { errorOf, makeStoreFolder } from '../support/store-folder.js'

const lines =
  '/a2a-totp.json\n/a2a-totp.json.bak-*\n/a2a-totp.json.log\n/.a2a-totp.json.*\n/a2a-totp.json~\n/#a2a-totp.json#\n'

function makeWorkTree(): { folder: string; path: string; ignoreFile: string } {
  const folder = makeStoreFolder()
  mkdirSync(join(folder, '.git'))
  return { folder, path: join(folder, 'a2a-totp.json'), ignoreFile: join(folder, '.gitignore') }
}

describe('keeping a store out of git', () => {
  it('adds the store, its backups and its sidecars, once', () => {
    const { path, ignoreFile } = makeWorkTree()
    expect(ignoreInGit(path)).toBe('added')
    expect(readFileSync(ignoreFile, 'utf8')).toBe(lines)
    expect(ignoreInGit(path)).toBe('present')
    expect(readFileSync(ignoreFile, 'utf8')).toBe(lines)
  })

  it('does nothing outside a work tree', () => {
    const folder = makeStoreFolder()
    expect(ignoreInGit(join(folder, 'a2a-totp.json'))).toBe('no-work-tree')
    expect(nodeFs.readdirSync(folder)).toEqual([])
  })

  it('knows a work tree from above, and one whose .git is a file', () => {
    const folder = makeStoreFolder()
    writeFileSync(join(folder, '.git'), 'gitdir: /elsewhere\n')
    const sub = join(folder, 'a', 'b')
    mkdirSync(sub, { recursive: true })
    expect(ignoreInGit(join(sub, 'a2a-totp.json'))).toBe('added')
    expect(readFileSync(join(sub, '.gitignore'), 'utf8')).toBe(lines)
  })

  it.each([
    ['ends in a newline', 'dist/\n', `dist/\n${lines}`],
    ['does not end in a newline', 'dist/', `dist/\n${lines}`],
    ['has Windows line ends', 'dist/\r\n', `dist/\r\n${lines.replaceAll('\n', '\r\n')}`],
    ['has Windows line ends but the last', 'a\r\nb', `a\r\nb\r\n${lines.replaceAll('\n', '\r\n')}`],
    ['has some of it', '/a2a-totp.json\n', `/a2a-totp.json\n${lines.replace('/a2a-totp.json\n', '')}`],
    ['includes it again', `${lines}!*.json\n`, `${lines}!*.json\n${lines}`],
    ['includes others before it', `!*.json\n/a2a-totp.json\n`, `!*.json\n${lines}`],
    ['has other bytes', 'caf\u00e9/\n', `caf\u00e9/\n${lines}`],
  ])('keeps what a file says that %s', (_, before, after) => {
    const { path, ignoreFile } = makeWorkTree()
    writeFileSync(ignoreFile, before)
    chmodSync(ignoreFile, 0o664)
    const { ino } = statSync(ignoreFile)
    expect(ignoreInGit(path)).toBe('added')
    expect(readFileSync(ignoreFile, 'utf8')).toBe(after)
    expect(statSync(ignoreFile)).toMatchObject({ ino, mode: 0o100664 })
    expect(ignoreInGit(path)).toBe('present')
  })

  it('knows a work tree that a link leads to, and none that a link leads out of', () => {
    const { folder } = makeWorkTree()
    const outside = makeStoreFolder()
    symlinkSync(folder, join(outside, 'in'))
    symlinkSync(outside, join(folder, 'out'))
    expect(ignoreInGit(join(outside, 'in', 'a2a-totp.json'))).toBe('added')
    expect(ignoreInGit(join(folder, 'out', 'a2a-totp.json'))).toBe('no-work-tree')
  })

  it('follows no link', () => {
    const { folder, path, ignoreFile } = makeWorkTree()
    const elsewhere = join(folder, 'elsewhere')
    writeFileSync(elsewhere, 'mine\n')
    symlinkSync(elsewhere, ignoreFile)
    expect(errorOf(() => ignoreInGit(path))).toMatchObject({ code: 'ERR_FILE_UNWRITABLE' })
    expect(readFileSync(elsewhere, 'utf8')).toBe('mine\n')
  })

  it('does not wait for a FIFO, nor take a folder', () => {
    for (const make of [
      (path: string) => execFileSync('mkfifo', [path]),
      (path: string) => mkdirSync(path),
    ]) {
      const { path, ignoreFile } = makeWorkTree()
      make(ignoreFile)
      expect(errorOf(() => ignoreInGit(path))).toMatchObject({ code: 'ERR_FILE_UNWRITABLE' })
    }
  })

  it('leaves the file as it was when the disk fills up half-way', () => {
    const { path, ignoreFile } = makeWorkTree()
    writeFileSync(ignoreFile, 'dist/\n')
    const fs = {
      ...nodeFs,
      writeFileSync(file: number, text: string) {
        nodeFs.writeSync(file, text.slice(0, 5))
        throw systemError('ENOSPC')
      },
    } as typeof nodeFs
    expect(String(errorOf(() => ignoreInGit(path, fs)))).toContain('the disk is full')
    expect(readFileSync(ignoreFile, 'utf8')).toBe('dist/\n')
  })

  it.skipIf(spawnSync('git', ['--version']).status !== 0)(
    'is understood by git itself, whatever the name (skipped without git)',
    () => {
      const folder = makeStoreFolder()
      execFileSync('git', ['init', '-q', folder])
      for (const name of [
        'a2a-totp.json',
        '#store.json',
        '!s.json',
        'a[b]*?.json',
        'end ',
        'back\\slash',
        'é.json',
        'two\nlines.json',
        'end\n',
      ]) {
        expect(ignoreInGit(join(folder, name))).toBe('added')
        const files = [name, `${name}.bak-20261123T224501Z`, `.${name}.tmp-0`, `.${name}.lock-1`]
        for (const file of files) writeFileSync(join(folder, file), '')
        const ignored = execFileSync('git', ['-C', folder, 'check-ignore', '-z', '--stdin'], {
          encoding: 'utf8',
          input: files.join('\0'),
        })
        expect(ignored.split('\0').slice(0, -1)).toEqual(files)
      }
      writeFileSync(join(folder, 'ab.json'), '')
      expect(spawnSync('git', ['-C', folder, 'check-ignore', 'ab.json']).status).toBe(1)
    },
  )
})

describe('keeping the result of a command out of git', () => {
  it('adds it and what a killed writer of it leaves, once', () => {
    const { folder, ignoreFile } = makeWorkTree()
    const path = join(folder, 'bob [1].env')
    const rules = '/bob \\[1].env\n/.bob \\[1].env.tmp-*\n'
    expect(ignoreResultInGit(path)).toBe('added')
    expect(readFileSync(ignoreFile, 'utf8')).toBe(rules)
    expect(ignoreResultInGit(path)).toBe('present')
    expect(readFileSync(ignoreFile, 'utf8')).toBe(rules)
  })

  it('does nothing outside a work tree', () => {
    const folder = makeStoreFolder()
    expect(ignoreResultInGit(join(folder, 'bob.env'))).toBe('no-work-tree')
    expect(nodeFs.readdirSync(folder)).toEqual([])
  })
})

describe('keeping any one file out of git', () => {
  it.each([
    ['bob.env', '/bob.env\n'],
    ['notes of bob.env', '/notes of bob.env\n'],
    ['ends in a space ', '/ends in a space\\ \n'],
    ['two\nlines\r', '/two?lines?\n'],
  ])('adds %j as the line %j, whether or not it is in a work tree', (name, rule) => {
    const folder = makeStoreFolder()
    expect(ignoreFileInGit(join(folder, name))).toBe('added')
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe(rule)
    expect(ignoreFileInGit(join(folder, name))).toBe('present')
  })
})

describe('a .gitignore that takes no rules', () => {
  const makers: readonly [string, string, (path: string) => unknown][] = [
    ['a link', 'a symbolic link', (path) => symlinkSync('elsewhere', path)],
    ['a folder', 'a folder', (path) => mkdirSync(path)],
    ['a socket', 'no regular file', (path) => listenOn(path)],
  ]

  async function listenOn(path: string): Promise<void> {
    const server = createServer().listen(path)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
  }

  it.each(makers)('is named for what it is: %s', async (_, kind, make) => {
    const { folder, path, ignoreFile } = makeWorkTree()
    await make(ignoreFile)
    const attempts: [() => unknown, string][] = [
      [() => ignoreInGit(path), 'the store'],
      [() => ignoreResultInGit(join(folder, 'bob.env')), 'bob.env'],
      [() => ignoreFileInGit(join(folder, 'bob.env')), join(folder, 'bob.env')],
    ]
    for (const [attempt, what] of attempts) {
      expect(errorOf(attempt)).toMatchObject({
        code: 'ERR_FILE_UNWRITABLE',
        message: `cannot add ${what} to ${ignoreFile}: it is ${kind}; replace it by a file`,
        cause: { code: expect.stringMatching(/^E[A-Z]+$/) as string },
      })
    }
  })

  it('is named where it is a FIFO, which can be opened', () => {
    const { path, ignoreFile } = makeWorkTree()
    execFileSync('mkfifo', [ignoreFile])
    expect(errorOf(() => ignoreInGit(path))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: `${ignoreFile} is not a regular file; replace it by a file`,
    })
  })

  it('is on a disk that fails, which the error says', () => {
    const { path, ignoreFile } = makeWorkTree()
    const fs = watchedFs((call) => {
      if (call === 'openSync') throw systemError('EROFS')
    })
    expect(errorOf(() => ignoreInGit(path, fs))).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: `cannot add the store to ${ignoreFile}: the file system is read-only; use another folder, or mount it writable`,
      cause: systemError('EROFS'),
    })
  })
})

it.each([
  ['the rules were added', undefined],
  ['they could not be', 'fsyncSync'],
  ['it could not be read', 'readFileSync'],
])('.gitignore is closed once %s', (_, failing) => {
  const { path } = makeWorkTree()
  const { fs, opened, closed } = descriptorFs((call) => {
    if (call === failing) throw systemError('EIO')
  })
  if (failing === undefined) ignoreInGit(path, fs)
  else expect(errorOf(() => ignoreInGit(path, fs))).toMatchObject({ code: 'ERR_FILE_UNWRITABLE' })
  expect(opened).toHaveLength(1)
  expect(closed).toEqual(opened)
})
