import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { runProgramSync } from '../../programs/run.js'
import { errnoOf } from '../system-error.js'

/** One run of one process. A pid alone is not enough: the system reuses it. */
export interface ProcessIdentity {
  /**
   * The scope in which the pid is unique: host, boot and namespaces. Two processes with the same place can look each
   * other up by pid. Undefined when it cannot be determined.
   */
  readonly place: string | undefined
  readonly pid: number
  /** When it started, in a format of the system; only for comparing. */
  readonly startedAt: string
}

/** What is known about another process in the same place. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** How one kind of system identifies processes. */
export interface ProcessTable {
  self(): ProcessIdentity
  livenessOf(process: Pick<ProcessIdentity, 'pid' | 'startedAt'>): Liveness
}

/** The table of the current system. */
export function systemProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === 'linux') return procTable()
  if (platform === 'darwin') return psTable()
  return { self: () => nobody, livenessOf: () => 'unknown' }
}

const nobody: ProcessIdentity = { place: undefined, pid: process.pid, startedAt: '' }

/** Linux: /proc. */
export function procTable(root = '/proc'): ProcessTable {
  return {
    self() {
      try {
        const own = statOf(readFileSync(`${root}/self/stat`, 'latin1'))
        // A /proc of another pid namespace lists us under another pid, so a lookup would find other processes.
        if (own.pid !== process.pid) return nobody
        return { place: linuxPlace(root), pid: own.pid, startedAt: own.startedAt }
      } catch {
        return nobody
      }
    },
    livenessOf({ pid, startedAt }) {
      try {
        const found = statOf(readFileSync(`${root}/${pid}/stat`, 'latin1'))
        const gone = found.startedAt !== startedAt || ['Z', 'X', 'x'].includes(found.state)
        return gone ? 'dead' : 'alive'
      } catch (error) {
        const missing = ['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')
        // With hidepid, /proc hides the processes of other users.
        return missing && !exists(pid) ? 'dead' : 'unknown'
      }
    },
  }
}

/** proc_pid_stat(5): the second field, in parentheses, may itself contain spaces and parentheses. */
function statOf(line: string): { pid: number; state: string; startedAt: string } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { pid: Number.parseInt(line, 10), state: fields[0] ?? '', startedAt: fields[19] ?? '' }
}

function linuxPlace(root: string): string {
  const bootId = readFileSync(`${root}/sys/kernel/random/boot_id`, 'latin1').trim()
  const pids = readlinkSync(`${root}/self/ns/pid`)
  return [hostname(), bootId, pids, timeNamespace(root)].join(' ')
}

/** Start times are relative to the reader's time namespace. Kernels before 5.6 have none. */
function timeNamespace(root: string): string {
  try {
    return readlinkSync(`${root}/self/ns/time`)
  } catch {
    return ''
  }
}

/** macOS: ps(1) and sysctl(8). */
export function psTable(run: (command: string, ...args: string[]) => string = runTool): ProcessTable {
  const startOf = (pid: number): string => run('/bin/ps', '-o', 'lstart=', '-p', String(pid))
  return {
    self() {
      try {
        const boot = run('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid')
        return { place: `${hostname()} ${boot}`, pid: process.pid, startedAt: startOf(process.pid) }
      } catch {
        return nobody
      }
    },
    livenessOf({ pid, startedAt }) {
      if (!exists(pid)) return 'dead'
      try {
        return startOf(pid) === startedAt ? 'alive' : 'dead'
      } catch {
        return exists(pid) ? 'unknown' : 'dead'
      }
    },
  }
}

function runTool(command: string, ...args: string[]): string {
  const run = runProgramSync(command, args, { own: { TZ: 'UTC' }, timeoutMs: 2000 })
  if (!run.ended || run.status !== 0) throw new Error(`${command} failed`)
  return run.stdout.toString().trim()
}

/** Whether any process has this pid, including those of other users. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
