import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent, type TestAgent } from '../support/broken-agent.js'
import { makeFolder } from '../support/cli.js'
import { action, actionText, runStep, type StepRun } from '../support/github-action.js'
import { alice, bob } from '../support/probing.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const credentials = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32 }
const { steps } = action.runs

describe('action.yml', () => {
  it('is a composite action, with steps of bash alone', () => {
    expect(action.runs.using).toBe('composite')
    const ofShell = steps.filter(({ run }) => run !== undefined)
    expect(ofShell.map(({ id, shell }) => [id, shell])).toEqual([
      ['install', 'bash'],
      ['probe', 'bash'],
    ])
  })

  it('evaluates no expression inside a script', () => {
    for (const { run } of steps) expect(run ?? '').not.toContain('${{')
  })

  it('pins other actions by commit, and names the version', () => {
    const used = Array.from(actionText.matchAll(/uses: (.*)$/gm), ([, use = '']) => use)
    expect(used.length).toBeGreaterThan(0)
    for (const use of used) expect(use).toMatch(/^[\w-]+\/[\w-]+(\/[\w-]+)*@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
    expect(steps.filter(({ uses }) => uses !== undefined)).toHaveLength(used.length)
  })

  it('takes no secret as an input', () => {
    for (const name of Object.keys(action.inputs)) expect(name).not.toMatch(/token|seed|secret|password|key$/)
  })

  it('hands each input to one variable of one step, and reads each variable in quotes', () => {
    const used = steps.flatMap(({ env = {} }) => Object.entries(env))
    const names = used.map(([, value]) => /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value)?.[1])
    expect([...names, 'node-version'].sort()).toEqual(Object.keys(action.inputs).sort())
    for (const [name] of used) {
      for (const { run = '' } of steps) {
        expect(run.split(`$${name}`).length).toBe(run.split(`"$${name}"`).length)
      }
    }
    for (const { value } of Object.values(action.outputs)) {
      expect(value).toMatch(/^\$\{\{ steps\.probe\.outputs\.[\w-]+ \}\}$/)
    }
  })
})

describe('the step that installs', () => {
  /** A folder in place of the action's checkout, with an npm that writes down how it was called. */
  const checkout = (): {
    cwd: string
    actionPath: string
    env: Record<string, string>
    calls: () => string
  } => {
    const cwd = makeFolder()
    const actionPath = join(cwd, '-the $(touch pwned) action')
    const bin = join(cwd, 'bin')
    for (const folder of [actionPath, bin]) mkdirSync(folder)
    const npm = `#!/bin/sh\nprintf '%s|%s|%s\\n' "$PWD" "$*" "\${A2A_TOTP_TOKEN-}\${A2A_TOTP_SEED-}" >>'${cwd}/calls'\n`
    writeFileSync(join(bin, 'npm'), npm)
    chmodSync(join(bin, 'npm'), 0o755)
    const env = { ...credentials, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
    const calls = (): string =>
      existsSync(join(cwd, 'calls')) ? readFileSync(join(cwd, 'calls'), 'utf8') : ''
    return { cwd, actionPath, env, calls }
  }

  it('builds in the checkout, without install scripts and without the credentials', async () => {
    const { calls, ...given } = checkout()
    expect(await runStep('install', given)).toMatchObject({ exitCode: 0 })
    expect(calls()).toBe(
      `${given.actionPath}|ci --include=dev --ignore-scripts --no-audit --no-fund|\n${given.actionPath}|run build|\n`,
    )
    expect(existsSync(join(given.cwd, 'pwned'))).toBe(false)
  })

  it('uses a build that is there', async () => {
    const { calls, ...given } = checkout()
    mkdirSync(join(given.actionPath, 'dist/cli'), { recursive: true })
    writeFileSync(join(given.actionPath, 'dist/cli/main.cjs'), '')
    expect(await runStep('install', given)).toMatchObject({ exitCode: 0 })
    expect(calls()).toBe('')
  })
})

const hostile = [
  'two words',
  'a;touch pwned',
  '$(touch pwned)',
  '`touch pwned`',
  '| touch pwned',
  '&& touch pwned #',
  '*',
  '"; touch pwned; "',
  "'; touch pwned; '",
  '--help',
  '-',
  '--',
  'a\nb',
  'x\n::set-output name=ok::true',
  '${{ github.token }}',
  '\\',
  '$HOME',
  'é😀',
]

describe('the step that probes, with hostile inputs', () => {
  /** A checkout whose command prints its arguments, each as one JSON line, and fails by 7. */
  const echo = (): string => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'bin'))
    writeFileSync(
      join(folder, 'bin/a2a-totp.cjs'),
      'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7',
    )
    return folder
  }
  const argumentsOf = ({ log }: StepRun): string[] =>
    JSON.parse(log.split('\n').find((line) => line.startsWith('["probe"')) ?? '[]') as string[]
  const optional = Object.keys(action.inputs).filter(
    (name) => !['url', 'strict', 'insecure-http', 'node-version'].includes(name),
  )

  it.each(hostile)('hands on %j as it is', async (text) => {
    const cwd = makeFolder()
    const inputs = Object.fromEntries(['url', ...optional].map((name) => [name, text]))
    const run = await runStep('probe', { cwd, actionPath: echo(), inputs, env: credentials })
    const args = argumentsOf(run)
    expect(args.slice(-2)).toEqual(['--', text])
    const options = args.slice(0, -2).filter((arg) => !/^--(format|strict)$/.test(arg) && arg.includes('='))
    expect(options.filter((arg) => arg.startsWith('--')).sort()).toEqual(
      optional.map((name) => `--${name}=${text}`).sort(),
    )
    expect(run.outputs).toEqual({ ok: 'false', 'exit-code': '7' })
    expect(run.exitCode).toBe(7)
    expect(readdirSync(cwd)).toEqual(['.runner'])
  })

  it.each(['yes', '', 'TRUE', '$(touch pwned)'])('takes %j for no boolean', async (text) => {
    for (const name of ['strict', 'insecure-http']) {
      const cwd = makeFolder()
      const inputs = { url: 'http://127.0.0.1:1', [name]: text }
      const run = await runStep('probe', { cwd, actionPath: echo(), inputs })
      expect(run.exitCode).toBe(2)
      expect(run.log).toBe(`::error title=a2a-totp probe::the input ${name} must be true or false\n`)
      expect(run.outputs).toEqual({ ok: 'false', 'exit-code': '2' })
      expect(readdirSync(cwd)).toEqual(['.runner'])
    }
  })

  it('says nothing of inputs that are not given', async () => {
    const run = await runStep('probe', { cwd: makeFolder(), actionPath: echo(), inputs: { url: 'u' } })
    const kinds = argumentsOf(run).map((arg) => arg.replace(/=.*/, ''))
    expect(kinds).toEqual([
      ...['probe', '--format', 'github', '--format', 'markdown', '--format', 'json'],
      ...['--format', 'sarif', '--format', 'junit', '--strict', '--', 'u'],
    ])
  })

  it('masks what the runner is to hide, on a runner alone', async () => {
    const env = { A2A_TOTP_TOKEN: 'a%0Atoken\r\nof two lines', A2A_TOTP_SEED: 'SEED' }
    const given = { cwd: makeFolder(), actionPath: echo(), inputs: { url: 'u' } }
    const masked = await runStep('probe', { ...given, env })
    expect(masked.log.split('\n').filter((line) => line.startsWith('::'))).toEqual([
      '::add-mask::a%250Atoken',
      '::add-mask::of two lines',
      '::add-mask::SEED',
    ])
    const elsewhere = await runStep('probe', { ...given, env: { ...env, GITHUB_ACTIONS: '' } })
    expect(elsewhere.log).not.toMatch(/SEED|token/)
    const without = await runStep('probe', { ...given, env: {} })
    expect(without.log).not.toContain('add-mask')
  })
})

describe('the step that probes, at a live agent', () => {
  let agent: TestAgent
  let open: TestAgent
  beforeAll(async () => {
    const setup = { peers: [alice, bob], profile: defaultProfile, now: () => new Date() }
    agent = await startTestAgent(setup)
    open = await startTestAgent({ ...setup, quirks: { waves: () => true } })
  })
  afterAll(async () => {
    await agent.close()
    await open.close()
  })
  const probe = (url: string, inputs: Record<string, string> = {}): Promise<StepRun> =>
    runStep('probe', { cwd: makeFolder(), actionPath: root, inputs: { url, ...inputs }, env: credentials })

  it('passes, and writes the summary, the annotations and the reports', async () => {
    const run = await probe(agent.url)
    expect(run.log).toContain('::notice title=a2a-totp probe::PASS')
    expect(run.summary).toMatch(/^## ✅ a2a-totp probe/)
    const { report = '', sarif = '', junit = '', ...verdict } = run.outputs
    expect(verdict).toEqual({ ok: 'true', 'exit-code': '0' })
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ ok: true, strict: true })
    expect(JSON.parse(readFileSync(sarif, 'utf8'))).toMatchObject({ version: '2.1.0' })
    expect(readFileSync(junit, 'utf8')).toContain('<testsuites>')
    const afterMasks = run.log.replace(/^::add-mask::.*\n/gm, '') + run.summary
    expect(afterMasks).not.toContain(alice.token)
    expect(afterMasks).not.toContain(alice.seed.base32)
    expect(run.exitCode).toBe(0)
  })

  it('fails where the agent is open, and still writes them', async () => {
    const run = await probe(open.url, { only: 'auth.none,auth.bearer-only' })
    expect(run.exitCode).toBe(1)
    expect(run.log).toContain('::error title=auth.none')
    expect(run.summary).toMatch(/^## ❌ a2a-totp probe/)
    expect(run.outputs).toMatchObject({ ok: 'false', 'exit-code': '1' })
    expect(existsSync(run.outputs['sarif'] ?? '')).toBe(true)
  })

  it('says that nothing answers, by its own exit code', async () => {
    const run = await probe('http://127.0.0.1:1')
    expect(run).toMatchObject({ exitCode: 4, outputs: { ok: 'false', 'exit-code': '4' } })
  })

  it.each([
    ['url', '$(touch pwned)'],
    ['url', '--help'],
    ['only', '-h'],
    ['only', 'auth.none; touch pwned'],
    ['binding', 'rest\ngrpc'],
  ])('refuses %s %j, and runs none of it', async (name, text) => {
    const run = await probe(agent.url, { [name]: text })
    expect(run).toMatchObject({ exitCode: 2, summary: '', outputs: { ok: 'false', 'exit-code': '2' } })
    expect(run.log).toContain('ERR_USAGE')
  })
})
