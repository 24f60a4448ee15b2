import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { defaultProfile } from '../../src/core/profile.js'
import { startTestAgent } from '../support/broken-agent.js'
import { binary, makeFolder, makeStore, runCli, startBinary } from '../support/cli.js'
import { freePort } from '../support/free-ports.js'
import { action } from '../support/github-action.js'
import { blocksOf, readPages } from '../support/pages.js'
import { alice, bob } from '../support/probing.js'

const pages = readPages().filter(({ path }) => path.startsWith('docs/ci/'))
const textOf = (name: string): string => pages.find(({ path }) => path === `docs/ci/${name}.md`)?.text ?? ''
const codeOf = (name: string, language: string): string[] =>
  blocksOf({ path: name, text: textOf(name) })
    .filter((block) => block.language === language)
    .map(({ code }) => code)

interface Ran {
  readonly exitCode: number
  readonly stdout: string
}

/** Runs lines of a page in a folder: its address and its folders are replaced by those of the test. */
async function run(
  code: string,
  {
    cwd,
    url,
    env = {},
    shell = ['sh'],
  }: { cwd: string; url: string; env?: NodeJS.ProcessEnv; shell?: string[] },
): Promise<Ran> {
  const bin = join(cwd, '.bin')
  mkdirSync(bin, { recursive: true })
  if (!readdirSync(bin).includes('a2a-totp')) symlinkSync(binary, join(bin, 'a2a-totp'))
  const script = code.replaceAll('https://billing.example', url).replace(/\/(etc|var)\//g, `${cwd}/$1/`)
  const [program = '', ...flags] = shell
  return new Promise((done) => {
    const options = { cwd, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd, ...env } }
    execFile(program, [...flags, '-c', script], options, (error, stdout) => {
      done({ exitCode: error ? Number(error.code) : 0, stdout })
    })
  })
}

/** The shell of a step of GitHub, and of a line of GitLab. */
const runnerShell = ['bash', '--noprofile', '--norc', '-eo', 'pipefail']

interface Site {
  readonly cwd: string
  readonly url: string
  readonly env: Record<string, string>
}

/** A store with the peer of the page, and the demo that serves it. */
async function billing(): Promise<Site> {
  const cwd = await makeStore(['alice'], ['--agent', 'billing'])
  const typed = codeOf('README', 'console').flatMap((block) => block.match(/(?<=^\$ ).*/gm) ?? [])
  expect(typed.length).toBeGreaterThan(1)
  expect(await run(typed.join('\n'), { cwd, url: '', shell: runnerShell })).toMatchObject({ exitCode: 0 })
  const { stdout } = await runCli(['config', 'client', 'ci-probe', '--format', 'json'], { cwd })
  const { token, seed } = JSON.parse(stdout) as { token: string; seed: string }
  const demo = startBinary(['--quiet', 'demo'], { cwd })
  if (!demo.stdout) throw new Error('the demo has no output')
  const [card] = (await once(createInterface({ input: demo.stdout }), 'line')) as [string]
  return {
    cwd,
    url: new URL(card).origin,
    env: { A2A_TOTP_TOKEN: token, A2A_TOTP_SEED: seed, A2A_TOTP_DIGITS: '8' },
  }
}

/** The same files, but an agent that lets everyone in. */
async function openAgent(): Promise<string> {
  const setup = { peers: [alice, bob], profile: defaultProfile, now: () => new Date() }
  const agent = await startTestAgent({ ...setup, quirks: { waves: () => true } })
  onTestFinished(() => agent.close())
  return agent.url
}

/** Writes the file of variables as the page says. */
async function writeVariables({ cwd }: Site): Promise<void> {
  const [command = ''] = /(?<=`)a2a-totp config client .*?(?=`)/.exec(textOf('shell')) ?? []
  mkdirSync(join(cwd, 'etc/a2a-totp'), { recursive: true })
  expect(await run(command, { cwd, url: '' })).toMatchObject({ exitCode: 0 })
  expect(statSync(join(cwd, 'etc/a2a-totp/probe.env')).mode & 0o777).toBe(0o600)
}

describe('docs/ci', () => {
  it('lists its pages', () => {
    const linked = Array.from(
      textOf('README').matchAll(/^- \[.*?\]\(([\w-]+)\.md\)/gm),
      ([, name]) => `docs/ci/${name}.md`,
    )
    expect([...linked, 'docs/ci/README.md'].sort()).toEqual(pages.map(({ path }) => path).sort())
  })

  describe('a plain shell', () => {
    const [script = '', failedChecks = ''] = codeOf('shell', 'sh')

    it('prints nothing where everything passes, and the report otherwise', async () => {
      const site = await billing()
      await writeVariables(site)
      expect(await run(script, site)).toEqual({ exitCode: 0, stdout: '' })
      const failed = await run(script, { ...site, url: await openAgent() })
      expect(failed.exitCode).toBe(1)
      expect(failed.stdout).toMatch(/^FAIL/m)
      const silent = await run(script, { ...site, url: 'http://127.0.0.1:1' })
      expect(silent.exitCode).toBe(4)
      expect(silent.stdout).toMatch(/^the agent cannot be reached\n/)
    })

    it('lists the failed checks alone', async () => {
      const site = await billing()
      expect(await run(failedChecks, site)).toEqual({ exitCode: 0, stdout: '' })
      const { stdout } = await run(failedChecks, { ...site, url: await openAgent() })
      expect(stdout).toMatch(/^auth\.none jsonrpc 1\.0: /m)
      expect(stdout).not.toMatch(/^reach /m)
    })
  })

  describe('Prometheus', () => {
    const [cron = '', watch = ''] = codeOf('prometheus', 'sh')

    it('cron: leaves a whole file that others can read, and nothing else', async () => {
      const site = await billing()
      await writeVariables(site)
      const folder = join(site.cwd, 'var/lib/node_exporter/textfile_collector')
      mkdirSync(folder, { recursive: true })
      for (const [url, exitCode] of [
        [site.url, 0],
        [await openAgent(), 1],
      ] as const) {
        expect(await run(cron, { ...site, url })).toEqual({ exitCode, stdout: '' })
        expect(readdirSync(folder)).toEqual(['a2a_totp.prom'])
        expect(statSync(join(folder, 'a2a_totp.prom')).mode & 0o777).toBe(0o644)
        expect(readFileSync(join(folder, 'a2a_totp.prom'), 'utf8')).toMatch(/# EOF\n$/)
      }
    })

    it('watch: serves what the alerts ask for', async () => {
      const { cwd, url } = await billing()
      const port = String(await freePort())
      const words = watch.trim().replace('https://billing.example', url).replace('9464', port).split(' ')
      const { stdout } = startBinary(words.slice(1), { cwd })
      if (!stdout) throw new Error('the watch has no output')
      for await (const line of createInterface({ input: stdout })) if (line.startsWith('PASS')) break
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
      expect(answer.status).toBe(200)
      const metrics = await answer.text()
      const rules = codeOf('prometheus', 'yaml')[1] ?? ''
      const asked = new Set(Array.from(rules.matchAll(/\ba2a_totp_\w+/g), ([name]) => name))
      expect(asked.size).toBeGreaterThan(0)
      for (const name of asked) expect(metrics).toMatch(new RegExp(`^${name}(\\{.*\\})? 1$`, 'm'))
    }, 60_000)

    it('has configurations that parse, and a service that runs the command of the page', () => {
      const [scrape, rules] = codeOf('prometheus', 'yaml').map((code) => parse(code) as unknown)
      expect(scrape).toMatchObject({
        scrape_configs: [{ static_configs: [{ targets: ['127.0.0.1:9464'] }] }],
      })
      const alert: unknown = expect.any(String)
      expect(rules).toMatchObject({
        groups: [
          {
            rules: [
              { alert, expr: alert },
              { alert, expr: alert },
            ],
          },
        ],
      })
      const [unit = ''] = codeOf('prometheus', 'ini')
      const started = /^ExecStart=\/usr\/local\/bin\/(.*)$/m.exec(unit)?.[1]
      expect(started).toBe(watch.trim().replace('--quiet ', '').replace(' ci-probe', ''))
    })
  })

  describe('GitHub', () => {
    interface Step {
      readonly uses?: string
      readonly run?: string
      readonly with?: Record<string, unknown>
      readonly env?: Record<string, string>
    }
    interface Workflow {
      readonly permissions: unknown
      readonly jobs: { readonly probe: { readonly steps: readonly Step[] } }
    }
    const workflows = codeOf('github-actions', 'yaml')
    const stepsOf = (code = ''): readonly Step[] => (parse(code) as Workflow).jobs.probe.steps
    const [withAction, plain] = workflows.map(stepsOf)

    it('pins every action by commit, with its version beside it', () => {
      const used = Array.from(workflows.join('').matchAll(/uses: (.*)$/gm), ([, use = '']) => use)
      expect(used.length).toBeGreaterThan(4)
      for (const use of used) {
        expect(use).toMatch(/^your-org\/a2a-totp@[0-9a-f]{40}$|^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
      }
    })

    it('gives the action what it takes, and uses what it puts out', () => {
      const own = withAction?.find(({ uses = '' }) => uses.startsWith('your-org/'))
      expect(Object.keys(own?.with ?? {}).filter((name) => !(name in action.inputs))).toEqual([])
      expect(Object.keys(own?.env ?? {})).toEqual(['A2A_TOTP_TOKEN', 'A2A_TOTP_SEED', 'A2A_TOTP_DIGITS'])
      const asked = Array.from(
        (workflows[0] ?? '').matchAll(/steps\.probe\.outputs\.([\w-]+)/g),
        ([, name = '']) => name,
      )
      expect(asked.filter((name) => !(name in action.outputs))).toEqual([])
    })

    it('has every input and output of the action', () => {
      const named = Array.from(textOf('github-actions').matchAll(/^\| (`.*?`) +\|/gm)).flatMap(
        ([, cell = '']) => cell.replaceAll('`', '').split(', '),
      )
      expect(named.sort()).toEqual([...Object.keys(action.inputs), ...Object.keys(action.outputs)].sort())
    })

    it('has steps that run, the last one with the summary', async () => {
      const site = await billing()
      const { cwd } = site
      mkdirSync(join(cwd, '.bin'), { recursive: true })
      writeFileSync(join(cwd, '.bin/npm'), '#!/bin/sh\nexit 0\n')
      chmodSync(join(cwd, '.bin/npm'), 0o755)
      const env = { ...site.env, GITHUB_STEP_SUMMARY: join(cwd, 'summary') }
      const scripts = plain?.flatMap((step) => step.run ?? []) ?? []
      expect(scripts).toHaveLength(3)
      const outputs: string[] = []
      for (const script of scripts) {
        const { exitCode, stdout } = await run(script, { ...site, env, shell: runnerShell })
        expect(exitCode).toBe(0)
        outputs.push(stdout)
      }
      expect(outputs[1]).toContain('::notice title=a2a-totp probe::PASS')
      expect(readFileSync(join(cwd, 'summary'), 'utf8')).toContain('a2a-totp probe')
      expect(readFileSync(join(cwd, 'probe.xml'), 'utf8')).toContain('<testsuites>')
    })
  })

  describe('GitLab', () => {
    interface Job {
      readonly image: string
      readonly rules: readonly object[]
      readonly variables: Record<string, string>
      readonly script: readonly string[]
      readonly artifacts: { readonly when: string; readonly reports: { readonly junit: string } }
    }
    let job: Job
    beforeAll(() => {
      job = (parse(codeOf('gitlab-ci', 'yaml')[0] ?? '') as { probe: Job }).probe
    })

    it('has a job with strings alone as variables and lines', () => {
      expect(job.image).toMatch(/^node:\d+$/)
      expect(Object.values(job.variables).every((value) => typeof value === 'string')).toBe(true)
      expect(job.script.every((line) => typeof line === 'string')).toBe(true)
      expect(job.artifacts.when).toBe('always')
    })

    it('probes, and leaves the report that it names', async () => {
      const site = await billing()
      const [, probing = ''] = job.script
      const { exitCode, stdout } = await run(probing, {
        ...site,
        env: { ...site.env, CI: 'true' },
        shell: runnerShell,
      })
      expect(exitCode).toBe(0)
      expect(stdout).toContain('PASS')
      expect(readFileSync(join(site.cwd, job.artifacts.reports.junit), 'utf8')).toContain('<testsuites>')
      const failed = await run(probing, {
        ...site,
        cwd: makeFolder(),
        url: await openAgent(),
        shell: runnerShell,
      })
      expect(failed.exitCode).toBe(1)
    })
  })
})
