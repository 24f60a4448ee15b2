import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Below the ports that systems give to connections, and to servers which take any: one of those that is free now may be
 * somebody's when a program gets to listen on it. The bus of a node of a Redis cluster, 10,000 above, is below them too.
 */
const [lowest, highest] = [12_000, 22_000]

/** Holds a file for each port that a test uses, with the id of its process. */
const reservations = join(tmpdir(), `a2a-totp-test-ports-${process.getuid?.() ?? 0}`)

const own = new Set<number>()
process.once('exit', () => own.forEach(release))

/**
 * Returns a port of 127.0.0.1 that is free with those after it, for programs that have to be told their port. They are
 * this process's until it ends.
 */
export async function freePorts(count: number): Promise<number> {
  mkdirSync(reservations, { recursive: true })
  for (;;) {
    const first = randomInt(lowest, highest - count)
    const ports = Array.from({ length: count }, (_, index) => first + index)
    const reserved = ports.filter(reserve)
    if (reserved.length === count && (await Promise.all(ports.map(isFree))).every(Boolean)) return first
    reserved.forEach(release)
  }
}

/** The same of one port. */
export const freePort = (): Promise<number> => freePorts(1)

/** Takes over what a process left that was killed. False if the port is another's. */
function reserve(port: number): boolean {
  const file = join(reservations, String(port))
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    own.add(port)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!isOver(file)) return false
    release(port)
    return reserve(port)
  }
}

function release(port: number): void {
  own.delete(port)
  rmSync(join(reservations, String(port)), { force: true })
}

/** Whether the process that made a reservation has ended, without taking it back. */
function isOver(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (free) await new Promise((done) => server.close(done))
  return free
}
