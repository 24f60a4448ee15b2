import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serverFragments } from '../../src/fragments/index.js'
import { makeFolder, makeStore, parseJson, runCli } from '../support/cli.js'

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const shared = (...names: string[]): Promise<string> => makeStore(names, ['--shared-seed'])

interface Document {
  replay: string
  peers: Record<string, { replay?: string }>
}

/** A store as a version that allowed it may have left it. */
async function storeWith(change: (document: Document) => void, ...names: string[]): Promise<string> {
  const cwd = await shared(...names)
  const document = JSON.parse(readFileSync(storeIn(cwd), 'utf8')) as Document
  change(document)
  writeFileSync(storeIn(cwd), JSON.stringify(document))
  return cwd
}

const older: [what: string, make: () => Promise<string>, named: string][] = [
  [
    'whose agent has policy once',
    () => storeWith((store) => (store.replay = 'once'), 'alice', 'bob'),
    '"alice", "bob"',
  ],
  [
    'where one peer has policy once',
    () => storeWith(({ peers }) => Object.assign(peers['bob'] ?? {}, { replay: 'once' }), 'alice', 'bob'),
    '"bob"',
  ],
  ['without a peer', () => storeWith((store) => (store.replay = 'once')), 'the agent'],
]

describe('policy once and a seed that all peers share', () => {
  it.each([[], ['--if-missing'], ['--force', '--yes']])('do not go together in init', async (...more) => {
    const cwd = makeFolder()
    const run = await runCli(['init', '--shared-seed', '--replay', 'once', ...more], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(
      /^error: --shared-seed and --replay once exclude each other: .* \(ERR_USAGE\)\n$/,
    )
    expect(existsSync(storeIn(cwd))).toBe(false)
  })

  it('do not go together in add-peer, which then adds nobody', async () => {
    const cwd = await shared('alice')
    const before = readFileSync(storeIn(cwd))
    const run = await runCli(['add-peer', 'bob', 'carol', '--replay', 'once'], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('use --replay reuse, or create a store without --shared-seed (ERR_USAGE)')
    expect(readFileSync(storeIn(cwd))).toEqual(before)
    expect((await runCli(['add-peer', 'bob', '--replay', 'reuse'], { cwd })).exitCode).toBe(0)
  })

  it('are refused where the agent says once and the new peer says nothing', async () => {
    const cwd = await storeWith((store) => (store.replay = 'once'))
    const run = await runCli(['add-peer', 'bob'], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('policy once, which the agent has: ')
    expect((await runCli(['add-peer', 'bob', '--replay', 'reuse'], { cwd })).exitCode).toBe(0)
    expect((await runCli(['config', 'server'], { cwd })).exitCode).toBe(0)
  })

  it('are not imported', async () => {
    const cwd = await shared()
    const stdin = 'name,replay\nalice,reuse\nbob,once\n'
    const before = readFileSync(storeIn(cwd))
    const run = await runCli(['import', '-'], { cwd, stdin })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('with one seed for all peers')
    expect(readFileSync(storeIn(cwd))).toEqual(before)
    const partial = parseJson(await runCli(['import', '-', '--partial', '--json'], { cwd, stdin }))
    expect(partial).toMatchObject({ peers: ['alice'], skipped: 1 })
  })

  it.each(older)('are written in no format from a store %s', async (_, make, named) => {
    const cwd = await make()
    for (const format of Object.keys(serverFragments)) {
      const args = ['config', 'server', '--format', format, '--allow-weak-seed', '--out', 'there']
      const run = await runCli(args, { cwd })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toContain(`policy once of ${named}: with one seed for all peers`)
      expect(run.stderr).toContain('; create a store without --shared-seed, or ')
      expect(existsSync(join(cwd, 'there'))).toBe(false)
    }
  })

  it.each(older)('are a serious finding of doctor in a store %s', async (_, make, named) => {
    const run = await runCli(['doctor', '--json'], { cwd: await make() })
    expect(run.exitCode).toBe(1)
    const found = (parseJson(run)['findings'] as { id: string }[]).filter(
      ({ id }) => id === 'shared-seed-once',
    )
    expect(found).toEqual([
      {
        id: 'shared-seed-once',
        severity: 'serious',
        subject: 'agent',
        message: expect.stringContaining(`policy once of ${named}: `) as string,
        fix: expect.stringContaining('without --shared-seed') as string,
      },
    ])
  })

  it('are refused with another profile: by add-peer, by doctor, and by what a server reads', async () => {
    const cwd = await storeWith(() => undefined, 'alice')
    const added = await runCli(['add-peer', 'bob', '--digits', '8'], { cwd })
    expect(added).toMatchObject({ exitCode: 2, stdout: '' })
    expect(added.stderr).toContain('that of "alice" is SHA1, 6 digits, 30 s')

    const older = await storeWith(
      ({ peers }) => Object.assign(peers['bob'] ?? {}, { digits: 8 }),
      'alice',
      'bob',
    )
    for (const format of ['json', 'typescript', 'python']) {
      const run = await runCli(['config', 'server', '--format', format], { cwd: older })
      expect(run).toMatchObject({ exitCode: 3, stdout: '' })
      expect(run.stderr).toContain(
        '"alice" and "bob" share a seed with different algorithms, digits or periods',
      )
    }
    const { stdout } = await runCli(['doctor', '--json'], { cwd: older })
    expect(stdout).toContain('shared-seed-profile')
  })

  it('are served by no demo', async () => {
    const cwd = await storeWith((store) => (store.replay = 'once'), 'alice')
    const run = await runCli(['demo'], { cwd })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('policy once of "alice"')
  })

  it('are read all the same, so that such a store can be left', async () => {
    const cwd = await storeWith((store) => (store.replay = 'once'), 'alice', 'bob')
    expect((await runCli(['list'], { cwd })).exitCode).toBe(0)
    expect((await runCli(['export', '--reveal'], { cwd })).exitCode).toBe(0)
    expect((await runCli(['remove-peer', 'alice', 'bob', '--yes'], { cwd })).exitCode).toBe(0)
    expect((await runCli(['add-peer', 'alice', 'bob', '--replay', 'reuse'], { cwd })).exitCode).toBe(0)
    expect((await runCli(['config', 'server'], { cwd })).exitCode).toBe(0)
  })
})
