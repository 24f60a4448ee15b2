import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'
import { expectHarmlessText, hostile } from '../support/hostile-text.js'

const recordIn = (cwd: string): string => join(cwd, 'a2a-totp.json.log')
const log = (cwd: string, ...args: string[]): Promise<CliRun> =>
  runCli(['log', ...args], { cwd, now: new Date('2026-11-24T12:00:00Z') })

interface Entry {
  readonly at: string
  readonly by: string
  readonly command: string
  readonly peers: string[]
  readonly changed: Record<string, unknown>[]
}
const entriesOf = async (cwd: string, ...args: string[]): Promise<Entry[]> =>
  parseJson(await log(cwd, ...args, '--json'))['entries'] as Entry[]
const commandsOf = async (cwd: string, ...args: string[]): Promise<string[]> =>
  (await entriesOf(cwd, ...args)).map(({ command }) => command)

/** A store with a change each day from 20 November 2026 on. */
async function makeHistory(): Promise<string> {
  const cwd = makeFolder()
  const changes = [
    ['init', '--agent', 'billing'],
    ['add-peer', 'alice', 'bob'],
    ['set', 'alice', '--note', 'hello'],
    ['rename', 'alice', 'alicia'],
    ['rotate', 'bob'],
  ]
  for (const [day, args] of changes.entries()) {
    const { exitCode } = await runCli(args, { cwd, now: new Date(Date.UTC(2026, 10, 20 + day)) })
    expect(exitCode).toBe(0)
  }
  return cwd
}

describe('log', () => {
  it('shows every change, newest last, with what it set', async () => {
    const cwd = await makeHistory()
    const entries = await entriesOf(cwd)
    expect(entries.map(({ command }) => command)).toEqual(['init', 'add-peer', 'set', 'rename', 'rotate'])
    expect(entries[2]).toMatchObject({
      at: '2026-11-22T00:00:00.000Z',
      by: expect.any(String) as string,
      peers: ['alice'],
      changed: [{ peer: 'alice', field: 'note', from: null, to: 'hello' }],
    })
    const { stdout } = await log(cwd)
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[2]).toMatch(/^2026-11-22T00:00:00.000Z {2}\S+@\S+ {2}set {2}alice note none -> hello$/)
  })

  it('narrows by peer, by time and by number', async () => {
    const cwd = await makeHistory()
    expect(await commandsOf(cwd, '--peer', 'alice')).toEqual(['add-peer', 'set', 'rename'])
    expect(await commandsOf(cwd, '--peer', 'alicia')).toEqual(['rename'])
    expect(await commandsOf(cwd, '--peer', 'nobody')).toEqual([])
    const bob = await runCli(['log', '--peer', 'bob'], { cwd })
    expect(bob.stdout).toMatch(
      / {2}add-peer {2}bob seed none -> s-[0-9a-f]{10}, token none -> t-[0-9a-f]{10}\n/,
    )
    expect(bob.stdout).not.toContain('alice')
    expect(await commandsOf(cwd, '--since', '2026-11-23T00:00:00Z')).toEqual(['rename', 'rotate'])
    expect(await commandsOf(cwd, '--since', '1795392000')).toEqual(['rename', 'rotate'])
    expect(await commandsOf(cwd, '--since', '36h')).toEqual(['rename', 'rotate'])
    expect(await commandsOf(cwd, '--limit', '2')).toEqual(['rename', 'rotate'])
    expect(await commandsOf(cwd, '--limit', '9')).toHaveLength(5)
    for (const args of [
      ['--since', 'soon'],
      ['--limit', '0'],
      ['--peer', 'not a name'],
    ])
      expect((await log(cwd, ...args)).exitCode).toBe(2)
  })

  it('says for each command what it changed, and no secret', async () => {
    const cwd = await makeStore(['alice'])
    writeFileSync(join(cwd, 'peers.csv'), 'name\ndora\n')
    await runCli(['import', 'peers.csv'], { cwd })
    const identity = await generateX25519Identity()
    const env = { A2A_TOTP_IDENTITY: identity }
    await runCli(['encrypt', '--encrypt-to', await identityToRecipient(identity)], { cwd, env })
    await runCli(['decrypt'], { cwd, env })
    await runCli(['remove-peer', 'alice', '--yes'], { cwd })
    const entries = await entriesOf(cwd)
    expect(
      entries.map(({ command, peers, changed }) => [command, peers, changed.map(({ field }) => field)]),
    ).toEqual([
      ['init', [], ['agent']],
      ['add-peer', ['alice'], ['seed', 'token']],
      ['import', ['dora'], ['seed', 'token']],
      ['encrypt', [], ['encryption', 'recipient']],
      ['decrypt', [], ['encryption', 'recipient']],
      ['remove-peer', ['alice'], ['seed', 'token']],
    ])
    const { seed, token } = parseJson(await runCli(['config', 'client', 'dora', '--format', 'json'], { cwd }))
    const record = readFileSync(recordIn(cwd), 'utf8')
    expect([record.includes(String(seed)), record.includes(String(token))]).toEqual([false, false])
  })

  it('reads lines of earlier versions, and names damaged ones without printing them', async () => {
    const cwd = await makeStore()
    const old = { at: '2026-01-01T00:00:00.000Z', by: 'me', host: 'h', command: 'rotate', peers: ['bob'] }
    appendFileSync(
      recordIn(cwd),
      `${JSON.stringify(old)}\n${hostile}\n{"at":1}\n${JSON.stringify(old).slice(0, 9)}`,
    )
    const entries = await entriesOf(cwd)
    expect(entries.at(-1)).toEqual({ ...old, changed: [] })
    const { exitCode, stdout, stderr } = await log(cwd)
    expect([exitCode, stdout.trimEnd().split('\n').length]).toEqual([0, 2])
    const damaged = 2 + hostile.split('\n').length + 2
    expect(stderr).toMatch(new RegExp(`damaged lines, which are not shown: line 3, .*${damaged}`))
    expectHarmlessText(stdout)
    expectHarmlessText(stderr)
  })

  it('makes text of the record harmless', async () => {
    const cwd = await makeStore()
    const line = {
      at: '2026-01-01T00:00:00.000Z',
      by: hostile,
      host: hostile,
      command: hostile,
      peers: [hostile],
      changed: [{ peer: hostile, field: hostile, from: hostile, to: hostile, id: hostile }],
    }
    appendFileSync(recordIn(cwd), `${JSON.stringify(line)}\n`)
    for (const args of [[], ['--json']]) {
      const { exitCode, stdout } = await log(cwd, ...args)
      expect([exitCode, stdout.trimEnd().split('\n').length]).toEqual([0, args.length === 0 ? 2 : 1])
      expectHarmlessText(stdout)
    }
    expect((await entriesOf(cwd)).at(-1)).toEqual(line)
  })

  it('is empty where nothing was recorded, and fails where there is no store', async () => {
    const cwd = await makeStore()
    unlinkSync(recordIn(cwd))
    expect(await entriesOf(cwd)).toEqual([])
    expect(await log(cwd)).toMatchObject({ exitCode: 0, stdout: '' })
    const nowhere = await log(makeFolder())
    expect([nowhere.exitCode, nowhere.stdout]).toEqual([3, ''])
  })

  it('follows no link', async () => {
    const cwd = await makeStore()
    unlinkSync(recordIn(cwd))
    symlinkSync(join(cwd, 'a2a-totp.json'), recordIn(cwd))
    const refused = await log(cwd, '--json')
    expect([refused.exitCode, refused.stdout]).toEqual([3, ''])
    expect(refused.stderr).toContain('ERR_FILE_UNREADABLE')
  })

  it('reads a large record in little memory', async () => {
    const cwd = await makeStore()
    const line = `${JSON.stringify({ at: '2026-01-01T00:00:00Z', by: 'me', host: 'h', command: 'rotate', peers: ['bob'], changed: [{ peer: 'bob', field: 'token', from: 't-1', to: 't-2' }] })}\n`
    const file = openSync(recordIn(cwd), 'a')
    const block = line.repeat(Math.ceil((1 << 20) / line.length))
    for (let mebibyte = 0; mebibyte < 40; mebibyte++) writeSync(file, block)
    // A line without an end.
    writeSync(file, 'x'.repeat(20 << 20))
    closeSync(file)
    const env = { NODE_OPTIONS: '--max-old-space-size=40' }
    const { exitCode, stdout, stderr } = await runBinary(['log', '--limit', '2', '--json'], { cwd, env })
    expect([exitCode, parseJson({ stdout })['damaged']]).toEqual([0, 1])
    expect((parseJson({ stdout })['entries'] as unknown[]).length).toBe(2)
    expect(stderr).toContain('damaged')
  }, 60_000)
})
