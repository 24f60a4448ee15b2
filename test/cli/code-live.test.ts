import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

/** The beginning of a time step. */
const step = Date.parse('2026-03-01T12:00:00Z')
const now = new Date(step)
const at = (seconds: number): Date => new Date(step + seconds * 1000)

/** Runs a command whose clock stands just before a step; when it prints, something happens, and the step begins. */
async function overStep(
  cwd: string,
  args: readonly string[],
  stream: 'stdout' | 'stderr',
  change: readonly string[],
): Promise<CliRun> {
  let clock = at(-0.01)
  const stop = new AbortController()
  let printed = 0
  const program: typeof main = (words, system) =>
    main(words, {
      ...system,
      now: () => clock,
      [stream]: new Writable({
        write(chunk: Buffer, _, done) {
          system[stream].write(chunk.toString())
          printed += 1
          if (printed === 2) stop.abort()
          if (printed > 1) done()
          else
            void runCli(change, { cwd, now: clock }).then(({ stderr, exitCode }) => {
              clock = now
              done(exitCode === 0 ? null : new Error(stderr))
            })
        },
      }),
    })
  return runCli(args, { cwd, program, ...(args.includes('--watch') && { signal: stop.signal }) })
}

const codeAt = async (cwd: string, when: Date): Promise<string> =>
  (await runCli(['code', 'alice'], { cwd, now: when })).stdout

describe('code --watch', () => {
  it('goes on with the new seed after a rotation', async () => {
    const cwd = await makeStore(['alice'])
    const run = await overStep(cwd, ['code', '--watch'], 'stdout', ['rotate', 'alice', '--seed', '--now'])
    expect(run.stdout.split('\n')[1]).toBe((await codeAt(cwd, now)).trim())
  })

  it.each([
    [['set', 'alice', '--expires', String(step / 1000)], 'ERR_CREDENTIAL_EXPIRED'],
    [['remove-peer', 'alice', '--yes'], 'ERR_PEER_UNKNOWN'],
  ])('ends where there are no more codes: %j', async (change, error) => {
    const cwd = await makeStore(['alice'])
    const run = await overStep(cwd, ['code', '--watch'], 'stdout', change)
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toMatch(/^\d{6}\n$/)
    expect(run.stderr).toContain(`(${error})`)
  })

  it('stays with its peer where the store gets another', async () => {
    const cwd = await makeStore(['alice'])
    const run = await overStep(cwd, ['code', '--watch'], 'stdout', ['add-peer', 'bob'])
    expect(run.stdout.split('\n')[1]).toBe((await codeAt(cwd, now)).trim())
  })
})

describe('code --min-remaining', () => {
  const waiting = ['code', 'alice', '--min-remaining', '20']

  it('prints the code of the seed that is live after the wait', async () => {
    const cwd = await makeStore(['alice'])
    const run = await overStep(cwd, waiting, 'stderr', ['rotate', 'alice', '--seed', '--now'])
    expect(run).toMatchObject({ exitCode: 0, stdout: await codeAt(cwd, now) })
  })

  it('signs with the credentials that are live after the wait', async () => {
    const cwd = await makeStore(['alice'], ['--url', 'https://billing.example'])
    const signing = [...waiting.slice(0, 1), '--for', 'POST', 'https://billing.example', ...waiting.slice(1)]
    const run = await overStep(cwd, signing, 'stderr', ['rotate', 'alice', '--now'])
    const { stdout } = await runCli(['code', 'alice', '--headers'], { cwd, now })
    for (const line of stdout.trim().split('\n')) expect(run.stdout).toContain(line)
  })

  it('waits again where opening the store took so long that its code lives shorter', async () => {
    const cwd = await makeStore(['alice'])
    const clocks = [at(2), at(30)]
    let clock = at(-0.01)
    const program: typeof main = (words, system) =>
      main(words, {
        ...system,
        now: () => clock,
        stderr: new Writable({
          write(chunk: Buffer, _, done) {
            system.stderr.write(chunk.toString())
            clock = clocks.shift() ?? clock
            done()
          },
        }),
      })
    const run = await runCli(['code', 'alice', '--min-remaining', '29'], { cwd, program })
    expect(run.stdout).toBe(await codeAt(cwd, at(30)))
    expect(run.stderr).toContain('waiting 28 s for the next time step')
  })

  it('refuses a seed that ends during the wait', async () => {
    const cwd = await makeStore(['alice'])
    const end = ['set', 'alice', '--expires', String(step / 1000 + 19)]
    const run = await overStep(cwd, waiting, 'stderr', end)
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toContain('(ERR_CREDENTIAL_EXPIRED)')
  })

  it.each([
    [-24, '28'],
    [0, '20'],
  ])('does not wait %i s before a step where no code lives for %s s', async (seconds, remaining) => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--expires', String(at(seconds + 3).getTime() / 1000)], {
      cwd,
      now: at(-60),
    })
    const run = await runCli(['code', 'alice', '--min-remaining', remaining], { cwd, now: at(seconds) })
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toMatch(/^error: the seed of alice ends at .* \(ERR_CREDENTIAL_EXPIRED\)\n$/)
    const enough = await runCli(['code', 'alice', '--min-remaining', '3', '--json'], {
      cwd,
      now: at(seconds),
    })
    expect(parseJson(enough)['expiresIn']).toBe(3)
  })
})

describe('--at', () => {
  it('takes the seeds that are live at that time, whenever they were created', async () => {
    const cwd = await makeStore(['alice'])
    const code = (await codeAt(cwd, now)).trim()
    const verify = async (time: Date, when: Date): Promise<string> => {
      const words = ['verify', code, 'alice', '--at', String(time.getTime() / 1000)]
      return (await runCli(words, { cwd, now: when })).stdout
    }
    await runCli(['rotate', 'alice', '--overlap', '1s'], { cwd, now })
    expect(await verify(now, at(2))).toBe('valid (drift 0)\n')
    expect(await verify(at(2), at(2))).toBe('invalid\n')
    expect(await verify(at(2), now)).toBe('invalid\n')
    const early = ['--at', String(at(-86_400).getTime() / 1000)]
    const before = (await runCli(['code', 'alice', ...early], { cwd, now: at(2) })).stdout.trim()
    expect((await runCli(['verify', before, 'alice', ...early], { cwd, now: at(2) })).exitCode).toBe(0)
  })

  it('has no codes of a peer after its end, and those before it', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--expires', String(step / 1000 + 3600)], { cwd, now })
    const time = (seconds: number): string[] => ['--at', String(step / 1000 + seconds)]
    const live = await runCli(['code', 'alice', ...time(3599)], { cwd, now: at(9000) })
    expect(live).toMatchObject({ exitCode: 0, stdout: await codeAt(cwd, at(3599)) })
    for (const command of [
      ['code', 'alice', ...time(7200)],
      ['verify', '123456', 'alice', ...time(7200)],
    ]) {
      const later = await runCli(command, { cwd, now })
      expect(later).toMatchObject({ exitCode: 1, stdout: '' })
      expect(later.stderr).toBe(
        'error: every seed of "alice" will have expired at 2026-03-01T14:00:00.000Z; pass an earlier time (ERR_CREDENTIAL_EXPIRED)\n',
      )
      expect((await runCli(command, { cwd, now: at(7200) })).stderr).toContain(
        'every seed of "alice" has expired; ',
      )
    }
  })
})

it.each([[['code', 'alice', '--headers']], [['code', '--for', 'POST', 'https://billing.example', 'alice']]])(
  '%j says that every token of the peer has expired',
  async (command) => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--expires', String(step / 1000 + 1)], { cwd, now })
    await runCli(['rotate', 'alice', '--seed', '--now'], { cwd, now: at(1) })
    const run = await runCli(command, { cwd, now: at(1) })
    expect(run).toMatchObject({ exitCode: 1, stdout: '' })
    expect(run.stderr).toContain(
      'every token of "alice" has expired; run `a2a-totp rotate alice` for a new one',
    )
  },
)
