import { execFileSync } from 'node:child_process'
import * as nodeFs from 'node:fs'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { recordChange, recordPath, type Change } from '../../src/store/change-record.js'
import { failureOf } from '../support/failure.js'
import { systemError, watchedFs } from '../support/faulty-fs.js'
import { makeStore } from '../support/store-folder.js'

const change: Change = {
  at: new Date('2026-11-23T22:45:01Z'),
  by: 'op',
  host: 'host-a',
  command: 'rotate',
  peers: ['alice'],
}
const line =
  '{"at":"2026-11-23T22:45:01.000Z","by":"op","host":"host-a","command":"rotate","peers":["alice"]}\n'

describe('the record of changes', () => {
  it('gains a line of JSON a change, in a file of its owner alone beside the store', () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const { path } = makeStore()
    recordChange(path, change)
    recordChange(path, change)
    expect(recordPath(path)).toBe(`${path}.log`)
    expect(readFileSync(`${path}.log`, 'utf8')).toBe(line + line)
    expect(statSync(`${path}.log`).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['a line that was cut off', '{"at":'],
    ['a whole line without its end', line.trimEnd()],
  ])('keeps a change apart from %s', (_what, last) => {
    const { path } = makeStore()
    writeFileSync(`${path}.log`, line + last)
    recordChange(path, change)
    recordChange(path, change)
    expect(readFileSync(`${path}.log`, 'utf8')).toBe(`${line}${last}\n${line}${line}`)
  })

  it.each<[string, (path: string) => unknown, RegExp]>([
    [
      'a link',
      (path) => symlinkSync('elsewhere', path),
      /it is a symbolic link; pass the path of the file itself$/,
    ],
    ['a folder', (path) => mkdirSync(path), /it is a folder; pass the path of a file$/],
    ['a device', (path) => symlinkSync('/dev/null', path), /it is a symbolic link/],
    ['a FIFO that nobody reads', (path) => execFileSync('mkfifo', [path]), /ENXIO/],
  ])('is not written where %s is', (_what, make, words) => {
    const { path, text } = makeStore()
    make(recordPath(path))
    const error = failureOf(() => recordChange(path, change))
    expect(error).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: expect.stringMatching(words) as string,
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('says why it cannot be written, and closes what it opened', () => {
    const { path } = makeStore()
    const cause = systemError('ENOSPC')
    const calls: string[] = []
    const fs = watchedFs((call) => {
      calls.push(call)
      if (call === 'writeFileSync') throw cause
    })
    const error = failureOf(() => recordChange(path, change, fs))
    expect(error).toMatchObject({ code: 'ERR_FILE_UNWRITABLE', cause })
    expect(error.message).toBe(`cannot write ${path}.log: the disk is full; free some space and try again`)
    expect(calls.at(-1)).toBe('closeSync')
  })

  it('leaves no file open, new or not', () => {
    const { path } = makeStore()
    const calls: string[] = []
    const fs = watchedFs((call) => calls.push(call))
    recordChange(path, change, fs)
    recordChange(path, change, fs)
    const count = (wanted: string): number => calls.filter((call) => call === wanted).length
    // The second line needs a look at the end of the first one.
    expect([count('openSync'), count('closeSync')]).toEqual([3, 3])
  })

  it('takes only a regular file that it opened', () => {
    const { path } = makeStore()
    writeFileSync(recordPath(path), '')
    const fs = { ...nodeFs, fstatSync: () => ({ isFile: () => false }) } as unknown as typeof nodeFs
    const error = failureOf(() => recordChange(path, change, fs))
    expect(error.code).toBe('ERR_FILE_UNWRITABLE')
    expect(error.message).toBe(`${path}.log is not a regular file`)
    expect(readFileSync(recordPath(path), 'utf8')).toBe('')
  })
})
