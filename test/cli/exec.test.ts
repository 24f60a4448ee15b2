import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { parse as parseEnv } from 'dotenv'
import { describe, expect, it } from 'vitest'
import { makeStore, runBinary, runCli, startBinary, type CliRun } from '../support/cli.js'

const exec = (cwd: string, ...command: string[]): Promise<CliRun> =>
  runBinary(['exec', 'alice', '--', ...command], { cwd })

/** A program in the folder of a test. */
function program(cwd: string, name: string, text: string, mode = 0o755): string {
  const path = join(cwd, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('exec', () => {
  it("runs a command with the peer's variables and no other of ours", async () => {
    const cwd = await makeStore(
      ['alice'],
      ['--agent', 'billing', '--digits', '8', '--url', 'https://b.example'],
    )
    const wanted = parseEnv((await runCli(['config', 'client', 'alice'], { cwd })).stdout)
    const script = `process.stdout.write(JSON.stringify(process.env))`
    const env = {
      A2A_TOTP_STORE: join(cwd, 'a2a-totp.json'),
      A2A_TOTP_PASSPHRASE: 'p',
      A2A_TOTP_IDENTITY: 'i',
      A2A_TOTP_SEED: 'inherited',
      A2A_TOTP_PERIOD: '99',
      a2a_totp_odd: 'x',
      OTHER: 'kept',
    }
    const run = await runBinary(['exec', 'alice', '--', process.execPath, '-e', script], { cwd, env })
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    const seen = JSON.parse(run.stdout) as Record<string, string>
    const ours = Object.entries(seen).filter(([name]) => /^a2a_totp/i.test(name))
    expect(Object.fromEntries(ours)).toEqual(wanted)
    expect(seen['OTHER']).toBe('kept')
  })

  it('passes arguments as they are, options too, and its own input and output', async () => {
    const cwd = await makeStore(['alice'])
    const script =
      'process.stdin.pipe(process.stdout);process.stderr.write(JSON.stringify(process.argv.slice(1)))'
    const words = ['--json', '--help', '--', '$HOME', 'a b', '']
    const args = ['exec', 'alice', '--', process.execPath, '-e', script, '--', ...words]
    const run = await runBinary(args, { cwd, stdin: 'input' })
    expect(run).toEqual({ exitCode: 0, stdout: 'input', stderr: JSON.stringify(words) })
  })

  it('ends with the exit code of the command', async () => {
    const cwd = await makeStore(['alice'])
    for (const code of [0, 1, 42, 255]) {
      expect((await exec(cwd, 'sh', '-c', `exit ${code}`)).exitCode).toBe(code)
    }
    for (const signal of ['TERM', 'KILL', 'USR1'] as const) {
      const { exitCode } = await exec(cwd, 'sh', '-c', `kill -${signal} $$`)
      expect(exitCode).toBe(128 + constants.signals[`SIG${signal}`])
    }
  })

  it('ends with 127 or 126 if there is nothing to run', async () => {
    const cwd = await makeStore(['alice'])
    const plain = program(cwd, 'plain', '#!/bin/sh\n', 0o644)
    const lost = program(cwd, 'lost', '#!/no/such/interpreter\n')
    for (const [command, code, error] of [
      ['no-such-command', 127, 'ERR_COMMAND_MISSING'],
      ['./no-such-command', 127, 'ERR_COMMAND_MISSING'],
      ['', 127, 'ERR_COMMAND_MISSING'],
      [plain, 126, 'ERR_COMMAND_UNUSABLE'],
      [cwd, 126, 'ERR_COMMAND_UNUSABLE'],
      [lost, 126, 'ERR_COMMAND_UNUSABLE'],
    ] as const) {
      const run = await exec(cwd, command)
      expect([run.exitCode, run.stdout]).toEqual([code, ''])
      expect(run.stderr).toContain(error)
    }
  })

  it('looks a command up in PATH, but not in the working directory for an empty folder there', async () => {
    const cwd = await makeStore(['alice'])
    program(cwd, 'tool', '#!/bin/sh\necho tool\n')
    mkdirSync(join(cwd, 'bin'))
    program(join(cwd, 'bin'), 'other', '#!/bin/sh\necho other\n')
    const path = (PATH: string, name: string): Promise<CliRun> =>
      runBinary(['exec', 'alice', '--', name], { cwd, env: { PATH } })
    expect((await path(':/usr/bin:', 'tool')).exitCode).toBe(127)
    expect((await path('/usr/bin:bin', 'other')).stdout).toBe('other\n')
    expect((await exec(cwd, './tool')).stdout).toBe('tool\n')
  })

  it('refuses a command without --, whose options could be taken for its own', async () => {
    const cwd = await makeStore(['alice'])
    for (const args of [
      ['env', '--json'],
      ['sh', '-c', 'exit 0'],
      ['env', '--', 'x'],
    ]) {
      const run = await runBinary(['exec', 'alice', ...args], { cwd })
      expect([run.exitCode, run.stdout]).toEqual([2, ''])
    }
    expect((await runBinary(['exec', 'alice', '--'], { cwd })).exitCode).toBe(2)
    const { stderr } = await runBinary(['exec', 'alice', 'sh', '-c', 'exit 3'], { cwd })
    expect(stderr).toContain('options of COMMAND follow --')
    expect((await runBinary(['exec', 'alice', 'true'], { cwd })).exitCode).toBe(0)
    expect(
      (await runBinary(['--store', 'a2a-totp.json', '--json', 'exec', 'alice', '--', 'true'], { cwd }))
        .exitCode,
    ).toBe(0)
  })

  it('runs nothing for a peer that is unknown or expired', async () => {
    const cwd = await makeStore(['alice'])
    expect((await runBinary(['exec', 'bob', '--', 'true'], { cwd })).exitCode).toBe(1)
    await runCli(['set', 'alice', '--expires', '2026-01-02T00:00:00Z'], { cwd, now: new Date('2026-01-01') })
    const expired = await exec(cwd, 'echo', 'ran')
    expect([expired.exitCode, expired.stdout]).toEqual([1, ''])
  })

  it('runs nothing for a token that is known by its hash alone, and names what helps', async () => {
    const cwd = await makeStore(['alice'])
    const path = join(cwd, 'a2a-totp.json')
    const text = readFileSync(path, 'utf8').replace(/"token":"[^"]*"/, `"hash":"sha256:${'ab'.repeat(32)}"`)
    writeFileSync(path, text)
    const run = await exec(cwd, 'echo', 'ran')
    expect([run.exitCode, run.stdout]).toEqual([3, ''])
    expect(run.stderr).toContain('a2a-totp rotate alice --token')
  })

  it('warns of a weak seed, as code does', async () => {
    const cwd = await makeStore()
    await runCli(['add-peer', 'alice', '--seed-file', '-', '--allow-weak-seed'], {
      cwd,
      stdin: 'JBSWY3DPEHPK3PXP',
    })
    const run = await exec(cwd, 'echo', 'ran')
    expect([run.exitCode, run.stdout]).toEqual([0, 'ran\n'])
    expect(run.stderr).toContain('warning: this seed has 80 bits')
  })

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2'] as const)(
    'passes %s on, and ends as the command does',
    async (signal) => {
      const cwd = await makeStore(['alice'])
      const script = `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`
      const child = startBinary(['exec', 'alice', '--', process.execPath, '-e', script], { cwd })
      if (!child.stdout) throw new Error('no output')
      await once(child.stdout, 'data')
      child.kill(signal)
      expect(await once(child, 'exit')).toEqual([7, null])
    },
  )

  it('outlives signals that the command survives', async () => {
    const cwd = await makeStore(['alice'])
    const script = `let n = 0; process.on('SIGTERM', () => console.log(++n)); process.stdin.on('end', () => process.exit(3)).resume(); console.log('ready')`
    const child = startBinary(['exec', 'alice', '--', process.execPath, '-e', script], { cwd })
    if (!child.stdout || !child.stdin) throw new Error('no pipes')
    for (let sent = 0; sent < 3; sent++) {
      await once(child.stdout, 'data')
      child.kill('SIGTERM')
    }
    await once(child.stdout, 'data')
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([3, null])
  })
})
