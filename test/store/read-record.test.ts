import { execFileSync } from 'node:child_process'
import fs, { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { recordChange, recordPath, type Change } from '../../src/store/change-record.js'
import { openRecord, type RecordedChange, type RecordLine } from '../../src/store/read-record.js'
import { failureOf } from '../support/failure.js'
import { systemError } from '../support/faulty-fs.js'
import { makeStoreFolder, rejectionOf } from '../support/store-folder.js'

const change: Change = {
  at: new Date('2026-11-23T22:45:01.987Z'),
  by: 'op',
  host: 'host-a',
  command: 'rotate',
  peers: ['alice'],
}
const plain = { ...JSON.parse(JSON.stringify(change)), changed: [] } as Record<string, unknown>
const mebibyte = 1 << 20

/** The path of a store whose record has this content. */
function storeWith(record: string | Uint8Array): string {
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  writeFileSync(recordPath(path), record, { mode: 0o600 })
  return path
}

function opened(path: string, trustAnyone = false): AsyncGenerator<RecordLine, void, void> {
  const lines = openRecord(path, trustAnyone)
  if (lines === undefined) throw new Error('there is no record')
  return lines
}

async function linesOf(path: string): Promise<RecordLine[]> {
  const lines: RecordLine[] = []
  for await (const line of opened(path)) lines.push(line)
  return lines
}

/** What a record of one line says. */
async function changeIn(line: unknown): Promise<RecordedChange | undefined> {
  const [only, ...others] = await linesOf(storeWith(`${JSON.stringify(line)}\n`))
  expect(others).toEqual([])
  expect(only?.number).toBe(1)
  return only?.change
}

/** Replaces a call of node:fs until the test is over. */
function replaceCall(name: 'closeSync' | 'readSync', replacement: (...args: never[]) => unknown): void {
  const spy = vi.spyOn(fs, name).mockImplementation(replacement as never)
  syncBuiltinESMExports()
  onTestFinished(() => {
    spy.mockRestore()
    syncBuiltinESMExports()
  })
}

/** Which descriptors are closed from now on. */
function watchClosing(): number[] {
  const closed: number[] = []
  const { closeSync } = fs
  replaceCall('closeSync', (file: number) => {
    closed.push(file)
    closeSync(file)
  })
  return closed
}

describe('the record of a store', () => {
  it('is read as it was written, oldest first, with the number of each line', async () => {
    const path = storeWith('')
    const changed = [{ peer: 'bob', field: 'note', from: null, to: 'hello' }]
    recordChange(path, change)
    recordChange(path, { ...change, peers: ['bob'], changed, serial: 7 })
    expect(await linesOf(path)).toStrictEqual([
      { number: 1, change: { ...change, changed: [] } },
      { number: 2, change: { ...change, peers: ['bob'], changed, serial: 7 } },
    ])
  })

  it('is empty, or is not there', async () => {
    expect(await linesOf(storeWith(''))).toEqual([])
    expect(openRecord(join(makeStoreFolder(), 'a2a-totp.json'), false)).toBeUndefined()
  })

  it('is read whatever the lengths of its lines, and where they end', async () => {
    // A record is read in chunks of 64 KiB; lines end before, at and after the end of one.
    const lengths = fc.array(
      fc.oneof(fc.nat(200), fc.integer({ min: 65_300, max: 65_600 }), fc.nat(200_000)),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    await fc.assert(
      fc.asyncProperty(lengths, fc.boolean(), async (all, ended) => {
        // Characters of two bytes, which the end of a chunk may cut.
        const hosts = all.map((length, index) => `${index}${'é'.repeat(length / 2)}`)
        const text = hosts.map((host) => JSON.stringify({ ...change, host })).join('\n')
        const lines = await linesOf(storeWith(text + (ended ? '\n' : '')))
        expect(lines.map(({ number }) => number)).toEqual(all.map((_, index) => index + 1))
        expect(lines.map((line) => line.change?.host)).toEqual(hosts)
      }),
      { numRuns: 25 },
    )
  })

  it('may have a line of 16 MiB; a longer one is not understood, and those after it are', async () => {
    const rest = JSON.stringify({ ...change, by: '' }).length
    const longest = JSON.stringify({ ...change, by: 'x'.repeat(16 * mebibyte - rest) })
    const lines = await linesOf(storeWith(`${longest}\n${longest} \n${JSON.stringify(change)}\n`))
    expect(lines.map((line) => line.change?.by.length)).toEqual([16 * mebibyte - rest, undefined, 2])
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3])
  })

  it.each([0, 100_000])('is read as far as it went when it was opened: %d bytes and more', async (length) => {
    const path = storeWith('')
    recordChange(path, { ...change, host: 'x'.repeat(length) })
    const lines = opened(path)
    recordChange(path, change)
    expect((await lines.next()).value).toMatchObject({ number: 1 })
    expect(await lines.next()).toEqual({ done: true, value: undefined })
  })

  it('ends where it was cut off in the meantime', async () => {
    const line = `${JSON.stringify(change)}\n`
    const path = storeWith(line + ' '.repeat(mebibyte))
    const lines = opened(path)
    expect((await lines.next()).value).toMatchObject({ number: 1 })
    truncateSync(recordPath(path), line.length)
    const { value } = await lines.next()
    expect(value).toEqual({ number: 2, change: undefined })
    expect((await lines.next()).done).toBe(true)
  })

  it('lets signals be noticed while it is read', async () => {
    const path = storeWith(' '.repeat(mebibyte))
    let noticed = false
    setImmediate(() => (noticed = true))
    await opened(path).next()
    expect(noticed).toBe(true)
  })

  it.each([1, 2, 3])('is closed once, after no more than %i of its lines were asked for', async (wanted) => {
    const path = storeWith(`${JSON.stringify(change)}\n`.repeat(2))
    const closed = watchClosing()
    const lines = opened(path)
    for (let count = 0; count < wanted; count++) await lines.next()
    await lines.return()
    expect(closed).toHaveLength(1)
  })

  it('says why it cannot be read any further, and is closed', async () => {
    const path = storeWith(`${JSON.stringify(change)}\n`)
    const cause = systemError('EIO')
    const closed = watchClosing()
    replaceCall('readSync', () => {
      throw cause
    })
    const lines = opened(path)
    const error = await rejectionOf(lines.next())
    expect(error).toMatchObject({ code: 'ERR_FILE_UNREADABLE', cause })
    expect(String(error)).toContain(`cannot read ${path}.log: `)
    expect(closed).toHaveLength(1)
  })
})

describe('what is no record of ours', () => {
  it.each<[string, (path: string) => unknown, RegExp, number]>([
    ['a link', (path) => symlinkSync('elsewhere', path), /^cannot read .*\.log: it is a symbolic link/, 0],
    ['a folder', (path) => mkdirSync(path), /\.log is not a regular file$/, 2],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), /\.log is not a regular file$/, 2],
  ])('is not read, and is closed if it was opened: %s', (_what, make, words, openings) => {
    const path = join(makeStoreFolder(), 'a2a-totp.json')
    make(recordPath(path))
    const closed = watchClosing()
    for (const trustAnyone of [false, true]) {
      const error = failureOf(() => openRecord(path, trustAnyone))
      expect(error.code).toBe('ERR_FILE_UNREADABLE')
      expect(error.message).toMatch(words)
    }
    expect(closed).toHaveLength(openings)
  })

  it.runIf(process.geteuid)('is not read when another user owns it, unless anyone is trusted', async () => {
    const path = storeWith(`${JSON.stringify(change)}\n`)
    const own = process.geteuid?.() ?? 0
    vi.spyOn(process, 'geteuid').mockReturnValue(own + 1)
    onTestFinished(() => void vi.restoreAllMocks())
    const error = failureOf(() => openRecord(path, false))
    expect(error.code).toBe('ERR_FILE_UNREADABLE')
    expect(error.message).toBe(
      `${path}.log belongs to another user (uid ${own}); change its owner with chown`,
    )
    expect((await opened(path, true).next()).value).toMatchObject({ number: 1, change })
  })

  it('is not asked for where files have no owners, as on Windows', async () => {
    const path = storeWith(`${JSON.stringify(change)}\n`)
    const { geteuid } = process
    Object.assign(process, { geteuid: undefined })
    onTestFinished(() => void Object.assign(process, { geteuid }))
    expect((await opened(path).next()).value).toMatchObject({ number: 1, change })
  })
})

describe('a line of the record', () => {
  it.each([
    '',
    '{"at":',
    'null',
    '[]',
    '"text"',
    '7',
    JSON.stringify(change).slice(0, -1),
    `${JSON.stringify(change)}${JSON.stringify(change)}`,
  ])('that is %j is not understood, and those around it are', async (line) => {
    const good = JSON.stringify(change)
    const lines = await linesOf(storeWith([good, line, good, ''].join('\n')))
    expect(lines.map((one) => one.change?.command)).toEqual(['rotate', undefined, 'rotate'])
  })

  it.each<[string, unknown[]]>([
    ['at', [undefined, 7, null, '', 'yesterday', '2026-02-30T00:00:00Z', ['2026-11-23T22:45:01Z']]],
    ['by', [undefined, 7, null, ['op']]],
    ['host', [undefined, 7, null, ['host-a']]],
    ['command', [undefined, 7, null, ['rotate']]],
    ['peers', [undefined, null, 'alice', {}, [7], ['alice', null]]],
    ['changed', [null, 'note', {}, [null], ['note'], [[]], [{}]]],
  ])('with a %s that no version wrote is not understood', async (key, values) => {
    expect(await changeIn(plain)).toStrictEqual({ ...change, changed: [] })
    for (const value of values) {
      expect(await changeIn({ ...plain, [key]: value }), JSON.stringify(value)).toBeUndefined()
    }
  })

  const field = { field: 'note', from: null, to: 'hello' }
  it.each<[string, Record<string, unknown>]>([
    ['no field', { ...field, field: undefined }],
    ['a field that is no text', { ...field, field: 7 }],
    ['a peer that is no text', { ...field, peer: 7 }],
    ['a peer that is null', { ...field, peer: null }],
    ['an id that is no text', { ...field, id: 7 }],
    ['no old value', { ...field, from: undefined }],
    ['no new value', { ...field, to: undefined }],
    ['a list for a value', { ...field, from: [] }],
    ['an object for a value', { ...field, to: {} }],
  ])('that changed something with %s is not understood', async (_what, changed) => {
    expect(await changeIn({ ...plain, changed: [changed] })).toBeUndefined()
    expect(await changeIn({ ...plain, changed: [field, changed] })).toBeUndefined()
  })

  it('keeps what was changed, whatever the kinds of its values', async () => {
    const changed = [
      field,
      { peer: 'alice', field: 'seed.expiresAt', from: null, to: '2026-12-01T00:00:00.000Z', id: 's-1' },
      { peer: 'alice', field: 'token.staged', from: true, to: false, id: 't-1' },
      { field: 'digits', from: 6, to: 8 },
    ]
    expect(await changeIn({ ...plain, changed })).toStrictEqual({ ...change, changed })
  })

  it('loses what a later version may have added to it', async () => {
    const changed = [{ ...field, why: 'a reason' }]
    expect(await changeIn({ ...plain, changed, later: true })).toStrictEqual({ ...change, changed: [field] })
  })

  it('of an earlier version has no changes and no serial', async () => {
    expect(await changeIn({ ...plain, changed: undefined })).toStrictEqual({ ...change, changed: [] })
    expect(await changeIn({ ...plain, serial: '7' })).toStrictEqual({ ...change, changed: [] })
    expect(await changeIn({ ...plain, serial: 0 })).toStrictEqual({ ...change, changed: [], serial: 0 })
  })
})
