import { createServer } from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import type { ProbeReport } from '../../src/probe/index.js'
import { startTestAgent, type TestAgent } from '../support/broken-agent.js'
import { makeFolder, runBinary, runCli, startBinary, type CliRun } from '../support/cli.js'
import { freePort } from '../support/free-ports.js'
import { alice, bob } from '../support/probing.js'

let agent: TestAgent
beforeAll(async () => {
  agent = await startTestAgent({ peers: [alice, bob], profile: defaultProfile, now: () => new Date() })
})
afterAll(() => agent.close())

const env = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32 }
const quick = ['--only', 'auth.none']

const reportOf = ({ stdout }: CliRun): ProbeReport => JSON.parse(stdout) as ProbeReport

/** A store whose peers are those of the agent. */
async function storeWith(url: string | undefined, ...peers: readonly (typeof alice)[]): Promise<string> {
  const cwd = makeFolder()
  await runCli(['init', '--agent', 'billing', ...(url === undefined ? [] : ['--url', url])], { cwd })
  for (const { name, token, seed } of peers) {
    writeFileSync(join(cwd, 'token'), token, { mode: 0o600 })
    const given = ['--token-file', 'token', '--seed-file', '-', '--allow-weak-token']
    const { exitCode, stderr } = await runCli(['add-peer', name, ...given], { cwd, stdin: seed.base32 })
    if (exitCode !== 0) throw new Error(stderr)
  }
  return cwd
}

describe('the arguments of probe', () => {
  it("mean a peer if there is one without ://, and the store's URL", async () => {
    const cwd = await storeWith(agent.url, alice, bob)
    const run = await runCli(['probe', 'alice', ...quick, '--json'], { cwd })
    expect(run.exitCode).toBe(0)
    expect(reportOf(run)).toMatchObject({ target: agent.url, agent: 'billing', ok: true })
  })

  it('mean the URL if there is one with ://', async () => {
    const run = await runCli(['probe', agent.url, ...quick, '--json'], { cwd: makeFolder(), env })
    expect(run.exitCode).toBe(0)
  })

  it('may be left out where the store has a URL and one peer, or the environment has the credentials', async () => {
    const one = await storeWith(agent.url, alice)
    expect((await runCli(['probe', ...quick], { cwd: one })).exitCode).toBe(0)
    const none = await storeWith(agent.url)
    expect((await runCli(['probe', ...quick], { cwd: none, env })).exitCode).toBe(0)
    const known = { ...env, A2A_TOTP_URL: agent.url }
    expect((await runCli(['probe', ...quick], { cwd: makeFolder(), env: known })).exitCode).toBe(0)
  })

  it.each([
    [
      'no URL in the store',
      ['alice'],
      true,
      /the store has no URL of the agent; pass it, or run `a2a-totp set --url URL`/,
    ],
    ['no URL, and credentials of the environment', [], false, /missing the URL of the agent; give it first/],
    ['no store', ['alice'], false, /missing the URL of the agent/],
    ['a host and port', ['127.0.0.1:4100'], true, /a URL starts with http:/],
    ['a path', ['agent.example/rpc'], true, /a URL starts with http:/],
  ])('are refused with exit code 2 where there is %s', async (_, args, stored, said) => {
    const cwd = stored ? await storeWith(undefined, alice) : makeFolder()
    const run = await runCli(['probe', ...args], { cwd, env })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(said)
  })

  it('ask for a name where the store has several peers', async () => {
    const cwd = await storeWith(agent.url, alice, bob)
    const run = await runCli(['probe', ...quick], { cwd })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('the store has 2 peers; pass NAME')
  })

  it('name an unknown peer as everywhere', async () => {
    const cwd = await storeWith(agent.url, alice)
    expect(await runCli(['probe', 'alcie'], { cwd })).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

const row = { id: 'status', reason: 'known', expires: '2999-01-01T00:00:00Z' }

describe('--ignore and --card-jwks', () => {
  const withFile = async (option: string, content: unknown): Promise<CliRun> => {
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'given.json'), typeof content === 'string' ? content : JSON.stringify(content))
    return runCli(['probe', agent.url, ...quick, '--json', option, 'given.json'], { cwd, env })
  }

  it.each([
    ['--ignore', '{}'],
    ['--ignore', [{ ...row, reason: undefined }]],
    ['--ignore', [{ ...row, expires: undefined }]],
    ['--ignore', [{ ...row, id: 'auth.magic' }]],
    ['--ignore', [{ ...row, cell: 'soap/1.0' }]],
    ['--card-jwks', 'no JSON'],
    ['--card-jwks', { keys: [] }],
  ])('are refused with exit code 2 before anything is sent: %s %j', async (option, content) => {
    const before = agent.requests.length
    const run = await withFile(option, content)
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('ERR_USAGE')
    expect(agent.requests.length).toBe(before)
  })

  it('are taken from files that are right, and the report says so', async () => {
    const run = await withFile('--ignore', [row])
    expect(run.exitCode).toBe(0)
    expect(reportOf(run).narrowed).toEqual(['--only auth.none', '--ignore given.json'])
    const { publicKey } = generateKeyPairSync('ed25519')
    expect((await withFile('--card-jwks', publicKey.export({ format: 'jwk' }))).exitCode).toBe(0)
  })

  it.each(['--ignore', '--card-jwks', '--ca'])('name a file for %s that cannot be read', async (option) => {
    const run = await runCli(['probe', agent.url, option, 'none.json'], { cwd: makeFolder(), env })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
  })
})

describe('the exit code of the built command', () => {
  const built = (args: readonly string[]): Promise<CliRun> =>
    runBinary(['probe', ...args, '--json'], { cwd: makeFolder(), env })

  it('is 4 where nothing answers, and the report is printed', async () => {
    const run = await built(['http://127.0.0.1:1', '--wait', '1'])
    expect(run.exitCode).toBe(4)
    expect(reportOf(run)).toMatchObject({ reachable: false, ok: false })
  })

  it('is 1 where one interface is not reached', async () => {
    const interfaces = (origin: string) => [
      { url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: 'http://127.0.0.1:1/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    ]
    const partly = await startTestAgent({
      peers: [alice, bob],
      profile: defaultProfile,
      now: () => new Date(),
      quirks: { card: (card, origin) => ({ ...card, supportedInterfaces: interfaces(origin) }) },
    })
    try {
      const run = await built([partly.url, '--allow-host', '127.0.0.1:1', '--protocol', '1.0'])
      expect(run.exitCode).toBe(1)
      const report = reportOf(run)
      expect(report).toMatchObject({ reachable: true, ok: false, narrowed: ['--protocol 1.0'] })
      expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({
        status: 'fail',
        detail: expect.stringMatching(/REST 1\.0 at 127\.0\.0\.1:1\/rest: .*ECONNREFUSED/) as string,
      })
    } finally {
      await partly.close()
    }
  })

  it('is 1 where there is no card', async () => {
    const run = await built([`${agent.url}/nothing.json`])
    expect(run.exitCode).toBe(1)
  })

  it('is that of the run once the agent answers that --wait waits for', async () => {
    // A port that nothing listens on yet.
    const server = createServer((_, response) => response.writeHead(404).end())
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const child = startBinary(['probe', url, '--wait', '60', '--json'], { cwd: makeFolder(), env })
    const ended = new Promise((resolve) => child.once('close', resolve))
    server.listen(port, '127.0.0.1')
    expect(await ended).toBe(1)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('what probe cannot use is refused before anything is sent', () => {
  it.each([
    [['alice', 'http://127.0.0.1:1'], 'the URL comes first, then the peer'],
    [['127.0.0.1:4100', 'alice'], 'which starts with http:// or https://'],
    [['http://127.0.0.1:1', '--only', ','], '--only names nothing'],
    [['http://127.0.0.1:1', '--skip', ''], '--skip names nothing'],
    [['http://127.0.0.1:1', '--only', 'leak', '--skip', 'leak'], 'no check is left to run'],
    [['http://127.0.0.1:1', '--only', 'auth.vaild'], 'did you mean auth.valid?'],
    [['--explain', 'auth.vaild'], 'did you mean auth.valid?'],
    [['--explain', 'mesh.separate'], 'of `mesh prove`; its reports say what they mean'],
    [['http://127.0.0.1:1', '--throttle=1'], "option '--throttle' takes no value"],
    [['http://127.0.0.1:1', 'alice', '--other-peer', 'alice'], '--other-peer must be another peer'],
  ])('%j', async (args, message) => {
    const cwd = await storeWith(agent.url, alice, bob)
    const { exitCode, stderr } = await runCli(['probe', ...args], { cwd, env })
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) as string })
  })

  it('names the option whose variable is not set', async () => {
    const args = ['probe', agent.url, '--token-env', 'NOWHERE']
    const { exitCode, stderr } = await runCli(args, { cwd: makeFolder(), env })
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^error: --token-env names a variable that is not set, or is empty; /)
  })
})
