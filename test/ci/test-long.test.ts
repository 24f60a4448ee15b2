import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeFolder } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A part: notes that it was called, and ends as the file `ends` says, or not at all. */
const standIn = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
const name = process.argv.at(-1)
appendFileSync('calls', name + '\\n')
console.log('\\x1b[31m' + name + ' says so\\x1b[39m\\n')
const { [name]: end = 0 } = JSON.parse(readFileSync('ends', 'utf8'))
if (end === 'never') {
  writeFileSync('pid', String(process.pid))
  setInterval(() => {}, 1000)
} else process.exitCode = end
`

class Checkout {
  readonly cwd = makeFolder()

  constructor() {
    for (const path of ['scripts/test-long.mjs', 'scripts/long'])
      cpSync(join(root, path), join(this.cwd, path), { recursive: true })
    this.write('node_modules/vitest/vitest.mjs', standIn)
    for (const kind of ['nodes', 'mutation', 'stacks']) this.write(`scripts/test-${kind}.mjs`, standIn)
    this.write('test/long/a.test.ts', '')
    this.write('test/long/deep/b.test.ts', '')
    this.write('test/mutation/parts.json', '{"core":{}}')
    this.write('.gitignore', 'node_modules/\nreports/\ncalls\nends\npid\n')
    this.ends({})
    this.git('init', '--quiet')
    this.commit()
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.cwd, path)), { recursive: true })
    writeFileSync(join(this.cwd, path), text)
  }

  /** What the parts exit with, by the last of their arguments; `never` for a part that runs on. */
  ends(byPart: Record<string, number | 'never'>): void {
    this.write('ends', JSON.stringify(byPart))
  }

  git(...args: string[]): void {
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: this.cwd })
  }

  commit(): void {
    this.git('add', '.')
    this.git('commit', '--quiet', '--allow-empty', '--message=one more')
  }

  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, ['scripts/test-long.mjs', ...args], { cwd: this.cwd, stdio: 'pipe' })
  }

  async run(...args: string[]): Promise<{ code: number; calls: string[]; table: string[] }> {
    return this.outcomeOf(this.start(...args))
  }

  /** How a run ends, which parts it called, and the lines after the last heading. */
  async outcomeOf(child: ChildProcess): Promise<{ code: number; calls: string[]; table: string[] }> {
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    const path = join(this.cwd, 'calls')
    const calls = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
    writeFileSync(path, '')
    const table =
      said
        .trim()
        .split(/\n{2,}/)
        .at(-1)
        ?.replace(/ \d:\d\d:\d\d/g, ' T')
        .split('\n') ?? []
    return { code, calls: calls.filter((call) => call !== ''), table }
  }
}

const every = ['test/long/a.test.ts', 'test/long/deep/b.test.ts', '20.19', '22', '24', '26', 'core']

describe('npm run test:long', () => {
  it('runs each part though one fails, and ends with the table and 1', async () => {
    const checkout = new Checkout()
    checkout.ends({ 'test/long/a.test.ts': 3 })
    const { code, calls, table } = await checkout.run()
    expect(calls).toEqual(every)
    expect(code).toBe(1)
    expect(table[0]).toBe('a              FAILED    T  test/long/a.test.ts says so')
    expect(table[1]).toBe('deep/b         passed    T  test/long/deep/b.test.ts says so')
    expect(table.at(-1)).toBe('6 parts passed, 1 failed, 0 not run, in T')
    expect(readFileSync(join(checkout.cwd, 'reports/long/deep-b.log'), 'utf8')).toContain('says so')
  })

  it('runs, resumed, what failed and what was not run, until the code changes', async () => {
    const checkout = new Checkout()
    checkout.ends({ '24': 1 })
    await checkout.run('a', 'deep/b', 'node-24')
    checkout.ends({})
    const resumed = await checkout.run('--resume')
    expect(resumed.code).toBe(0)
    expect(resumed.calls).toEqual(every.slice(2))
    expect(resumed.table.at(-1)).toBe('7 parts passed, 0 failed, 0 not run, in T')
    expect((await checkout.run('--resume')).calls).toEqual([])
    checkout.write('test/long/a.test.ts', 'changed')
    expect((await checkout.run('--resume', 'a')).calls).toEqual(['test/long/a.test.ts'])
    expect((await checkout.run('--resume', 'a')).calls).toEqual([])
    checkout.commit()
    expect((await checkout.run('--resume', 'a')).calls).toEqual(['test/long/a.test.ts'])
  })

  it('runs nothing again because its figures were written down', async () => {
    const checkout = new Checkout()
    checkout.write('bench/FIGURES.md', 'not measured')
    checkout.commit()
    await checkout.run('a')
    checkout.write('bench/FIGURES.md', 'one')
    expect((await checkout.run('--resume', 'a')).calls).toEqual([])
    checkout.commit()
    expect((await checkout.run('--resume', 'a')).calls).toEqual([])
  })

  it('ends the part that runs when it is interrupted, and keeps those before it', async () => {
    const checkout = new Checkout()
    checkout.ends({ 'test/long/deep/b.test.ts': 'never' })
    const child = checkout.start()
    onTestFinished(() => void child.kill('SIGKILL'))
    const outcome = checkout.outcomeOf(child)
    const pid = await vi.waitUntil(
      () => existsSync(join(checkout.cwd, 'pid')) && Number(readFileSync(join(checkout.cwd, 'pid'), 'utf8')),
      { timeout: 60_000 },
    )
    child.kill('SIGINT')
    const { code, table } = await outcome
    expect(code).toBe(130)
    expect(table.at(-1)).toBe('1 parts passed, 0 failed, 6 not run, in T')
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    checkout.ends({})
    expect((await checkout.run('--resume')).calls).toEqual(every.slice(1))
  })

  it('runs nothing for --list, nor for a name that no part has', async () => {
    const checkout = new Checkout()
    const listed = await checkout.run('--list')
    expect(listed).toMatchObject({ code: 0, calls: [] })
    expect(listed.table).toContain('stacks         not run')
    expect(await checkout.run('a', 'nonesuch')).toMatchObject({ code: 2, calls: [] })
  })
})
