import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../../src/cli/main.js'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent, type TestAgent } from '../support/broken-agent.js'
import { makeFolder, runCli, type CliRun } from '../support/cli.js'
import { alice, bob } from '../support/probing.js'

/**
 * What a terminal or a CI runner obeys: control characters of C0 and C1, bidi overrides, line separators; and log
 * commands of GitHub Actions, Azure Pipelines and TeamCity, anywhere in a line.
 */
const hostile =
  'a\u001b[2J\u009b31m\u202e\u2028\r::error::b ##[stop-commands]c ##vso[task.setvariable variable=PATH]d ##teamcity[buildStop]'
/** The same as the name of a folder. */
const hostileFolder = hostile.replaceAll('/', '_')

const controls = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const commands = /::|##\w*\[/

function expectHarmless(run: CliRun): void {
  for (const text of [run.stdout, run.stderr]) {
    expect(text).not.toMatch(controls)
    expect(text).not.toMatch(commands)
  }
}

const twice = (args: string[]): string[][] => [args, ['--json', ...args]]

/** A store in a folder of that name, with a peer whose note is hostile too. */
async function hostileStore(): Promise<string> {
  const cwd = join(makeFolder(), hostileFolder)
  mkdirSync(cwd)
  for (const args of [
    ['init', '--agent', 'billing'],
    ['add-peer', 'alice', '--note', hostile],
    ['add-peer', 'bob'],
  ])
    expect(await runCli(args, { cwd })).toMatchObject({ exitCode: 0 })
  return cwd
}

describe('a hostile folder or note', () => {
  it.each(
    [
      ['init'],
      ['init', '--if-missing'],
      ['init', '--force', '--yes'],
      ['list'],
      ['show', 'alice'],
      ['doctor'],
      ['doctor', '--verbose'],
      ['doctor', '--fix'],
      ['export', '--reveal'],
      ['export', '--reveal', '--format', 'csv'],
      ['remove-peer', 'bob', '--yes'],
      ['rotate', 'bob'],
      ['config', 'server', '--format', 'json'],
      ['config', 'client', 'alice', '--out', join('missing', 'x')],
      ['import', 'missing.csv'],
      ['--store', 'nowhere.json', 'list'],
    ].flatMap(twice),
  )('is harmless in what %j %j %j %j prints', async (...args) => {
    expectHarmless(await runCli(args, { cwd: await hostileStore() }))
  })

  it('is harmless where the store is refused, not JSON, or passed over', async () => {
    const cwd = await hostileStore()
    const store = join(cwd, 'a2a-totp.json')
    chmodSync(store, 0o644)
    for (const args of twice(['list'])) expectHarmless(await runCli(args, { cwd }))
    for (const args of twice(['doctor'])) expectHarmless(await runCli(args, { cwd }))
    chmodSync(store, 0o600)
    writeFileSync(
      store,
      readFileSync(store, 'utf8').replace('"version"', `${JSON.stringify(hostile)}: 1, "version"`),
    )
    for (const args of twice(['list'])) expectHarmless(await runCli(args, { cwd }))
    writeFileSync(store, 'no JSON')
    for (const args of twice(['list'])) expectHarmless(await runCli(args, { cwd }))
    chmodSync(cwd, 0o777)
    for (const args of twice(['list'])) expectHarmless(await runCli(args, { cwd }))
  })

  it('is the same to whoever reads the JSON', async () => {
    const cwd = await hostileStore()
    const { stdout } = await runCli(['--json', 'list'], { cwd })
    const { peers } = JSON.parse(stdout) as { peers: { note: string | null }[] }
    expect(peers[0]?.note).toBe(hostile)
    const made = await runCli(['--json', 'init', '--if-missing'], { cwd })
    expect(JSON.parse(made.stdout)).toMatchObject({ store: join(cwd, 'a2a-totp.json') })
  })

  it('survives an export and an import as JSON', async () => {
    const cwd = await hostileStore()
    const { stdout } = await runCli(['export', '--reveal'], { cwd })
    const other = makeFolder()
    await runCli(['init'], { cwd: other })
    await runCli(['import', '-'], { cwd: other, stdin: stdout })
    expect(readFileSync(join(other, 'a2a-totp.json'), 'utf8')).toContain(JSON.stringify(hostile))
  })
})

describe('hostile words on the command line', () => {
  it.each(
    [
      [hostile],
      [`--${hostile}`],
      ['show', hostile],
      ['add-peer', hostile],
      ['init', '--agent', hostile],
      ['init', '--header', hostile],
      ['init', '--digits', hostile],
      ['init', '--url', `http://${hostile}`],
      ['init', '--url', hostile],
      ['verify', hostile],
      ['--store', hostile, 'list'],
      ['config', 'server', '--format', hostile],
      ['config', 'card', '--merge', hostile],
      ['probe', `http://127.0.0.1:1/${hostile}`, 'alice'],
      ['probe', hostile, 'alice'],
      ['probe', '--explain', hostile],
      ['rotate', hostile],
      ['import', hostile],
      ['help', hostile],
      ['completion', hostile],
      ['doctor', hostile],
      ['doctor', '--clock', hostile],
    ].flatMap(twice),
  )('are harmless in the error: %j %j %j', async (...args) => {
    const cwd = makeFolder()
    await runCli(['init'], { cwd })
    await runCli(['add-peer', 'alice'], { cwd })
    const run = await runCli(args, { cwd })
    expectHarmless(run)
  })
})

it('a hostile card is merged as it was, and is harmless to look at', async () => {
  const cwd = makeFolder()
  const card = {
    name: hostile,
    [hostile]: [hostile],
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    security: [{ bearer: [] }],
  }
  writeFileSync(join(cwd, 'card.json'), JSON.stringify(card))
  for (const args of twice(['config', 'card', '--merge', 'card.json', '--protocol', '0.3'])) {
    const run = await runCli(args, { cwd })
    expect(run.exitCode).toBe(0)
    expectHarmless(run)
    expect(JSON.parse(run.stdout)).toMatchObject({ name: hostile, [hostile]: [hostile] })
  }
})

it('what strangers ask the demo for is harmless in its log', async () => {
  const cwd = makeFolder()
  await runCli(['init'], { cwd })
  const stop = new AbortController()
  const stdout = new PassThrough()
  const log: string[] = []
  const ended = main(['demo'], {
    env: {},
    cwd,
    stdin: () => Readable.from([]),
    stdout,
    stderr: { write: (text) => log.push(text) > 0 },
    signal: stop.signal,
  })
  const card = String(await once(stdout, 'data')).trim()
  for (const path of ['/::error::x', '/##vso[task.setvariable]x', '/##[group]', '/a::b##teamcity[c]'])
    await fetch(new URL(path, card))
  await vi.waitFor(() => expect(log.filter((line) => line.includes('GET'))).toHaveLength(4))
  stop.abort('SIGINT')
  expect(await ended).toBe(130)
  expectHarmless({ exitCode: 0, stdout: '', stderr: log.join('') })
})

describe('what a hostile agent answers', () => {
  const answers = ['card', 'refusal', 'success', 'html', 'header'] as const
  const agents = new Map<string, TestAgent>()
  const env = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32, A2A_TOTP_AGENT: hostile }

  beforeAll(async () => {
    for (const kind of answers) {
      const agent = await startTestAgent({
        peers: [alice, bob],
        profile: defaultProfile,
        now: () => new Date(),
        quirks: {
          ...(kind === 'card' && {
            card: (card) => ({
              ...card,
              name: hostile,
              securitySchemes: { [hostile]: { type: hostile, scheme: hostile } },
              security: [{ [hostile]: [] }],
              additionalInterfaces: [{ url: `http://elsewhere.invalid/${hostile}`, transport: 'JSONRPC' }],
            }),
          }),
          ...(kind === 'refusal' && {
            refuse: (response) => {
              response.writeHead(403, { 'Content-Type': 'application/json' })
              response.end(JSON.stringify({ error: { code: hostile, status: hostile, message: hostile } }))
              return true
            },
          }),
          ...(kind === 'success' && {
            answers: (response, _call, { codes }) => {
              if (codes.length === 0) return false
              response.writeHead(200, { 'Content-Type': 'application/json' })
              response.end(JSON.stringify({ error: { code: -32099, message: hostile } }))
              return true
            },
          }),
          ...(kind === 'html' && {
            answers: (response) => {
              response.writeHead(400, { 'Content-Type': 'text/::error::##[x]##vso[y]' }).end(hostile)
              return true
            },
          }),
          ...(kind === 'header' && {
            refuse: (response) => {
              response.writeHead(401, {
                'WWW-Authenticate': 'TOTP realm="::error::##[group]x", header="X ##vso[task] ::stop::"',
                'Retry-After': '##vso[task]',
              })
              response.end()
              return true
            },
          }),
        },
      })
      agents.set(kind, agent)
    }
  })
  afterAll(async () => {
    for (const agent of agents.values()) await agent.close()
  })

  const formats = ['pretty', 'json', 'junit', 'markdown', 'github'] as const
  const cases = answers.flatMap((kind) => formats.map((format) => [kind, format] as const))

  it.each(cases)('as its %s is harmless in the format %s', async (kind, format) => {
    const cwd = makeFolder()
    const url = agents.get(kind)?.url ?? ''
    const file = join(cwd, 'report')
    const run = await runCli(['probe', url, '--format', format], { cwd, env })
    await runCli(['probe', url, '--format', `${format}=report`], { cwd, env })
    expect(existsSync(file)).toBe(true)
    for (const text of [run.stdout, run.stderr, readFileSync(file, 'utf8')]) {
      expect(text).not.toMatch(controls)
      // The annotations that are ours begin a line; nothing of the agent's makes one, nor a second pair of colons.
      const own = format === 'github' ? /^::(error|warning|notice) title=[^:]*::/gm : /(?!)/g
      expect(text.replace(own, '')).not.toMatch(commands)
    }
    if (format === 'json') expect(JSON.parse(run.stdout)).toMatchObject({ version: 1 })
  })

  it('leaves no file of a name of its own', () => {
    expect(readdirSync(process.cwd())).not.toContain(hostileFolder)
  })
})
