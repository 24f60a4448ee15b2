import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { isThere } from './processes.js'

/** A Redis of its own at a socket in a folder, gone when what uses it is done. */
export async function withRedis<T>(
  folder: string,
  use: (client: Redis, socket: string) => Promise<T>,
): Promise<T> {
  const socket = join(folder, 'redis.sock')
  const memoryOnly = ['--save', '', '--appendonly', 'no']
  const args = ['--port', '0', '--unixsocket', socket, ...memoryOnly, '--dir', folder]
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  const client = new Redis({ path: socket, retryStrategy: () => 50 })
  client.on('error', () => undefined)
  try {
    while ((await client.ping().catch(() => '')) !== 'PONG') await sleep(50)
    return await use(client, socket)
  } finally {
    client.disconnect()
    const exit = once(server, 'exit')
    server.kill()
    await exit
  }
}

/** Whether this machine has one; says so when it does not. */
export function hasRedis(what: string): boolean {
  const there = isThere('redis-server', ['--version'])
  if (!there) console.error(`no redis-server here: ${what} is left out`)
  return there
}

/** What Redis says of a command: how often it ran, and how long in all. */
export async function statisticsOf(
  redis: Redis,
  command: string,
): Promise<{ calls: number; microseconds: number }> {
  const info = await redis.info('commandstats')
  const [, calls, usec] = new RegExp(`cmdstat_${command}:calls=(\\d+),usec=(\\d+)`).exec(info) ?? []
  return { calls: Number(calls ?? 0), microseconds: Number(usec ?? 0) }
}
