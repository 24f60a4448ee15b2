import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { procTable, psTable, systemProcessTable } from '../../../src/store/lock/process-identity.js'
import { systemError } from '../../support/faulty-fs.js'
import { makeStoreFolder } from '../../support/store-folder.js'
import { noPid } from '../../support/store-locks.js'

/** Starts a program; resolves with its first line of output. It is killed when the test is over. */
async function start(program: string, args: readonly string[]): Promise<{ pid: number; line: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()))
    child.once('spawn', () => args[0] === '-c' || resolve(''))
  })
  return { pid: child.pid ?? 0, line }
}

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

describe.skipIf(process.platform !== 'linux')('processes as /proc shows them', () => {
  const table = procTable()

  it('are alive while they run, and dead when they are gone', async () => {
    const self = table.self()
    expect(self.pid).toBe(process.pid)
    expect(self.place).toContain(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    expect(table.livenessOf(self)).toBe('alive')
    expect(table.livenessOf({ pid: noPid, startedAt: '1' })).toBe('dead')
    const { pid } = await start('sleep', ['60'])
    expect(table.livenessOf({ pid, startedAt: startOf(pid) })).toBe('alive')
  })

  it('are dead when their pid has gone to another', () => {
    expect(table.livenessOf({ pid: process.pid, startedAt: '1' })).toBe('dead')
  })

  it('are dead as zombies', async () => {
    // The shell becomes a sleep, which never asks what became of its child.
    const { line } = await start('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'])
    const zombie = { pid: Number(line), startedAt: startOf(Number(line)) }
    await expect.poll(() => readFileSync(`/proc/${line}/stat`, 'latin1')).toMatch(/\) Z /)
    expect(startOf(zombie.pid)).toBe(zombie.startedAt)
    expect(table.livenessOf(zombie)).toBe('dead')
  })

  it.each([
    ['R', 'alive'],
    ['S', 'alive'],
    ['D', 'alive'],
    ['T', 'alive'],
    ['Z', 'dead'],
    ['X', 'dead'],
    ['x', 'dead'],
  ])('in state %s are %s', (state, liveness) => {
    const root = makeStoreFolder()
    mkdirSync(join(root, '77'))
    writeFileSync(
      join(root, '77/stat'),
      `77 (node) ${[state, ...Array<number>(18).fill(0), 5000, 0].join(' ')}\n`,
    )
    expect(procTable(root).livenessOf({ pid: 77, startedAt: '5000' })).toBe(liveness)
  })

  it('are dead when they end while they are looked at', async () => {
    const child = spawn('sleep', ['60'])
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    const startedAt = startOf(pid)
    // What is opened by way of this descriptor is that process’s file still: reading it answers ESRCH.
    const file = openSync(`/proc/${pid}/stat`, 'r')
    onTestFinished(() => closeSync(file))
    const root = makeStoreFolder()
    mkdirSync(join(root, String(pid)))
    symlinkSync(`/proc/self/fd/${file}`, join(root, `${pid}/stat`))
    expect(procTable(root).livenessOf({ pid, startedAt })).toBe('alive')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(() => readFileSync(join(root, `${pid}/stat`))).toThrow('ESRCH')
    expect(procTable(root).livenessOf({ pid, startedAt })).toBe('dead')
  })

  it('may have blanks and parentheses in their names', async () => {
    const program = join(makeStoreFolder(), 'x) Z 1 (2 3')
    copyFileSync('/bin/sleep', program)
    const { pid } = await start(program, ['60'])
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain('(x) Z 1 (2 3)')
    expect(table.livenessOf({ pid, startedAt: startOf(pid) })).toBe('alive')
  })

  it('are unknown when /proc hides them', () => {
    const hidden = procTable(makeStoreFolder())
    expect(hidden.livenessOf({ pid: process.pid, startedAt: '1' })).toBe('unknown')
    expect(hidden.livenessOf({ pid: noPid, startedAt: '1' })).toBe('dead')
  })

  it('cannot be told from a /proc of another namespace, or without one', () => {
    const root = makeStoreFolder()
    mkdirSync(join(root, 'self', 'ns'), { recursive: true })
    mkdirSync(join(root, 'sys/kernel/random'), { recursive: true })
    writeFileSync(join(root, 'sys/kernel/random/boot_id'), 'boot\n')
    symlinkSync('pid:[1]', join(root, 'self/ns/pid'))
    writeFileSync(join(root, 'self/stat'), readFileSync('/proc/self/stat'))
    // Of a kernel without time namespaces.
    expect(procTable(root).self().place).toBe(`${hostname()} boot pid:[1] `)
    symlinkSync('time:[2]', join(root, 'self/ns/time'))
    expect(procTable(root).self().place).toBe(`${hostname()} boot pid:[1] time:[2]`)
    writeFileSync(join(root, 'self/stat'), readFileSync('/proc/1/stat'))
    expect(procTable(root).self().place).toBeUndefined()
    expect(procTable(makeStoreFolder()).self().place).toBeUndefined()
  })

  it('are unknown when /proc hides them and they are another user’s', () => {
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw systemError('EPERM')
    })
    onTestFinished(() => void vi.restoreAllMocks())
    expect(procTable(makeStoreFolder()).livenessOf({ pid: noPid, startedAt: '1' })).toBe('unknown')
  })

  it('are what this system uses', () => {
    expect(systemProcessTable().self()).toEqual(table.self())
  })
})

describe('processes of a system that shows none', () => {
  it('have no place, and cannot be told apart', () => {
    const table = systemProcessTable('win32')
    expect(table.self()).toEqual({ place: undefined, pid: process.pid, startedAt: '' })
    expect(table.livenessOf(table.self())).toBe('unknown')
  })
})

describe('processes as ps shows them', () => {
  const asked: string[] = []
  const run = (command: string, ...args: string[]): string => {
    asked.push([command, ...args].join(' '))
    if (command.endsWith('sysctl')) return '7D53A5B1'
    if (args.at(-1) === String(process.pid)) return 'Mon Nov 23 22:45:01 2026'
    throw new Error('ps found nobody')
  }
  const table = psTable(run)

  it('are told apart by pid, start and boot', () => {
    const self = table.self()
    expect(self).toMatchObject({ pid: process.pid, startedAt: 'Mon Nov 23 22:45:01 2026' })
    expect(self.place).toContain('7D53A5B1')
    expect(table.livenessOf(self)).toBe('alive')
    expect(table.livenessOf({ pid: process.pid, startedAt: 'Mon Nov 23 22:45:00 2026' })).toBe('dead')
    expect(table.livenessOf({ pid: noPid, startedAt: 'Mon Nov 23 22:45:01 2026' })).toBe('dead')
    expect([...new Set(asked)]).toEqual([
      '/usr/sbin/sysctl -n kern.bootsessionuuid',
      `/bin/ps -o lstart= -p ${process.pid}`,
    ])
  })

  it('are unknown when ps has nothing to say about one that is there', () => {
    expect(table.livenessOf({ pid: process.ppid, startedAt: 'x' })).toBe('unknown')
  })

  it('are dead when they end while ps is asked', async () => {
    // The shell asks what became of its child, so that nothing is left of it.
    const { line } = await start('sh', ['-c', 'sleep 60 & echo $!; wait'])
    const pid = Number(line)
    const ending = psTable(() => {
      execFileSync('sh', ['-c', `kill -9 ${pid}; while kill -0 ${pid} 2>&-; do :; done`])
      throw new Error('ps found nobody')
    })
    expect(ending.livenessOf({ pid, startedAt: 'x' })).toBe('dead')
  })

  it.skipIf(process.platform === 'darwin')('have no place where sysctl itself does not know the boot', () => {
    const table = systemProcessTable('darwin')
    expect(table.self()).toEqual({ place: undefined, pid: process.pid, startedAt: '' })
  })

  it('have no place where ps or sysctl fail', () => {
    const broken = psTable(() => {
      throw new Error('no such tool')
    })
    expect(broken.self().place).toBeUndefined()
  })

  it.skipIf(!existsSync('/bin/ps'))(
    'are asked of the tool itself where nothing else is said (skipped without ps)',
    async () => {
      const { pid } = await start('sleep', ['60'])
      const startedAt = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
        env: { LC_ALL: 'C', TZ: 'UTC' },
      })
      const ps = systemProcessTable('darwin')
      expect(ps.livenessOf({ pid, startedAt: startedAt.toString().trim() })).toBe('alive')
      expect(ps.livenessOf({ pid, startedAt: 'Mon Nov 23 22:45:01 2026' })).toBe('dead')
    },
  )
})
