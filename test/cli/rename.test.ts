import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const run = (cwd: string, ...args: string[]): Promise<CliRun> => runCli(args, { cwd })
const fragment = async (cwd: string, name: string): Promise<Record<string, unknown>> =>
  parseJson(await run(cwd, 'config', 'client', name, '--format', 'json'))
const namesIn = async (cwd: string): Promise<string[]> => {
  const { peers } = parseJson(await run(cwd, 'list', '--json')) as { peers: { name: string }[] }
  return peers.map(({ name }) => name)
}

describe('rename', () => {
  it('keeps everything of a peer but its name', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'rotate', 'alice')
    const { token, seed } = await fragment(cwd, 'alice')
    const renamed = await run(cwd, 'rename', 'alice', 'alicia', '--json')
    expect([renamed.exitCode, parseJson(renamed)]).toEqual([
      0,
      {
        changed: [{ peer: 'alicia', field: 'name', from: 'alice', to: 'alicia' }],
        handOut: { server: true, card: false, peers: [] },
        remarks: [
          expect.stringContaining('tasks that the agent keeps for alice are lost'),
          expect.stringContaining('the fragment that alice has stays valid'),
        ],
      },
    ])
    expect(await fragment(cwd, 'alicia')).toMatchObject({ peer: 'alicia', token, seed })
    expect(await namesIn(cwd)).toEqual(['alicia', 'bob'])
  })

  it('says what is lost and what has to be handed out again', async () => {
    const { stdout, stderr } = await run(await makeStore(['alice']), 'rename', 'alice', 'alicia')
    expect(stdout).toBe('')
    expect(stderr).toContain('tasks that the agent keeps for alice are lost to alicia')
    expect(stderr).toContain('hand out again: the server file')
    expect(stderr).toContain('only where the format has the name')
  })

  it('refuses a name that is taken, unknown or not allowed, and changes nothing', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'add-peer', 'bait', '--canary')
    const before = readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')
    const codes = []
    for (const [from, to] of [
      ['alice', 'bob'],
      ['alice', 'bait'],
      ['nobody', 'carol'],
      ['alice', 'not a name'],
    ] as const)
      codes.push((await run(cwd, 'rename', from, to)).exitCode)
    expect(codes).toEqual([1, 1, 1, 2])
    expect((await run(cwd, 'rename', 'alice')).exitCode).toBe(2)
    expect((await run(cwd, 'rename', 'alice', 'x', '--agent', 'y')).exitCode).toBe(2)
    const same = await run(cwd, 'rename', 'alice', 'alice', '--json')
    expect([same.exitCode, parseJson(same)['changed']]).toEqual([0, []])
    expect(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')).toBe(before)
    expect((await run(cwd, 'rename', 'bait', 'trap')).exitCode).toBe(0)
    expect(await namesIn(cwd)).toEqual(['alice', 'bob', 'trap'])
  })

  it('asks before it renames an agent with peers, or needs --yes', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const refused = await run(cwd, 'rename', '--agent', 'invoices')
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(
      'the server file (a2a-totp config server --out FILE --force), the fragments of alice',
    )
    const done = await run(cwd, 'rename', '--agent', 'invoices', '--yes', '--json')
    expect(parseJson(done)).toMatchObject({
      changed: [{ field: 'agent', from: 'billing', to: 'invoices' }],
      handOut: { server: true, peers: ['alice'] },
    })
    expect((await fragment(cwd, 'alice'))['agent']).toBe('invoices')
    expect((await run(await makeStore(), 'rename', '--agent', 'invoices')).exitCode).toBe(0)
    expect((await run(cwd, 'rename', '--agent', 'not a name')).exitCode).toBe(2)
  })
})
