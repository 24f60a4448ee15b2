import { TOTPError } from '../core/errors.js'

/** What the state needs from a Redis client. The first two methods reject when Redis cannot answer. */
export interface RedisPort {
  /** EVALSHA. Rejects with the server's own `NOSCRIPT …` error when the server does not know the script. */
  evalSha(sha: string, keys: readonly string[], argument: string): Promise<unknown>
  /** EVAL. Runs the script, which the server then knows. */
  eval(text: string, keys: readonly string[], argument: string): Promise<unknown>
  /** Whether the client has a connection now, if it knows; tells a server that is gone from one that hangs. */
  isConnected?(): boolean | undefined
}

/** The part of ioredis that is used: of a `Redis` or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(text: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** The part of node-redis that is used: of what `createClient`, `createClientPool` or `createCluster` returns. */
export interface NodeRedisClient {
  evalSha(sha: string, options: NodeRedisEvalOptions): Promise<unknown>
  eval(text: string, options: NodeRedisEvalOptions): Promise<unknown>
}

interface NodeRedisEvalOptions {
  keys: string[]
  arguments: string[]
}

/**
 * A port for a client or a cluster client of ioredis, whatever its options.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for another client, and for a `keyPrefix` with `{}`, which would spread the
 *   keys of one decision over the nodes of a cluster
 */
export function fromIoredis(client: IoredisClient): RedisPort {
  requireMethods(client, ['evalsha', 'eval'], 'fromIoredis')
  const { options } = client as { readonly options?: { readonly keyPrefix?: string | Buffer } }
  if (/^[^{]*\{\}/.test(options?.keyPrefix?.toString() ?? '')) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'keyPrefix of the client has {}, which ends the hash tag; leave the braces out',
    )
  }
  return {
    evalSha: async (sha, keys, argument) =>
      withNumbers(await client.evalsha(sha, keys.length, ...keys, argument)),
    eval: async (text, keys, argument) =>
      withNumbers(await client.eval(text, keys.length, ...keys, argument)),
    isConnected: () => {
      const { status } = client as { readonly status?: unknown }
      return typeof status === 'string' ? status === 'ready' : undefined
    },
  }
}

/**
 * A port for a connected client, a pool or a cluster client of node-redis, whatever its options: a type mapping has no
 * effect on it.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for another client, and for one in legacy mode, which returns no promises
 */
export function fromNodeRedis(client: NodeRedisClient): RedisPort {
  requireMethods(client, ['evalSha', 'eval'], 'fromNodeRedis')
  const plain = withoutTypeMapping(client)
  return {
    evalSha: (sha, keys, argument) => plain.evalSha(sha, { keys: [...keys], arguments: [argument] }),
    eval: (text, keys, argument) => plain.eval(text, { keys: [...keys], arguments: [argument] }),
    isConnected: () => {
      const { isReady } = client as { readonly isReady?: unknown }
      return typeof isReady === 'boolean' ? isReady : undefined
    },
  }
}

function requireMethods(client: object, methods: readonly string[], port: string): void {
  const given = client as Readonly<Record<string, unknown>>
  const isLegacy = client.constructor.name.includes('Legacy')
  if (!isLegacy && methods.every((method) => typeof given[method] === 'function')) return
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `${port} cannot use this client; pass one of ioredis to fromIoredis, or one of node-redis that is not in legacy mode to fromNodeRedis`,
  )
}

function withoutTypeMapping(client: NodeRedisClient): NodeRedisClient {
  const { withTypeMapping } = client as { withTypeMapping?: (mapping: object) => NodeRedisClient }
  return withTypeMapping?.call(client, {}) ?? client
}

/** With the option `stringNumbers`, ioredis returns numbers as text. */
function withNumbers(reply: unknown): unknown {
  if (Array.isArray(reply)) return (reply as readonly unknown[]).map(withNumbers)
  return typeof reply === 'string' && /^-?\d{1,15}$/.test(reply) ? Number(reply) : reply
}
