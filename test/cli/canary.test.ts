import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { totpGuard } from '../../src/server/express.js'
import { makeFolder, makeStore, parseJson, runBinary, runCli, type CliRun } from '../support/cli.js'

const storeOf = (cwd: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as Record<string, unknown>

async function makeTrap(init: readonly string[] = []): Promise<string> {
  const cwd = await makeStore(['alice'], init)
  const run = await runCli(['add-peer', 'trap', '--canary', '--note', 'in the wiki'], { cwd })
  if (run.exitCode !== 0) throw new Error(run.stderr)
  return cwd
}

const revealed = async (cwd: string, ...args: string[]): Promise<Record<string, string>> => {
  const { peers } = parseJson(await runCli([...args, '--reveal', '--json'], { cwd })) as {
    peers: Record<string, string>[]
  }
  return peers[0] ?? {}
}

describe('add-peer --canary', () => {
  it('makes a token and no seed, and prints neither without --reveal', async () => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'trap', '--canary', '--json'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(parseJson(run)).toEqual({
      peers: [
        {
          name: 'trap',
          seedId: null,
          tokenId: expect.stringMatching(/^t-/) as string,
          expiresAt: null,
          canary: true,
        },
      ],
    })
    expect(storeOf(cwd)).toMatchObject({ peers: {}, canaries: { trap: { tokens: [{}] } } })
    expect(JSON.stringify(storeOf(cwd))).not.toContain('seed')
    const text = await runCli(['add-peer', 'other', '--canary'], { cwd })
    expect(text.stderr).toContain('a2a-totp config client other')
  })

  it('prints the token with --reveal', async () => {
    const cwd = await makeStore()
    const row = await revealed(cwd, 'add-peer', 'trap', '--canary')
    expect(row['token']).toMatch(/^a2at_.{43}$/)
    expect(Object.keys(row)).not.toContain('seed')
    const text = await runCli(['add-peer', 'other', '--canary', '--reveal'], { cwd })
    expect(text.stdout).toMatch(/^other {2}canary {2}token t-\w+\n {2}token {2}a2at_\S+\n$/)
  })

  it('takes a token that leaked and is no longer a peer’s', async () => {
    const cwd = await makeStore(['alice'])
    const { token = '' } = parseJson(
      await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd }),
    ) as Record<string, string>
    const add = (): Promise<CliRun> =>
      runCli(['add-peer', 'leaked', '--canary', '--token-file', '-'], { cwd, stdin: token })
    const early = await add()
    expect([early.exitCode, early.stderr]).toEqual([2, expect.stringContaining('ERR_TOKEN_INVALID')])
    await runCli(['rotate', 'alice', '--token', '--now'], { cwd })
    expect((await add()).exitCode).toBe(0)
  })

  it.each([
    ['--seed-file', 'seed.txt'],
    ['--allow-weak-seed'],
    ['--algorithm', 'SHA256'],
    ['--digits', '8'],
    ['--period', '60'],
    ['--replay', 'once'],
    ['--qr'],
  ])('is refused with %s, since a canary makes no codes', async (...option) => {
    const cwd = await makeStore()
    const run = await runCli(['add-peer', 'trap', '--canary', ...option], { cwd })
    expect([run.exitCode, run.stdout]).toEqual([2, ''])
    expect(run.stderr).toContain(`--canary and ${option[0]} cannot be used together`)
    expect(storeOf(cwd)).not.toHaveProperty('canaries')
  })

  it('with --if-missing changes nothing the second time, and never passes a peer off as a canary', async () => {
    const cwd = await makeTrap()
    const before = JSON.stringify(storeOf(cwd))
    expect((await runCli(['add-peer', 'trap', '--canary', '--if-missing'], { cwd })).exitCode).toBe(0)
    for (const args of [
      ['alice', '--canary', '--if-missing'],
      ['trap', '--if-missing'],
      ['trap', '--canary'],
      ['trap'],
    ]) {
      const run = await runCli(['add-peer', ...args], { cwd })
      expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining('ERR_PEER_EXISTS')])
    }
    expect(JSON.stringify(storeOf(cwd))).toBe(before)
  })
})

describe('a canary in the other commands', () => {
  it('is marked in list and show', async () => {
    const cwd = await makeTrap()
    const { peers } = parseJson(await runCli(['list', '--json'], { cwd })) as {
      peers: Record<string, unknown>[]
    }
    expect(peers.map(({ name, canary }) => [name, canary])).toEqual([
      ['alice', undefined],
      ['trap', true],
    ])
    expect(peers[1]).toMatchObject({
      digits: null,
      replay: null,
      seeds: [],
      tokens: [{}],
      note: 'in the wiki',
    })
    expect((await runCli(['list'], { cwd })).stdout).toMatch(
      /^trap +canary +t-\w+ +\w+ +- +- +- +in the wiki$/m,
    )
    const shown = await runCli(['show', 'trap'], { cwd })
    expect(shown.stdout).toMatch(/^canary +trap\n/)
    expect(parseJson(await runCli(['show', 'trap', '--json'], { cwd }))).toMatchObject({ peers: [peers[1]] })
  })

  it.each([
    ['code', 'trap'],
    ['verify', '123456', 'trap'],
    ['probe', 'http://127.0.0.1:1', 'trap'],
    ['probe', 'http://127.0.0.1:1', 'alice', '--other-peer', 'trap'],
    ['show', 'trap', '--uri'],
    ['show', 'trap', '--qr'],
    ['show', 'trap', '--qr-file', 'trap.png'],
    ['rotate', 'trap', '--seed'],
  ])('has no seed: %s %s', async (...args) => {
    const cwd = await makeTrap()
    const run = await runCli(args, { cwd })
    expect([run.exitCode, run.stdout]).toEqual([2, ''])
    expect(run.stderr).toContain('"trap" is a canary, which has no seed')
  })

  it('is not the only peer of a store, nor the other peer of a probe', async () => {
    const cwd = await makeTrap()
    expect((await runCli(['code'], { cwd })).stdout).toMatch(/^\d{6}\n$/)
    const empty = await makeStore()
    await runCli(['add-peer', 'trap', '--canary'], { cwd: empty })
    const run = await runCli(['code'], { cwd: empty })
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining('the store has no peers yet')])
  })

  it('is no finding of doctor, and counts in the question of init --force', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'trap', '--canary'], { cwd })
    const later = new Date(Date.now() + 400 * 86_400_000)
    const { findings } = parseJson(await runCli(['doctor', '--json'], { cwd, now: later })) as {
      findings: { subject: string }[]
    }
    expect(findings.filter(({ subject }) => subject.includes('trap'))).toEqual([])
    expect((await runCli(['init', '--force'], { cwd })).stderr).toContain('ERR_CONFIRMATION_NEEDED')
  })

  it('is a finding of doctor if its token is a peer’s in another store', async () => {
    const cwd = await makeTrap()
    const { token } = await revealed(cwd, 'rotate', 'trap')
    const other = await makeStore()
    await runCli(['add-peer', 'bob', '--token-file', '-'], { cwd: other, stdin: token ?? '' })
    const third = await makeStore()
    await runCli(['add-peer', 'trap', '--canary', '--token-file', '-'], { cwd: third, stdin: token ?? '' })
    const compare = async (...stores: string[]): Promise<string[]> => {
      const paths = stores.map((folder) => join(folder, 'a2a-totp.json'))
      const { findings } = parseJson(await runCli(['doctor', ...paths, '--json'], { cwd })) as {
        findings: { id: string; subject: string }[]
      }
      return findings.filter(({ id }) => id === 'token-repeated').map(({ subject }) => subject)
    }
    expect(await compare(cwd, third)).toEqual([])
    expect(await compare(cwd, other)).toEqual([expect.stringContaining('the canary trap in')])
  })

  it('gets a new token by its name alone', async () => {
    const cwd = await makeTrap()
    const tokens = (): unknown[] =>
      (storeOf(cwd)['canaries'] as Record<string, { tokens: [] }>)['trap']?.tokens ?? []
    await runCli(['rotate', '--all'], { cwd })
    expect(tokens()).toHaveLength(1)
    expect(parseJson(await runCli(['rotate', 'trap', '--json'], { cwd }))).toMatchObject({
      peers: [{ name: 'trap', seedId: null, canary: true }],
    })
    expect(tokens()).toHaveLength(2)
    await runCli(['rotate', 'trap', '--finish'], { cwd })
    expect(tokens()).toHaveLength(1)
  })

  it('is completed and removed like a peer, and is in the record', async () => {
    const cwd = await makeTrap()
    expect((await runCli(['complete-peers'], { cwd })).stdout).toBe('alice\ntrap\n')
    expect((await runCli(['remove-peer', 'trap', '--yes'], { cwd })).exitCode).toBe(0)
    expect(storeOf(cwd)).not.toHaveProperty('canaries')
    const lines = readFileSync(join(cwd, 'a2a-totp.json.log'), 'utf8').trim().split('\n')
    expect(lines.slice(-2).map((line) => (JSON.parse(line) as { peers: unknown }).peers)).toEqual([
      ['trap'],
      ['trap'],
    ])
  })

  it('survives export and import as JSON; other formats leave it out, and say so', async () => {
    const cwd = await makeTrap()
    const exported = await runCli(['export', '--reveal'], { cwd })
    const document = parseJson(exported) as { canaries: Record<string, string>[] }
    expect(document.canaries).toEqual([
      { name: 'trap', note: 'in the wiki', token: expect.stringMatching(/^a2at_/) as string },
    ])
    const other = await makeStore()
    const run = await runCli(['import', '-', '--json'], { cwd: other, stdin: exported.stdout })
    expect(parseJson(run)).toMatchObject({ imported: 2, peers: ['alice'], canaries: ['trap'], made: [] })
    expect(parseJson(await runCli(['export', '--reveal'], { cwd: other }))).toEqual(document)
    const again = await runCli(['import', '-'], { cwd: other, stdin: exported.stdout })
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('ERR_PEER_EXISTS')])
    for (const format of ['uris', 'csv', 'maps']) {
      const { stdout, stderr } = await runCli(['export', '--reveal', '--format', format], { cwd })
      expect(stdout).not.toContain('trap')
      expect(stderr).toContain('omitted the canaries (trap)')
    }
  })

  it.each([
    ['no token', { name: 'x' }],
    ['a seed', { name: 'x', token: 'a2at_x', seed: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }],
    ['no name', { token: 'a2at_x' }],
    ['a token that cannot be sent', { name: 'x', token: 'a b' }],
  ])('is not imported with %s', async (_, canary) => {
    const cwd = await makeStore()
    const stdin = JSON.stringify({ peers: [], canaries: [canary] })
    const run = await runCli(['import', '-'], { cwd, stdin })
    expect([run.exitCode, run.stdout]).toEqual([3, ''])
    expect(run.stderr).toContain('canaries[0]')
    expect(run.stderr).not.toMatch(/a2at_x|GEZDG/)
  })
})

describe('config with canaries', () => {
  it.each(['json', 'yaml', 'kubernetes'])('server --format %s has them', async (format) => {
    const cwd = await makeTrap()
    const { stdout, stderr } = await runCli(['config', 'server', '--format', format], { cwd })
    expect(stdout).toMatch(/canaries\\?"?:/)
    expect(stderr).not.toContain('trap')
  })

  it('server --format maps leaves them out, and says so', async () => {
    const cwd = await makeTrap()
    const { exitCode, stdout, stderr } = await runCli(['config', 'server', '--format', 'maps'], { cwd })
    expect(exitCode).toBe(0)
    expect(stdout).not.toContain('"trap"')
    expect(stderr).toContain('maps cannot hold them')
  })

  it.each(['python', 'crewai'])('server --format %s has them in the server file', async (format) => {
    const cwd = await makeTrap()
    const { exitCode, stdout, stderr } = await runCli(['config', 'server', '--format', format], { cwd })
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).not.toContain('trap')
  })

  it.each(['env', 'json', 'yaml', 'kubernetes'])(
    'client --format %s is bait: the token, and a seed that nobody has, not even a shared one',
    async (format) => {
      const cwd = await makeTrap(['--shared-seed'])
      const shared = JSON.stringify(storeOf(cwd)['sharedSeeds'])
      const { exitCode, stdout, stderr } = await runCli(['config', 'client', 'trap', '--format', format], {
        cwd,
      })
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/a2at_/)
      const seed = /\b[A-Z2-7]{32}\b/.exec(stdout)?.[0] ?? ''
      expect(seed).not.toBe('')
      expect(shared).not.toContain(seed)
      // Nothing in it gives the trap away, and nothing of it is said on stdout.
      expect(stdout.toLowerCase()).not.toContain('canary')
      expect(stderr).toContain('trap is a canary')
    },
  )

  it.each(['python', 'crewai', 'typescript', 'github', 'curl'])(
    'client --format %s has no credentials, so it is no bait',
    async (format) => {
      const cwd = await makeTrap()
      const run = await runCli(['config', 'client', 'trap', '--format', format], { cwd })
      expect([run.exitCode, run.stdout]).toEqual([2, ''])
      expect(run.stderr).toContain('--format env, json, yaml, kubernetes')
    },
  )
})

/** An answer without its date, as one text: status line, header lines in order, body. */
function answerTo(port: number, headers: Record<string, string>): Promise<string> {
  return new Promise((done, failed) => {
    const call = request({ port, host: '127.0.0.1', method: 'POST', headers }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => {
        const lines = response.rawHeaders.map((text, index, all) =>
          index % 2 === 1 && /^date$/i.test(all[index - 1] ?? '') ? '' : text,
        )
        done(JSON.stringify([response.statusCode, response.statusMessage, lines, body]))
      })
    })
    call.on('error', failed).end()
  })
}

describe('from the binary to the alarm', () => {
  it('an agent answers a planted token as any unknown one, and reports it once a minute and source', async () => {
    const cwd = makeFolder()
    const run = async (...args: string[]): Promise<CliRun> => {
      const result = await runBinary(args, { cwd })
      expect(result.exitCode, result.stderr).toBe(0)
      return result
    }
    await run('init', '--agent', 'billing')
    await run('add-peer', 'alice')
    const added = await run('add-peer', 'backup-sync', '--canary', '--reveal', '--json')
    const [{ token = '' } = {}] = (parseJson(added) as { peers: { token?: string }[] }).peers
    await run('config', 'server', '--out', 'billing.json')
    const bait = await run('config', 'client', 'backup-sync')
    expect(bait.stdout).toContain(`A2A_TOTP_TOKEN=${token}`)
    const clean = await run('config', 'client', 'alice', '--format', 'json')
    const alice = parseJson(clean) as { token: string }

    const path = join(cwd, 'billing.json')
    const events: { type: string; canary?: string; source?: string }[] = []
    using scheme = TOTPServerAuthScheme.fromFile(path, { onEvent: (event) => events.push(event) })
    const reached = vi.fn()
    const app = express()
    app.set('trust proxy', 'loopback')
    app.use(totpGuard(scheme), (_req, res) => (reached(), res.end()))
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await vi.waitFor(() => expect(server.listening).toBe(true))
    const { port } = server.address() as AddressInfo
    const send = (bearer: string, from = '192.0.2.1'): Promise<string> =>
      answerTo(port, { authorization: `Bearer ${bearer}`, 'x-totp': '123456', 'x-forwarded-for': from })
    const alarms = (): typeof events => events.filter(({ type }) => type === 'canary_used')
    const loaded = async (): Promise<void> => {
      await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('server_file_loaded'))
      events.length = 0
    }

    const unknown = await send('a2at_nobodys')
    expect(await send(token)).toBe(unknown)
    expect(unknown).toContain('401')
    expect(await send(token)).toBe(unknown)
    expect(alarms()).toMatchObject([{ canary: 'backup-sync', source: '192.0.2.1' }])
    expect(await send(token, '192.0.2.2')).toBe(unknown)
    expect(alarms()).toMatchObject([{ source: '192.0.2.1' }, { source: '192.0.2.2' }])

    await run('rotate', 'backup-sync')
    await run('config', 'server', '--out', 'billing.json', '--force')
    await loaded()
    await send(token, '192.0.2.3')
    expect(alarms()).toHaveLength(1)
    await run('remove-peer', 'backup-sync', '--yes')
    await run('config', 'server', '--out', 'billing.json', '--force')
    await loaded()
    expect(await send(token, '192.0.2.4')).toBe(unknown)
    expect(events.map(({ type }) => type)).toEqual(['refused'])

    // Both at once is a mistake, and the agent keeps its old file.
    const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> & {
      peers: { alice: { tokens: { hash: string }[] } }
    }
    const hash = file.peers.alice.tokens[0]?.hash ?? ''
    writeFileSync(path, JSON.stringify({ ...file, canaries: [{ name: 'backup-sync', id: 'c', hash }] }))
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('server_file_refused'))
    expect(JSON.stringify(events)).not.toContain(alice.token)
    expect(reached).not.toHaveBeenCalled()
  })
})
