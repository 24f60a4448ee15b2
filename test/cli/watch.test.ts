import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, renameSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { startTestAgent, type AgentPeer, type Quirks, type TestAgent } from '../support/broken-agent.js'
import { makeFolder, makeStore, runCli, startBinary } from '../support/cli.js'
import { alice, bob } from '../support/probing.js'

const env = { A2A_TOTP_TOKEN: alice.token, A2A_TOTP_SEED: alice.seed.base32 }

async function agentWith(
  quirks: Quirks = {},
  peers: readonly AgentPeer[] = [alice, bob],
): Promise<TestAgent> {
  const agent = await startTestAgent({ peers, profile: defaultProfile, now: () => new Date(), quirks })
  onTestFinished(() => agent.close())
  return agent
}

/** A watch that runs, and the lines that it prints. */
class Watch {
  readonly lines: string[] = []
  readonly remarks: string[] = []
  readonly exit: Promise<unknown[]>
  #changed: (() => void) | undefined

  constructor(readonly child: ChildProcess) {
    const { stdout, stderr } = child
    if (!stdout || !stderr) throw new Error('the watch has no output')
    const keep = (lines: string[]) => (line: string) => {
      lines.push(line)
      this.#changed?.()
    }
    createInterface({ input: stdout }).on('line', keep(this.lines))
    createInterface({ input: stderr }).on('line', keep(this.remarks))
    this.exit = once(child, 'exit')
  }

  /** Waits until so many lines match. */
  async until(pattern: RegExp, count = 1, lines = this.lines): Promise<string[]> {
    for (;;) {
      const found = lines.filter((line) => pattern.test(line))
      if (found.length >= count) return found
      await new Promise<void>((done) => (this.#changed = done))
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
    this.child.kill(signal)
    return (await this.exit)[0]
  }
}

const watching = (
  url: string,
  args: readonly string[] = [],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Watch =>
  new Watch(startBinary(['probe', url, ...args, '--watch', '1'], { cwd: makeFolder(), env, ...options }))

const verdictLine = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (PASS|FAIL) {2}\d+ passed, \d+ failed/
const inFull = /^(PASS|FAIL) {2}\d+ passed/

describe('probe --watch', () => {
  it('shows the report once, then a line a run, the report again where the verdict changes', async () => {
    let open = false
    const agent = await agentWith({ waves: () => open })
    const watch = watching(agent.url)
    await watch.until(verdictLine, 2)
    expect(watch.lines.filter((line) => inFull.test(line))).toEqual([expect.stringMatching(/^PASS/)])
    expect(watch.lines.filter((line) => / {2}auth\.none /.test(line))).toHaveLength(1)
    open = true
    await watch.until(/^FAIL {2}\d+ passed/)
    await watch.until(/Z FAIL/)
    open = false
    await watch.until(/^PASS {2}\d+ passed/, 2)
    expect(await watch.stop()).toBe(143)
  }, 60_000)

  it('sends its guesses once, and keeps to that while it runs', async () => {
    const agent = await agentWith()
    const watch = watching(agent.url, ['--json'])
    await watch.until(/^\{"version":1/, 3)
    const reports = watch.lines.map((line) => JSON.parse(line) as { ok: boolean; guessesSpent: number })
    expect(reports.slice(0, 3).map(({ ok }) => ok)).toEqual([true, true, true])
    expect(reports.slice(0, 3).map(({ guessesSpent }) => guessesSpent)).toEqual([3, 0, 0])
    expect(agent.guesses.size).toBe(3)
    expect(await watch.stop('SIGINT')).toBe(130)
  }, 60_000)

  it('goes on where the agent falls silent, and when it is back', async () => {
    let silent = false
    const agent = await agentWith({
      answers: (response) => {
        if (silent) response.destroy()
        return silent
      },
    })
    const watch = watching(agent.url)
    await watch.until(inFull)
    silent = true
    await watch.until(/^FAIL {2}/)
    silent = false
    await watch.until(/^PASS {2}/, 2)
    await watch.stop()
  }, 60_000)

  it('goes on where nothing listens any more', async () => {
    const agent = await startTestAgent({ peers: [alice], profile: defaultProfile, now: () => new Date() })
    const watch = watching(agent.url)
    await watch.until(inFull)
    await agent.close()
    await watch.until(/Z FAIL .* {2}the agent cannot be reached$/, 2)
    expect(await watch.stop()).toBe(143)
  }, 60_000)

  it('reads the store for each run: follows a rotation, and outlives a store that is gone for a while', async () => {
    const cwd = await makeStore(['alice'], ['--agent', 'billing'])
    const aliceIn = async (folder: string): Promise<AgentPeer> => {
      const { stdout } = await runCli(['config', 'client', 'alice', '--format', 'json'], { cwd: folder })
      const { token, seed } = JSON.parse(stdout) as { token: string; seed: string }
      return { name: 'alice', token, seed: Seed.fromBase32(seed) }
    }
    const peers = [await aliceIn(cwd)]
    const agent = await agentWith({}, peers)
    const watch = watching(agent.url, ['alice'], { cwd, env: {} })
    await watch.until(verdictLine)
    // Both sides change at once, as a watch sees it: the store is away meanwhile.
    const [path, elsewhere] = [join(cwd, 'a2a-totp.json'), makeFolder()]
    renameSync(path, join(elsewhere, 'a2a-totp.json'))
    await watch.until(/not probed: .*\(ERR_STORE_MISSING\)$/)
    const rotated = await runCli(['rotate', 'alice', '--now'], { cwd: elsewhere })
    expect(rotated).toMatchObject({ exitCode: 0 })
    peers[0] = await aliceIn(elsewhere)
    renameSync(join(elsewhere, 'a2a-totp.json'), path)
    const seen = watch.lines.length
    await watch.until(/Z PASS/, watch.lines.filter((line) => line.includes('Z PASS')).length + 2)
    expect(watch.lines.slice(seen).filter((line) => /FAIL|not probed/.test(line))).toEqual([])
    await watch.stop()
  }, 60_000)

  it('sends credentials that are refused once, not in each time step', async () => {
    const stranger = { ...alice, seed: bob.seed }
    const agent = await agentWith({}, [stranger])
    const watch = watching(agent.url)
    await watch.until(/not probed: right credentials were refused/)
    const sent = agent.requests.length
    const spent = agent.guesses.size
    // Several turns later still nothing was sent.
    await new Promise((done) => setTimeout(done, 2500))
    expect(agent.requests.length).toBe(sent)
    expect(agent.guesses.size).toBe(spent)
    expect(watch.lines.filter((line) => line.includes('not probed'))).toHaveLength(1)
    await watch.stop()
  }, 60_000)

  it('replaces its files with each report', async () => {
    const cwd = makeFolder()
    const agent = await agentWith()
    const watch = watching(agent.url, ['--format', 'json=report.json', '--format', 'github'], { cwd })
    const startOf = (): string =>
      (JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')) as { startedAt: string }).startedAt
    await watch.until(/^::notice title=a2a-totp probe::/)
    const first = startOf()
    await watch.until(/^::notice title=a2a-totp probe::/, 3)
    expect(startOf() > first).toBe(true)
    await watch.stop()
  }, 60_000)

  it('ends at once in the middle of a run', async () => {
    const mute = createServer()
    const asked = once(mute, 'connection')
    mute.listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const watch = watching(`http://127.0.0.1:${(mute.address() as AddressInfo).port}`, ['--timeout', '300'])
    await asked
    expect(await watch.stop('SIGINT')).toBe(130)
    expect(watch.lines).toEqual([])
    mute.close()
  })
})

describe('probe --watch --metrics', () => {
  it('serves the latest verdict on a free port, and frees it', async () => {
    const agent = await agentWith()
    const watch = watching(agent.url, ['--metrics', '127.0.0.1:0'])
    const [line = ''] = await watch.until(/^metrics at /, 1, watch.remarks)
    const url = /http:\/\/127\.0\.0\.1:[1-9]\d*\/metrics$/.exec(line)?.[0] ?? ''
    await watch.until(inFull)
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    )
    const metrics = await answer.text()
    expect(metrics).toMatch(/# EOF\n$/)
    expect(metrics).not.toContain(alice.token)
    expect(await watch.stop()).toBe(143)
    await expect(fetch(url)).rejects.toThrow()
  }, 60_000)

  it.each([
    ['an address that is none', ['--watch', '1', '--metrics', 'example.com:9464'], 2, 'ERR_USAGE'],
    ['metrics without a watch', ['--metrics', '9464'], 2, 'ERR_USAGE'],
    ['a watch without an interval', ['--watch', '0'], 2, 'ERR_USAGE'],
    ['a scan', ['--watch', '1', '--throttle'], 2, 'ERR_USAGE'],
    ['a scan by its id', ['--watch', '1', '--only', 'window'], 2, 'ERR_USAGE'],
    ["another machine's address", ['--watch', '1', '--metrics', '192.0.2.1:0'], 3, 'ERR_PORT_UNAVAILABLE'],
  ])('refuses %s before anything is sent', async (_, args, exitCode, code) => {
    const agent = await agentWith()
    const run = await runCli(['probe', agent.url, ...args], { cwd: makeFolder(), env })
    expect(run).toMatchObject({ exitCode, stdout: '' })
    expect(run.stderr).toContain(code)
    expect(agent.requests).toEqual([])
  })

  it('refuses a port that is in use before anything is sent', async () => {
    const agent = await agentWith()
    const { host } = new URL(agent.url)
    const run = await runCli(['probe', agent.url, '--watch', '1', '--metrics', host], {
      cwd: makeFolder(),
      env,
    })
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('ERR_PORT_UNAVAILABLE')
    expect(agent.requests).toEqual([])
  })
})
