import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const now = new Date('2026-11-24T00:00:00Z')
const run = (cwd: string, ...args: string[]): Promise<CliRun> => runCli(args, { cwd, now })
const storeIn = (cwd: string): string => readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')

interface Credential {
  readonly id: string
  readonly expiresAt: string | null
}
interface Shown {
  readonly replay: string
  readonly note: string | null
  readonly seeds: Credential[]
  readonly tokens: Credential[]
}

async function show(cwd: string, name: string): Promise<Shown> {
  const { peers } = parseJson(await run(cwd, 'show', name, '--json')) as { peers: [Shown] }
  return peers[0]
}

describe('set without a name', () => {
  it('changes what is named of the agent, and nothing else', async () => {
    const cwd = await makeStore([], ['--agent', 'billing'])
    const changes = [
      ['--url', 'https://billing.example'],
      ['--replay', 'once'],
      ['--window', '2'],
      ['--header', 'X-Code'],
      ['--algorithm', 'SHA256'],
      ['--digits', '8'],
      ['--period', '60'],
    ]
    for (const change of changes) expect((await run(cwd, 'set', ...change)).exitCode).toBe(0)
    expect(parseJson(await run(cwd, 'list', '--json'))).toMatchObject({
      agent: 'billing',
      url: 'https://billing.example',
      replay: 'once',
      profile: { algorithm: 'SHA256', digits: 8, period: 60, window: 2, header: 'X-Code' },
    })
    expect((await run(cwd, 'set', '--url', '')).exitCode).toBe(0)
    expect(parseJson(await run(cwd, 'list', '--json'))['url']).toBeNull()
  })

  it('reports what changed and what has to be handed out again', async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    await run(cwd, 'set', 'bob', '--replay', 'reuse')
    const changed = await run(cwd, 'set', '--replay', 'once', '--json')
    expect(parseJson(changed)).toEqual({
      changed: [{ field: 'replay', from: 'reuse', to: 'once' }],
      handOut: { server: true, card: false, peers: ['alice'] },
    })
    const said = await run(cwd, 'set', '--url', 'https://billing.example')
    expect(said.stdout).toBe('')
    expect(said.stderr).toContain('changed url: none -> https://billing.example\n')
    expect(said.stderr).toContain(
      'hand out again: the fragments of alice, bob (a2a-totp config client NAME --out FILE --force)',
    )
    // The profile of peers to come concerns no peer who is there, but is what the card says.
    const later = parseJson(await run(cwd, 'set', '--digits', '8', '--json'))
    expect(later['handOut']).toEqual({ server: true, card: true, peers: [] })
  })

  it.each([
    ['--url', 'https://billing.example'],
    ['--window', '2'],
    ['--header', 'X-Code'],
    ['--replay', 'once'],
    ['--signed', 'accept'],
    ['--digits', '8'],
    ['--algorithm', 'SHA256'],
    ['--period', '60'],
  ])('tells whether %s changes the card and the server file, as config makes them', async (option, value) => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const made = async (...what: string[]): Promise<unknown> => {
      const { serial, ...rest } = parseJson(await run(cwd, 'config', ...what))
      return { ...rest, ...(serial !== undefined && { serial: 'of the change' }) }
    }
    const before = [await made('card'), await made('server')]
    const { handOut } = parseJson(await run(cwd, 'set', option, value, '--yes', '--json'))
    const [card, server] = [await made('card'), await made('server')]
    const differs = {
      card: !isDeepStrictEqual(card, before[0]),
      server: !isDeepStrictEqual(server, before[1]),
    }
    expect(handOut).toMatchObject(differs)
  })

  it.each([
    ['--header', 'X-Code'],
    ['--window', '2'],
  ])('asks before %s with peers present, or needs --yes', async (option, value) => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    const before = storeIn(cwd)
    const refused = await run(cwd, 'set', option, value)
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('the fragments of alice, bob')
    expect(refused.stderr).toContain('pass --yes to continue (ERR_CONFIRMATION_NEEDED)')
    expect(storeIn(cwd)).toBe(before)
    const done = await run(cwd, 'set', option, value, '--yes', '--json')
    expect(parseJson(done)).toMatchObject({ handOut: { server: true, peers: ['alice', 'bob'] } })
    const empty = await makeStore()
    expect((await run(empty, 'set', option, value)).exitCode).toBe(0)
  })

  it('writes nothing when it is so already, and says so', async () => {
    const cwd = await makeStore(['alice'])
    const before = storeIn(cwd)
    const record = readFileSync(join(cwd, 'a2a-totp.json.log'), 'utf8')
    const same = await run(cwd, 'set', '--replay', 'reuse', '--header', 'X-TOTP', '--json')
    expect([same.exitCode, parseJson(same)['changed']]).toEqual([0, []])
    expect((await run(cwd, 'set', 'alice', '--note', '')).stderr).toContain('nothing was changed')
    expect(storeIn(cwd)).toBe(before)
    expect(readFileSync(join(cwd, 'a2a-totp.json.log'), 'utf8')).toBe(record)
  })

  it('refuses policy once where peers share a seed', async () => {
    const cwd = await makeStore(['alice'], ['--shared-seed'])
    for (const args of [
      ['set', '--replay', 'once'],
      ['set', 'alice', '--replay', 'once'],
    ]) {
      const refused = await run(cwd, ...args)
      expect(refused.exitCode).toBe(2)
      expect(refused.stderr).toContain('would spend the codes of the others')
    }
    expect((await run(cwd, 'set', '--digits', '8')).exitCode).toBe(2)
  })
})

describe('set with names', () => {
  it('changes policies, and lets a peer follow the agent again', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    await run(cwd, 'set', 'alice', 'bob', '--replay', 'once', '--note', 'a note')
    expect(await show(cwd, 'bob')).toMatchObject({ replay: 'once', note: 'a note' })
    const back = await run(cwd, 'set', 'alice', '--replay', 'inherit', '--note', '', '--json')
    expect(parseJson(back)['changed']).toEqual([
      { peer: 'alice', field: 'replay', from: 'once', to: null },
      { peer: 'alice', field: 'note', from: 'a note', to: null },
    ])
    await run(cwd, 'set', '--replay', 'once')
    expect(await show(cwd, 'alice')).toMatchObject({ replay: 'once', note: null })
    await run(cwd, 'set', '--replay', 'reuse')
    expect((await show(cwd, 'alice')).replay).toBe('reuse')
    expect((await show(cwd, 'bob')).replay).toBe('once')
  })

  it('ends what is live, and does not end it any more', async () => {
    const cwd = await makeStore(['alice'])
    const end = '2027-01-01T00:00:00.000Z'
    for (const time of ['2027-01-01T00:00:00Z', '1798761600']) {
      await run(cwd, 'set', 'alice', '--expires', 'never')
      expect((await run(cwd, 'set', 'alice', '--expires', time)).exitCode).toBe(0)
      const { seeds, tokens } = await show(cwd, 'alice')
      expect([...seeds, ...tokens].map(({ expiresAt }) => expiresAt)).toEqual([end, end])
    }
    await run(cwd, 'set', 'alice', '--expires', 'never')
    expect((await show(cwd, 'alice')).tokens[0]?.expiresAt).toBeNull()
    const past = await run(cwd, 'set', 'alice', '--expires', '2026-11-23T00:00:00Z')
    expect([past.exitCode, past.stdout]).toEqual([2, ''])
    expect(past.stderr).toContain('--expires')
  })

  it('prolongs nothing that a rotation superseded', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'rotate', 'alice', '--overlap', '1h')
    const overlapEnd = '2026-11-24T01:00:00.000Z'
    await run(cwd, 'set', 'alice', '--expires', '2027-01-01T00:00:00Z')
    const ends = async (): Promise<unknown> =>
      (await show(cwd, 'alice')).tokens.map(({ expiresAt }) => expiresAt)
    expect(await ends()).toEqual([overlapEnd, '2027-01-01T00:00:00.000Z'])
    await run(cwd, 'set', 'alice', '--expires', 'never')
    expect(await ends()).toEqual([overlapEnd, null])
    await run(cwd, 'set', 'alice', '--expires', '2026-11-24T00:30:00Z')
    expect(await ends()).toEqual(['2026-11-24T00:30:00.000Z', '2026-11-24T00:30:00.000Z'])
  })

  it('does not revive what has expired', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'set', 'alice', '--expires', '2026-11-24T01:00:00Z')
    for (const time of ['never', '2027-01-01T00:00:00Z']) {
      const late = await runCli(['set', 'alice', '--expires', time], { cwd, now: new Date('2026-11-25') })
      expect(late.exitCode).toBe(1)
      expect(late.stderr).toContain('rotate alice')
    }
  })

  it('changes the note and the end of a canary, which has no policy', async () => {
    const cwd = await makeStore(['alice'])
    await run(cwd, 'add-peer', 'bait', '--canary')
    const set = await run(cwd, 'set', 'bait', '--note', 'wiki', '--expires', '30d')
    expect([set.exitCode, (await show(cwd, 'bait')).note]).toEqual([0, 'wiki'])
    expect((await run(cwd, 'set', 'bait', '--replay', 'once')).exitCode).toBe(2)
  })

  it('changes all or none', async () => {
    const cwd = await makeStore(['alice'])
    const before = storeIn(cwd)
    const run1 = await run(cwd, 'set', 'alice', 'nobody', '--note', 'x')
    expect([run1.exitCode, storeIn(cwd)]).toEqual([1, before])
  })

  it.each([
    [['set'], 'nothing to set'],
    [['set', 'alice'], 'nothing to set'],
    [
      ['set', 'alice', '--url', 'https://x.example', '--window', '2'],
      '--url, --window: an option of the agent',
    ],
    [['set', 'alice', '--digits', '8'], 'changes with its seed: a2a-totp rotate alice --now --digits'],
    [['set', '--note', 'x', '--expires', '1h'], '--note, --expires: an option of peers'],
    [['set', '--replay', 'inherit'], '--replay inherit is for peers'],
    [['set', 'not a name', '--note', 'x'], 'peer name is not allowed'],
    [['set', '--url', 'ftp://x'], '--url must be'],
    [['set', 'alice', '--expires', 'soon'], '--expires must be'],
  ])('refuses %j with exit code 2', async (args, message) => {
    const refused = await run(await makeStore(['alice']), ...args)
    expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain(message)
  })
})
