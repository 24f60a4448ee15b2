import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

const now = new Date('2026-03-01T12:00:00Z')
const end = '2026-03-01T14:00:00.000Z'
const later = '2026-03-05T00:00:00.000Z'
const at = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000)

const run = (cwd: string, args: string, clock = now, stdin = ''): Promise<CliRun> =>
  runCli(args.split(' '), { cwd, now: clock, stdin })

async function done(cwd: string, args: string, clock = now, stdin = ''): Promise<CliRun> {
  const ran = await run(cwd, args, clock, stdin)
  expect(ran.exitCode, `${args}: ${ran.stderr}`).toBe(0)
  return ran
}

/** A store of agent billing with peers and a canary that end at {@link end}, and one that does not. */
async function withEnds(): Promise<string> {
  const cwd = await makeStore([], ['--agent', 'billing'])
  await done(cwd, 'add-peer alice --expires 2h')
  await done(cwd, 'add-peer bob')
  await done(cwd, 'add-peer trap --canary --expires 2h')
  return cwd
}

interface Holder {
  seeds?: { expiresAt?: string }[]
  tokens: { expiresAt?: string }[]
}

type Stored = Record<'peers' | 'canaries', Record<string, Holder>>

const storeIn = (cwd: string): string => join(cwd, 'a2a-totp.json')
const stored = (cwd: string): Stored => JSON.parse(readFileSync(storeIn(cwd), 'utf8')) as Stored

/** When the credentials of each peer and canary end. */
function endsIn(cwd: string): Record<string, (string | undefined)[]> {
  const { peers, canaries } = stored(cwd)
  return Object.fromEntries(
    Object.entries({ ...peers, ...canaries }).map(([name, { seeds = [], tokens }]) => [
      name,
      [...seeds, ...tokens].map(({ expiresAt }) => expiresAt),
    ]),
  )
}

/** Lets the seed and the token of alice end at other times. */
function endAlice(cwd: string, seed: string, token: string): void {
  const store = stored(cwd)
  for (const one of store.peers['alice']?.seeds ?? []) one.expiresAt = seed
  for (const one of store.peers['alice']?.tokens ?? []) one.expiresAt = token
  writeFileSync(storeIn(cwd), JSON.stringify(store))
}

describe('the ends of credentials', () => {
  it('survive an export as JSON and its import, under another name, too', async () => {
    const { stdout, stderr } = await done(await withEnds(), 'export --reveal')
    expect(stderr).not.toContain('omitted')
    const cwd = await makeStore([], ['--agent', 'billing'])
    await done(cwd, 'import - --rename alice=anna', now, stdout)
    expect(endsIn(cwd)).toEqual({ anna: [end, end], bob: [undefined, undefined], trap: [end] })
    expect((await run(cwd, 'code anna', at(3))).stderr).toContain('(ERR_CREDENTIAL_EXPIRED)')
  })

  it('are the earlier one where seed and token end at different times', async () => {
    const cwd = await withEnds()
    endAlice(cwd, later, end)
    const { peers } = parseJson(await done(cwd, 'export --reveal')) as { peers: { expiresAt?: string }[] }
    expect(peers[0]).toMatchObject({ name: 'alice', expiresAt: end })
    expect(peers[1]).not.toHaveProperty('expiresAt')
  })

  it.each(['uris', 'csv', 'maps'])(
    'are missed in an export as %s, which cannot hold them',
    async (format) => {
      const { stderr } = await done(await withEnds(), `export --reveal --format ${format}`)
      expect(stderr).toContain('omitted when the credentials of alice expire: only --format json can hold it')
    },
  )

  it.each([42, 'soon', '2026-02-30T00:00:00Z'])('are refused as %j', async (expiresAt) => {
    const peer = { name: 'alice', seed: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', expiresAt }
    const cwd = await makeStore()
    const refused = await run(cwd, 'import -', now, JSON.stringify({ peers: [peer] }))
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain('peers[0]: expiresAt must be an RFC 3339 time')
  })
})

describe('export', () => {
  it('names the tokens and canaries that it omits because they have expired', async () => {
    const cwd = await withEnds()
    endAlice(cwd, later, end)
    const { stdout, stderr } = await done(cwd, 'export --reveal', at(3))
    expect(stderr).toContain('omitted the tokens of alice: they have expired, and import creates new ones')
    expect(stderr).toContain('omitted the canaries (trap): their tokens have expired')
    const { peers } = parseJson({ stdout }) as { peers: object[] }
    expect(peers[0]).toMatchObject({ name: 'alice', expiresAt: later })
    expect(peers[0]).not.toHaveProperty('token')
  })
})

describe('import of an export', () => {
  it('remarks on another agent', async () => {
    const { stdout } = await done(await withEnds(), 'export --reveal')
    const remark = 'the export is of agent "billing", and this store is of "shipping"'
    const other = await makeStore([], ['--agent', 'shipping'])
    expect((await done(other, 'import -', now, stdout)).stderr).toContain(remark)
    const same = await makeStore([], ['--agent', 'billing'])
    expect((await done(same, 'import -', now, stdout)).stderr).not.toContain('the export is of agent')
  })
})
