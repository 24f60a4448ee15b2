import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

interface Given {
  readonly name: string
  readonly algorithm?: number
  readonly type?: number
}

/** One QR code of an export in several parts, with the numbers of the app's protobuf. */
function part(index: number, size: number, accounts: readonly Given[], id = 77): string {
  const writer = new BinaryWriter()
  for (const [at, { name, algorithm = 1, type = 2 }] of accounts.entries()) {
    const seed = Uint8Array.from({ length: 20 }, (_, byte) => 31 * index + 7 * at + 3 * byte)
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).bytes(seed)
    writer.tag(2, WireType.LengthDelimited).string(name)
    writer.tag(4, WireType.Varint).int32(algorithm).tag(5, WireType.Varint).int32(1)
    writer.tag(6, WireType.Varint).int32(type).join()
  }
  writer.tag(2, WireType.Varint).int32(1).tag(3, WireType.Varint).int32(size)
  writer.tag(4, WireType.Varint).int32(index).tag(5, WireType.Varint).int32(id)
  return `otpauth-migration://offline?data=${encodeURIComponent(Buffer.from(writer.finish()).toString('base64'))}`
}

const parts = [0, 1, 2].map((index) => part(index, 3, [{ name: `peer-${index}` }])) as [
  string,
  string,
  string,
]

async function give(files: readonly string[], ...args: string[]): Promise<CliRun> {
  const cwd = await makeStore(['present'])
  for (const [index, text] of files.entries()) writeFileSync(join(cwd, `${index}`), text)
  return runCli(['import', ...files.keys()].map(String).concat('--json', ...args), { cwd })
}

describe('import of an export in several parts', () => {
  it('refuses one of three, and says which are missing', async () => {
    const run = await give([parts[1]])
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('line 1: this is part 2 of 3 of an export; parts 1 and 3 are missing')
  })

  it('takes it with --partial, and warns', async () => {
    const run = await give([parts[0]], '--partial')
    expect(run.exitCode).toBe(0)
    expect(run.stderr).toContain(
      'warning: line 1: this is part 1 of 3 of an export; parts 2 and 3 are missing',
    )
    expect(parseJson(run)).toMatchObject({ imported: 1, peers: ['peer-0'], problems: [{ where: 'line 1' }] })
  })

  it('refuses two of three', async () => {
    const run = await give([[parts[2], parts[0]].join('\n')])
    expect(run.stderr).toContain('this is 2 of 3 parts of an export; part 2 is missing')
  })

  it.each([
    ['in one file, in any order', [[parts[2], '# remark', parts[0], parts[1]].join('\n')]],
    ['in a file for each', [...parts]],
    ['beside other peers', [parts.join('\n'), 'name\nbob']],
  ])('takes all of them %s', async (_how, files) => {
    const run = await give(files)
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)).toMatchObject({ skipped: 0, problems: [] })
    expect(parseJson(run)['peers']).toEqual(expect.arrayContaining(['peer-0', 'peer-1', 'peer-2']))
  })

  it('counts a part once that is given twice', async () => {
    const run = await give([parts[0], `${parts[1]}\n${parts[0]}`, parts[2]])
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)).toMatchObject({ imported: 3, problems: [] })
    const { stderr } = await give([parts[0], parts[0]])
    expect(stderr).toContain('this is part 1 of 3 of an export; parts 2 and 3 are missing')
    expect(stderr).not.toContain('more)')
  })

  it('does not take parts of two exports for one', async () => {
    const other = part(1, 3, [{ name: 'other' }], 78)
    const run = await give([[parts[0], parts[2], other].join('\n')])
    expect(run.stderr).toContain('line 1: this is 2 of 3 parts of an export; part 2 is missing')
    expect(run.stderr).toContain('(and 1 more)')
  })

  it('names the file of a part among several', async () => {
    expect((await give(['name\nbob', parts[0]])).stderr).toContain('file 2, line 1: this is part 1 of 3')
  })

  it('is not kept busy by a size that is made up', async () => {
    const run = await give([part(0, 2_147_483_647, [{ name: 'a' }])])
    expect(run.stderr).toContain('parts 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2147483636 more are missing')
    expect((await give([part(5, 3, [{ name: 'a' }])])).stderr).toContain(
      'cannot read this otpauth-migration URI',
    )
    expect((await give([part(-1, 3, [{ name: 'a' }])])).stderr).toContain(
      'cannot read this otpauth-migration URI',
    )
  })

  it.each([
    ['HOTP', { name: 'h', type: 1 }, 'this account is for HOTP'],
    ['MD5', { name: 'm', algorithm: 4 }, 'this account uses MD5'],
    ['an unknown kind', { name: 'u', type: 9 }, 'of a kind that import does not know'],
    ['an unknown algorithm', { name: 'u', algorithm: 9 }, 'unsupported algorithm'],
  ])('refuses %s by name, with its position', async (_what, account, words) => {
    const text = part(0, 1, [{ name: 'alice' }, account])
    expect((await give([text])).stderr).toContain(`line 1, account 2: `)
    expect((await give([text])).stderr).toContain(words)
    expect(parseJson(await give([text], '--partial'))).toMatchObject({
      imported: 1,
      skipped: 1,
      peers: ['alice'],
    })
  })
})
