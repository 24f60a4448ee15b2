import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeFolder } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Stands in for npm and for everything that installs. It notes how it was called; both suites wait until the other one
 * runs, so that a run in which one comes after the other fails.
 */
const standIn = `#!/usr/bin/env bash
until_there() { for ((i = 0; i < 3000; i++)); do [ -e "$1" ] && return; sleep 0.02; done; exit 99; }
# In a process of its own, as npm has one for a script.
suite() (
  echo "$BASHPID" >"$1.pid"
  until_there "$2.pid"
  until_there "$3"
)
name=$(basename "$0")
echo "$name $*" >>calls
case "$name $*" in
  interop-venvs.sh*)
    [ -z "$ENVIRONMENTS_AFTER" ] || suite environments lint "$ENVIRONMENTS_AFTER"
    ;;
  'npm run --silent lint')
    [ -z "$ENVIRONMENTS_AFTER" ] || { touch lint.pid; until_there environments.pid; exit 1; }
    ;;
  'npm test')
    suite suite interop "$SUITE_AFTER"
    printf '%b\n' "$SUITE_SAYS"
    echo '3 passed, 0 failed, 0 skipped'
    touch suite.end
    exit "$SUITE_STATUS"
    ;;
  'npm run --silent test:interop')
    suite interop suite "$INTEROP_AFTER"
    echo "CI=$CI"
    printf '%b\n' "$INTEROP_SAYS"
    echo '2 passed, 0 failed, 1 skipped'
    touch interop.end
    exit "$INTEROP_STATUS"
    ;;
esac
`

/** A checkout with the script, where it finds no tool of its list and nothing that really installs. */
function checkout(): { cwd: string; start: (env?: Record<string, string>) => ChildProcess } {
  const cwd = makeFolder()
  const bin = join(cwd, 'bin')
  for (const folder of ['.ci', 'scripts', 'bin']) mkdirSync(join(cwd, folder))
  copyFileSync(join(root, '.ci/run'), join(cwd, '.ci/run'))
  const standIns = ['npm', 'apt-get', 'sudo', 'python3'].map((name) => join(bin, name))
  for (const path of [...standIns, join(cwd, 'scripts/interop-venvs.sh')]) {
    writeFileSync(path, standIn, { mode: 0o755 })
  }
  for (const name of 'awk basename bash cat dirname id mktemp rm sleep tee touch'.split(' ')) {
    const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${path} "$@"\n`, { mode: 0o755 })
  }
  const start = (env: Record<string, string> = {}): ChildProcess =>
    spawn('/usr/bin/env', ['bash', join(cwd, '.ci/run')], {
      env: {
        PATH: bin,
        SUITE_STATUS: '0',
        INTEROP_STATUS: '0',
        SUITE_AFTER: cwd,
        INTEROP_AFTER: cwd,
        SUITE_SAYS: '',
        INTEROP_SAYS: '',
        ENVIRONMENTS_AFTER: '',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return { cwd, start }
}

async function run(
  env?: Record<string, string>,
): Promise<{ code: number; lines: string[]; calls: string[] }> {
  const { cwd, start } = checkout()
  const child = start(env)
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  const calls = readFileSync(join(cwd, 'calls'), 'utf8').trim().split('\n')
  return { code, lines: said.trim().split('\n'), calls }
}

describe('.ci/run', () => {
  it("runs the README's commands, lint, types and both suites, the suites side by side", async () => {
    const { code, calls } = await run()
    expect(code).toBe(0)
    const ofNpm = calls.filter((call) => call.startsWith('npm '))
    expect(ofNpm.slice(0, 4)).toEqual([
      'npm ci --no-audit --no-fund',
      'npm run --silent lint',
      'npm run --silent types',
      'npm run --silent demo',
    ])
    expect(ofNpm.slice(4).sort()).toEqual(['npm run --silent test:interop', 'npm test'])
  })

  it('has the tools and environments before the suites start', async () => {
    const { calls } = await run()
    const [install, environments, suite] = [
      /^(sudo )?apt-get install .* redis-server /,
      /^interop-venvs/,
      /^npm test$/,
    ].map((pattern) => calls.findIndex((call) => pattern.test(call))) as [number, number, number]
    expect(install).toBeGreaterThan(-1)
    expect(environments).toBeGreaterThan(install)
    expect(suite).toBeGreaterThan(environments)
  })

  it('ends with the summaries of the suite and of the interop suite, in that order', async () => {
    const { lines } = await run({ SUITE_AFTER: 'interop.end' })
    const summaries = lines.filter((line) => line.includes(' passed, '))
    expect(summaries).toEqual(['3 passed, 0 failed, 0 skipped', '2 passed, 0 failed, 1 skipped'])
    expect(lines.at(-1)).toBe(summaries[1])
    expect(lines).toContain('CI=true')
  })

  it.each([
    ['the suite', { SUITE_STATUS: '1', INTEROP_AFTER: 'suite.end' }],
    ['the interop suite', { INTEROP_STATUS: '1', SUITE_AFTER: 'interop.end' }],
  ])('fails with %s, after the other one has run to its end', async (_, env) => {
    const { code, lines } = await run(env)
    expect(code).toBe(1)
    expect(lines.includes('== npm test failed')).toBe('SUITE_STATUS' in env)
    expect(lines.includes('== the interop suite failed')).toBe('INTEROP_STATUS' in env)
  })

  it('repeats at its end what failed in the suite, and the summary', async () => {
    const passed = Array.from({ length: 500 }, (_, n) => `passed ${n}`)
    const failed = Array.from({ length: 200 }, (_, n) => `failure ${n} ${'x'.repeat(300)}`)
    const { lines } = await run({
      SUITE_STATUS: '1',
      SUITE_SAYS: [...passed, '--- Failed Tests 1 ---', ...failed].join('\\n'),
      INTEROP_SAYS: passed.join('\\n'),
    })
    const end = lines.slice(lines.indexOf('== npm test failed') + 1)
    expect(end).toEqual([
      '--- Failed Tests 1 ---',
      ...failed.slice(0, 149).map((line) => line.slice(0, 300)),
      '3 passed, 0 failed, 0 skipped',
    ])
  })

  it('repeats the end of a suite that broke off', async () => {
    const said = Array.from({ length: 500 }, (_, n) => `line ${n}`)
    const { lines } = await run({ INTEROP_STATUS: '1', INTEROP_SAYS: said.join('\\n') })
    expect(lines.slice(lines.indexOf('== the interop suite failed') + 1)).toEqual([
      ...said.slice(-39),
      '2 passed, 0 failed, 1 skipped',
    ])
  })

  it('leaves nothing that makes environments running when lint fails', async () => {
    const { cwd, start } = checkout()
    const child = start({ ENVIRONMENTS_AFTER: 'never' })
    // It may have ended before its number is read.
    const ended = once(child, 'exit') as Promise<[number]>
    onTestFinished(() => void child.kill('SIGKILL'))
    const pid = await pidIn(join(cwd, 'environments.pid'))
    const [code] = await ended
    expect(code).toBe(1)
    await vi.waitUntil(() => !isRunning(pid))
  })

  it('leaves nothing running when it is ended', async () => {
    const { cwd, start } = checkout()
    const child = start({ SUITE_AFTER: 'never', INTEROP_AFTER: 'never' })
    onTestFinished(() => void child.kill('SIGKILL'))
    const pids = await Promise.all(['suite.pid', 'interop.pid'].map((name) => pidIn(join(cwd, name))))
    child.kill('SIGTERM')
    await once(child, 'exit')
    for (const pid of pids) await vi.waitUntil(() => !isRunning(pid))
  })
})

/** As soon as it is written. */
const pidIn = (path: string): Promise<number> =>
  vi.waitUntil(() => existsSync(path) && Number(readFileSync(path, 'utf8')))

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
