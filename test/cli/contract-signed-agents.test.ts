import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { SendMessageRequest } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { describe, expect, it } from 'vitest'
import { BearerTokenAuth, TOTPClientAuthScheme } from '../../src/client/index.js'
import { totpTransports } from '../../src/client/a2a.js'
import { binary, makeFolder, makeStore, parseJson, runBinary, startBinary } from '../support/cli.js'

/* What a signed policy means from outside: `demo` under each of them, against `probe`, curl, and the SDK's client. */

interface Demo {
  readonly cwd: string
  readonly card: string
  readonly jsonrpc: string
}
type Check = Record<'id' | 'binding' | 'status', string>
interface Report {
  readonly ok: boolean
  readonly narrowed: string[]
  readonly guessesSpent: number
  readonly diagnosis?: string
  readonly checks: Check[]
}

const ids = 'advertised valid replay body target header stale stripped other-agent required'
  .split(' ')
  .map((name) => `signed.${name}`)

async function startDemo(...init: string[]): Promise<Demo> {
  const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing', ...init])
  const child = startBinary(['demo', '--json'], { cwd })
  const [line] = (await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')) as [string]
  const { card, interfaces } = JSON.parse(line) as {
    card: string
    interfaces: { protocolBinding: string; url: string }[]
  }
  const jsonrpc = interfaces.find(({ protocolBinding }) => protocolBinding === 'JSONRPC')?.url ?? ''
  return { cwd, card, jsonrpc }
}

/** The statuses of each check that is about proofs, without repetitions. */
const signedIn = ({ checks }: Report): Record<string, string> =>
  Object.fromEntries(
    ids.map((id) => {
      const found = checks.filter((check) => check.id === id).map(({ status }) => status)
      return [id, [...new Set(found)].join(' ')]
    }),
  )
const all = (status: string, but: Record<string, string> = {}): Record<string, string> => ({
  ...Object.fromEntries(ids.map((id) => [id, status])),
  ...but,
})
const clientOf = async (cwd: string): Promise<Record<string, string>> =>
  parseJson(await runBinary(['config', 'client', 'alice', '--format', 'json'], { cwd })) as Record<
    string,
    string
  >

describe('probe', () => {
  const decidesNothing = all('skip', { 'signed.advertised': 'pass', 'signed.valid': 'pass' })
  it.each([
    [['--signed', 'off'], decidesNothing],
    [['--signed', 'observe'], decidesNothing],
    [['--replay', 'once', '--signed', 'accept'], all('pass', { 'signed.required': 'skip' })],
    [['--signed', 'require'], all('pass')],
    [['--strict'], all('pass')],
    [['--strict', '--shared-seed', '--header', 'X-Code', '--window', '2', '--period', '60'], all('pass')],
  ])('holds %j', async (init, expected) => {
    const { cwd, card } = await startDemo(...init)
    const run = await runBinary(['probe', card, 'alice', '--strict', '--json'], { cwd })
    const report = parseJson(run) as unknown as Report
    expect([run.exitCode, report.ok, report.narrowed]).toEqual([0, true, []])
    expect(signedIn(report)).toEqual(expected)
    expect(report.guessesSpent).toBeLessThanOrEqual(4)
  })

  it('takes what it needs from the environment, and says so where the name of the agent is missing', async () => {
    const { cwd, card } = await startDemo('--signed', 'require')
    const { token, seed, agent, signed } = await clientOf(cwd)
    const env = { A2A_TOTP_TOKEN: token ?? '', A2A_TOTP_SEED: seed ?? '', A2A_TOTP_SIGNED: signed ?? '' }
    const options = { cwd: makeFolder(), env: { ...env, A2A_TOTP_AGENT: agent ?? '' } }
    const run = await runBinary(['probe', card, '--json'], options)
    expect([run.exitCode, signedIn(parseJson(run) as unknown as Report)]).toEqual([0, all('pass')])
    const nameless = await runBinary(['probe', card, '--json'], { ...options, env })
    expect(nameless.exitCode).toBe(1)
    expect((parseJson(nameless) as unknown as Report).diagnosis).toContain('A2A_TOTP_AGENT')
  })

  it('fails where the agent does not do what the policy says', async () => {
    const { cwd, card } = await startDemo('--signed', 'off')
    await runBinary(['set', '--signed', 'require'], { cwd })
    const run = await runBinary(['probe', card, 'alice', '--json'], { cwd })
    expect(run.exitCode).toBe(1)
    expect(signedIn(parseJson(run) as unknown as Report)).toMatchObject({
      'signed.advertised': 'fail',
      'signed.valid': 'pass',
      'signed.replay': 'fail',
      'signed.body': 'fail',
      'signed.target': 'fail',
      'signed.header': 'fail',
      'signed.stale': 'fail',
      'signed.other-agent': 'fail',
      'signed.required': 'fail',
    })
  })
})

describe('the client of the SDK', () => {
  it.each(['JSONRPC', 'HTTP+JSON', 'GRPC'])(
    'calls an agent under --strict as often as it likes, by %s',
    async (binding) => {
      const { cwd, card } = await startDemo('--strict')
      const { token = '', seed = '' } = await clientOf(cwd)
      const scheme = new TOTPClientAuthScheme({
        delegate: new BearerTokenAuth(token),
        seed,
        agent: 'billing',
        profile: { algorithm: 'SHA256', digits: 8 },
      })
      const factory = new ClientFactory({ ...totpTransports(scheme), preferredTransports: [binding] })
      const client = await factory.createFromUrl(new URL(card).origin)
      const message = (): SendMessageRequest =>
        SendMessageRequest.fromJSON({
          message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text: 'hi' }] },
        })
      await Promise.all(Array.from({ length: 8 }, () => client.sendMessage(message())))
      const events: unknown[] = []
      for await (const event of client.sendMessageStream(message())) events.push(event)
      expect(events).not.toEqual([])
    },
  )
})

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe.skipIf(!hasCurl)('config client --format curl', () => {
  it.each(['--strict', '--signed accept', '--signed off'])('runs under %s', async (policy) => {
    const { cwd, jsonrpc } = await startDemo(...policy.split(' '))
    await runBinary(['set', '--url', jsonrpc], { cwd })
    const body = '{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"none"}}'
    writeFileSync(join(cwd, 'request.json'), body)
    mkdirSync(join(cwd, 'bin'))
    writeFileSync(join(cwd, 'bin', 'a2a-totp'), `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`, {
      mode: 0o755,
    })
    const { stdout: script } = await runBinary(['config', 'client', 'alice', '--format', 'curl'], { cwd })
    expect(script.includes('--for POST')).toBe(policy === '--strict')
    const env = { PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: cwd }
    const more = script.includes('--for POST') ? '' : ` --header 'A2A-Version: 1.0' --json @request.json`
    for (let times = 0; times < 2; times++) {
      const done = spawnSync('sh', ['-c', script.trimEnd() + more], { cwd, env, encoding: 'utf8' })
      expect([done.status, done.stdout]).toEqual([0, expect.stringContaining('-32001')])
    }
  })
})
