import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { fromIoredis, fromNodeRedis, type RedisPort } from '../../src/server/redis.js'

export interface TestClient {
  readonly port: RedisPort
  /** Any command, as words. */
  command(...words: [string, ...string[]]): Promise<unknown>
  close(): void
}

/** Both clients as their users make them: with the settings of the box, which queue while there is no connection. */
export const clients = {
  async ioredis(port) {
    const client = new Redis(port, '127.0.0.1')
    client.on('error', () => undefined)
    await client.ping()
    return {
      port: fromIoredis(client),
      command: (...words) => client.call(...words),
      close: () => client.disconnect(),
    }
  },
  async 'node-redis'(port) {
    const client = createClient({ url: `redis://127.0.0.1:${port}` })
    client.on('error', () => undefined)
    await client.connect()
    return {
      port: fromNodeRedis(client),
      command: (...words) => client.sendCommand(words),
      close: () => client.destroy(),
    }
  },
} satisfies Record<string, (port: number) => Promise<TestClient>>

export type ClientName = keyof typeof clients
export const clientNames = Object.keys(clients) as ClientName[]
