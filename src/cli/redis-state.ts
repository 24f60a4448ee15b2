import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { TOTPError } from '../core/errors.js'
import { fromIoredis } from '../state/redis-port.js'
import { redisState } from '../state/redis-state.js'
import type { State } from '../state/state.js'
import type { Env } from '../programs/environment.js'

/** A state that other processes share, and the connection that it needs. */
export interface SharedState {
  readonly state: State
  /** Asks whether the server answers at this moment; why not, in a few words, or undefined. */
  readonly whyDown: () => Promise<string | undefined>
  close(): void
}

/**
 * Connects to Redis or Valkey, in the background: what cannot be asked is refused, and it is tried again for as long as it
 * takes.
 *
 * @param url `redis://HOST[:PORT][/DB]` or `rediss://…` for TLS. The password is better in `$A2A_TOTP_REDIS_PASSWORD`, since
 *   arguments can be read by every user of the machine.
 * @throws {TOTPError} `ERR_USAGE`, without the URL, which may have a password
 */
export function openRedisState(url: string, env: Env): SharedState {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isRedis = parsed?.protocol === 'redis:' || parsed?.protocol === 'rediss:'
  if (!parsed || !isRedis || parsed.hostname === '' || !/^(\/\d{0,4})?$/.test(parsed.pathname)) {
    throw new TOTPError(
      'ERR_USAGE',
      '--redis must be a URL such as redis://127.0.0.1:6379/0, or rediss:// with TLS',
    )
  }
  const password = env['A2A_TOTP_REDIS_PASSWORD']
  const client = new Redis(url, {
    ...(password ? { password } : {}),
    // A request does not wait for a connection: it is refused, and its client comes again.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(times * 100, 1000),
    connectTimeout: 2000,
  })
  // Each refused request says why; without a listener the first error would end the process.
  client.on('error', () => undefined)
  return {
    state: redisState(fromIoredis(client)),
    whyDown: () => whyDown(client),
    close: () => client.disconnect(),
  }
}

/** In milliseconds: as long as a probe waits, and twice as long as a request does. */
const patienceMs = 1000

/** A server that hangs keeps its connections, so that it has to be asked. What it says is not repeated. */
async function whyDown(client: Redis): Promise<string | undefined> {
  const late = new AbortController()
  const timedOut = sleep(patienceMs, 'does not answer', { signal: late.signal }).catch(() => undefined)
  const answered = client.ping().then(
    () => undefined,
    // A user that may run scripts alone is told so, by a server that is there.
    (error: unknown) =>
      error instanceof Error && error.message.startsWith('NOPERM') ? undefined : 'cannot be asked',
  )
  const why = await Promise.race([answered, timedOut])
  late.abort()
  return why === undefined ? undefined : `Redis ${why}`
}
