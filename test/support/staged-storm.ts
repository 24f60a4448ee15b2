import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { binary, makeStore, runBinary } from './cli.js'
import { frameworkAgents } from './framework-agents.js'

export interface StagedStormReport {
  readonly rounds: number
  readonly kills: number
  /** How often a killed run left the rotation at each step; `none` before it was staged, or after its end. */
  readonly killedAt: Readonly<Record<string, number>>
  readonly calls: number
  /** Calls with what had been delivered that were not let in. */
  readonly refused: readonly string[]
  /** Rounds in which an old credential was let in after its end. */
  readonly letInLate: number
  /** Rounds after which the peer did not use the newest credentials of the store, or a rotation was still pending. */
  readonly unfinished: number
}

interface Stored {
  readonly peers: Readonly<
    Record<
      string,
      {
        readonly pending?: { readonly step: string }
        readonly tokens: readonly {
          readonly token: string
          readonly expiresAt?: string
          readonly staged?: true
        }[]
      }
    >
  >
}

/** Lines on which a run is at a step. */
const marks = [
  /^staged/m,
  /^wrote/m,
  /^waiting|^delivering/m,
  /^delivering/m,
  /^probing/m,
  /^wrote[^]*^wrote/m,
]

/** Several storms at once, each with a store and an agent of its own: most of a round is waiting. */
export async function stagedStorms(rounds: number, atOnce = 4): Promise<StagedStormReport> {
  const shares = Array.from({ length: atOnce }, (_, n) => Math.floor((rounds + n) / atOnce))
  const reports = await Promise.all(shares.map((share, n) => stagedStorm(share, n)))
  const sum = (of: (report: StagedStormReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0)
  const steps = [...new Set(reports.flatMap(({ killedAt }) => Object.keys(killedAt)))]
  return {
    rounds: sum((one) => one.rounds),
    kills: sum((one) => one.kills),
    killedAt: Object.fromEntries(steps.map((step) => [step, sum(({ killedAt }) => killedAt[step] ?? 0)])),
    calls: sum((one) => one.calls),
    refused: reports.flatMap(({ refused }) => refused),
    letInLate: sum((one) => one.letInLate),
    unfinished: sum((one) => one.unfinished),
  }
}

/**
 * Rotates a peer again and again with the built CLI: staged, delivered to a file, and proved at a real agent that follows
 * the server file. Each run is killed with SIGKILL at a random moment or at a step, and resumed, and that may be killed as
 * well. All the while a client calls with what its file holds.
 */
async function stagedStorm(rounds: number, first: number): Promise<StagedStormReport> {
  const cwd = await makeStore(['alice'])
  const run = async (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
    runBinary(args, { cwd })
  const must = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(...args)
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
    return stdout
  }
  await must('config', 'server', '--out', 'server.json')
  await must('config', 'client', 'alice', '--out', 'alice.env')
  using scheme = TOTPServerAuthScheme.fromFile(join(cwd, 'server.json'))
  const makeAgent = frameworkAgents['node:http']
  if (!makeAgent) throw new Error('no such agent')
  const agent = await makeAgent(scheme)
  const client = new Client(agent.origin, join(cwd, 'alice.env'))
  const flags = [
    ...['--server-out', 'server.json', '--prove', agent.origin, '--overlap', '1s', '--wait', '30'],
    ...['--deliver', 'cat > alice.env.tmp && mv alice.env.tmp alice.env'],
  ]
  const stored = (): Stored['peers'][string] => {
    const { alice } = (JSON.parse(readFileSync(join(cwd, 'a2a-totp.json'), 'utf8')) as Stored).peers
    if (!alice) throw new Error('no alice')
    return alice
  }
  const killedAt: Record<string, number> = {}
  let kills = 0
  let letInLate = 0
  let unfinished = 0
  let usualMs = 1000
  const killSome = async (args: readonly string[], mark: RegExp | undefined): Promise<boolean> => {
    const child = start(args, cwd)
    const begun = performance.now()
    await Promise.race([ended(child), mark ? printed(child, mark) : sleep(Math.random() * usualMs * 1.2)])
    if (mark) await sleep(Math.random() * 30)
    const wasRunning = child.exitCode === null && child.signalCode === null
    child.kill('SIGKILL')
    await ended(child)
    if (!wasRunning) {
      usualMs = performance.now() - begun
      return false
    }
    kills++
    const step = stored().pending?.step ?? 'none'
    killedAt[step] = (killedAt[step] ?? 0) + 1
    return true
  }
  client.start()
  try {
    for (let round = 0; round < rounds; round++) {
      const before = client.credentials()
      await killSome(
        ['rotate', 'alice', ...flags],
        round % 2 === 0 ? marks[(first + round / 2) % marks.length] : undefined,
      )
      while (stored().pending && Math.random() < 0.4) {
        await killSome(
          ['rotate', '--resume'],
          Math.random() < 0.5 ? marks[Math.floor(Math.random() * marks.length)] : undefined,
        )
      }
      if (stored().pending) await must('rotate', '--resume')
      // Killed before anything was staged.
      else if (stored().tokens.at(-1)?.token === before.token) await must('rotate', 'alice', ...flags)
      const after = client.credentials()
      const { pending, tokens } = stored()
      if (pending ?? (after.token === before.token || after.token !== tokens.at(-1)?.token)) unfinished++
      const ends = tokens.slice(0, -1).map(({ expiresAt = '9999-01-01' }) => Date.parse(expiresAt))
      const end = Math.max(0, ...ends)
      if (end > Date.now() + 60_000) unfinished++
      else await sleep(Math.max(0, end - Date.now()) + 20)
      if ((await client.call(before)) === 200) letInLate++
    }
  } finally {
    await client.stop()
    await agent.close()
  }
  const { calls, refused } = client
  return { rounds, kills, killedAt, calls, refused, letInLate, unfinished }
}

interface Credentials {
  readonly token: string
  readonly seed: string
}

/** Calls every few milliseconds with what its file holds at that moment. */
class Client {
  calls = 0
  readonly refused: string[] = []
  #running: Promise<void> | undefined
  #stopped = false

  constructor(
    private readonly origin: string,
    private readonly file: string,
  ) {}

  credentials(): Credentials {
    const text = readFileSync(this.file, 'utf8')
    const valueOf = (name: string): string => new RegExp(`^${name}='?([^'\n]*)`, 'm').exec(text)?.[1] ?? ''
    return { token: valueOf('A2A_TOTP_TOKEN'), seed: valueOf('A2A_TOTP_SEED') }
  }

  async call({ token, seed }: Credentials): Promise<number> {
    const code = generateCode(Seed.fromBase32(seed), defaultProfile, new Date())
    const headers = { Authorization: `Bearer ${token}`, 'X-TOTP': code, 'Content-Type': 'application/json' }
    const body = '{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"none"}}'
    const response = await fetch(`${this.origin}/a2a/jsonrpc`, { method: 'POST', headers, body })
    await response.text()
    return response.status
  }

  start(): void {
    this.#running = this.#go()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #go(): Promise<void> {
    while (!this.#stopped) {
      this.calls++
      try {
        const status = await this.call(this.credentials())
        if (status === 401 || status === 403 || status === 429 || status >= 500)
          this.refused.push(String(status))
      } catch (error) {
        this.refused.push(String(error))
      }
      await sleep(5)
    }
  }
}

function start(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [binary, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, XDG_CACHE_HOME: '/dev/null' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done()
    else child.once('exit', () => done())
  })

const printed = (child: ChildProcess, mark: RegExp): Promise<void> =>
  new Promise((done) => {
    let text = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (mark.test(text)) done()
    })
  })
