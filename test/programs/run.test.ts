import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { programEnvironment } from '../../src/programs/environment.js'
import { findProgram, runProgram, runProgramSync, type ProgramRun } from '../../src/programs/run.js'
import { makeFolder } from '../support/cli.js'

const sh = (script: string, options = {}, signal?: AbortSignal): Promise<ProgramRun> =>
  runProgram('/bin/sh', ['-c', script], options, signal)

const textOf = (run: ProgramRun): string => (run.ended ? run.stdout.toString() : '')

function makeProgram(folder: string, name: string, mode = 0o755): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, '#!/bin/sh\necho ran\n')
  chmodSync(path, mode)
  return path
}

describe('the environment of a program', () => {
  it('holds what is on the list, and nothing else', () => {
    const env = {
      PATH: '/usr/bin',
      HOME: '/home/alice',
      A2A_TOTP_SEED: 'x',
      GIT_DIR: '/x',
      LD_PRELOAD: '/x',
      NODE_OPTIONS: '-r x',
      LC_ALL: 'de_DE',
      XDG_CONFIG_HOME: '',
      SUDO_UID: '',
    }
    expect(programEnvironment({}, env)).toEqual({ PATH: '/usr/bin', HOME: '/home/alice', LC_ALL: 'C' })
  })

  it('holds what its caller sets', () => {
    expect(programEnvironment({ TZ: 'UTC' }, { PATH: '/bin' })).toMatchObject({ TZ: 'UTC', PATH: '/bin' })
  })

  it('names no folder that depends on where the program runs', () => {
    const env = {
      PATH: ':/usr/bin:.:bin:./bin:../bin:/bin:',
      HOME: '.',
      XDG_CONFIG_HOME: 'config',
      SUDO_UID: '',
    }
    expect(programEnvironment({}, env)).toEqual({ PATH: '/usr/bin:/bin', LC_ALL: 'C' })
  })

  it('takes from the process what is not given', () => {
    expect(programEnvironment()['PATH']).toBe(programEnvironment({}, {})['PATH'])
    expect(programEnvironment()['PATH']).not.toBe('')
  })
})

describe('a program', () => {
  it('is looked up in the absolute folders of PATH, and has to be executable', () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(makeFolder(), name)) as [
      string,
      string,
      string,
    ]
    makeProgram(one, 'tool', 0o644)
    mkdirSync(join(two, 'tool'), { recursive: true })
    const path = makeProgram(three, 'tool')
    expect(findProgram('tool', [one, two, '', '.', three].join(':'))).toBe(path)
    expect(findProgram('tool', one)).toBeUndefined()
    expect(findProgram('tool', '')).toBeUndefined()
    expect(findProgram('/no/lookup', one)).toBe('/no/lookup')
  })

  it('is not looked up where it runs', async () => {
    const cwd = makeFolder()
    makeProgram(cwd, 'tool')
    for (const PATH of ['', '.', ':', `./:${cwd}/none`])
      expect(await runProgram('tool', [], { cwd, env: { PATH } })).toEqual({
        ended: false,
        reason: 'tool is not installed',
        missing: true,
      })
    expect(textOf(await runProgram('tool', [], { env: { PATH: cwd } }))).toBe('ran\n')
    expect(textOf(runProgramSync('tool', [], { env: { PATH: cwd } }))).toBe('ran\n')
    expect(runProgramSync('tool', [], { cwd, env: { PATH: '.' } })).toMatchObject({ missing: true })
  })

  it('gets its input, and its output, error output and status are told', async () => {
    const script = 'cat; echo no >&2; exit 3'
    const expected = { ended: true, status: 3, stdout: Buffer.from('in'), stderr: Buffer.from('no\n') }
    expect(await sh(script, { input: 'in' })).toEqual(expected)
    expect(runProgramSync('/bin/sh', ['-c', script], { input: 'in' })).toEqual(expected)
  })

  it('may ignore its input', async () => {
    expect(await sh('exit 0', { input: 'x'.repeat(1 << 20) })).toMatchObject({ status: 0 })
  })

  it('is ended when it takes too long, even where one that it started holds its output', async () => {
    const reason = '/bin/sh took longer than 0.2 s'
    for (const script of ['exec sleep 100', 'sleep 9 & wait', 'echo a part; sleep 9 & exit 0'])
      expect(await sh(script, { timeoutMs: 200 })).toEqual({
        ended: false,
        reason,
      })
    expect(runProgramSync('/bin/sh', ['-c', 'exec sleep 100'], { timeoutMs: 200 })).toEqual({
      ended: false,
      reason: '/bin/sh took too long',
    })
  })

  it.each(['exec yes', 'exec yes >&2'])('is ended when it prints too much: %s', async (script) => {
    const run = await sh(script, { maxBytes: 1000 })
    expect(run).toEqual({ ended: false, reason: '/bin/sh printed more than 1000 bytes' })
  })

  it('is ended by a signal, also one that came before', async () => {
    const interruption = new AbortController()
    const running = sh('exec sleep 100', {}, interruption.signal)
    interruption.abort()
    expect(await running).toEqual({ ended: false, reason: '/bin/sh was interrupted' })
    expect(await sh('exec sleep 100', {}, interruption.signal)).toMatchObject({ ended: false })
  })

  it('may be killed, or be none', async () => {
    expect(await sh('kill -9 $$')).toEqual({ ended: false, reason: '/bin/sh was killed' })
    expect(runProgramSync('/bin/sh', ['-c', 'kill -9 $$'])).toEqual({
      ended: false,
      reason: '/bin/sh was killed',
    })
    const reason = '/no/program could not be run (ENOENT)'
    expect(await runProgram('/no/program', [])).toEqual({ ended: false, reason })
    expect(runProgramSync('/no/program', [])).toEqual({ ended: false, reason })
  })
})
