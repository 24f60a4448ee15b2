import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, makeFolder, makeStore } from '../support/cli.js'

/** Runs the binary in a folder that is gone by then. */
function runWithoutFolder(
  args: readonly string[],
  inside: string,
): { status: number | null; stdout: string; stderr: string } {
  const line = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
  const run = spawnSync('sh', ['-c', line, 'sh', process.execPath, binary, ...args], {
    cwd: inside,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: inside },
  })
  return run
}

describe.skipIf(process.platform === 'win32')('a working directory that was deleted', () => {
  it.each([
    ['list'],
    ['code', 'alice'],
    ['config', 'server'],
    ['add-peer', 'bob'],
    ['rotate', 'alice'],
    ['doctor'],
    ['remove-peer', 'alice', '--yes'],
    ['complete', '--before=code'],
  ])('is not needed by `%s` with an absolute --store', async (...args) => {
    const cwd = await makeStore(['alice'])
    const store = join(cwd, 'a2a-totp.json')
    const run = runWithoutFolder(['--store', store, ...args], makeFolder())
    expect(run).toMatchObject({ status: 0 })
    expect(run.stderr).not.toMatch(/error|at /)
  })

  it('is not what the commands are relative to that `doctor` advises', async () => {
    const store = join(await makeStore(['alice']), 'a2a-totp.json')
    const { stdout } = runWithoutFolder(['--store', store, 'doctor'], makeFolder())
    expect(stdout).toContain(`a2a-totp --store ${store} encrypt`)
  })

  it('is not needed to create a store elsewhere, or to write a file there', () => {
    const folder = makeFolder()
    const store = join(folder, 'a2a-totp.json')
    expect(runWithoutFolder(['--store', store, 'init'], folder)).toMatchObject({ status: 0 })
    expect(runWithoutFolder(['--store', store, 'add-peer', 'alice'], folder)).toMatchObject({ status: 0 })
    const out = ['config', 'client', 'alice', '--out', join(folder, 'alice.env')]
    expect(runWithoutFolder(['--store', store, ...out], folder)).toMatchObject({ status: 0 })
  })

  it.each([
    ['list'],
    ['--store', 'a2a-totp.json', 'list'],
    ['code', '--json'],
    ['init'],
    ['doctor'],
    ['config', 'client', 'alice', '--out', 'alice.env'],
  ])('is one line and exit code 3 for `%s`', async (...args) => {
    // The store above it is not the one of a folder that is no more.
    const run = runWithoutFolder(args, await makeStore(['alice']))
    expect(run).toMatchObject({ status: 3, stdout: '' })
    expect(run.stderr).toMatch(/^[^\n]*the working directory does not exist any more[^\n]*\n$/)
  })

  it('is not needed for help', () => {
    expect(runWithoutFolder(['--help'], makeFolder())).toMatchObject({ status: 0, stderr: '' })
  })
})
