/** All that the state needs of a Redis client. Either method rejects when Redis cannot answer. */
export interface RedisPort {
  /** EVALSHA: rejects with the server's own `NOSCRIPT …` when the server does not know the script. */
  evalSha(sha: string, keys: readonly string[], argument: string): Promise<unknown>
  /** EVAL: runs the script, and makes it known to the server. */
  eval(text: string, keys: readonly string[], argument: string): Promise<unknown>
}

/** What is used of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(text: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** What is used of node-redis: what its `createClient` or `createCluster` gives. */
export interface NodeRedisClient {
  evalSha(sha: string, options: NodeRedisEvalOptions): Promise<unknown>
  eval(text: string, options: NodeRedisEvalOptions): Promise<unknown>
}

interface NodeRedisEvalOptions {
  keys: string[]
  arguments: string[]
}

/** The port over a client or a cluster client of ioredis. */
export function fromIoredis(client: IoredisClient): RedisPort {
  return {
    evalSha: (sha, keys, argument) => client.evalsha(sha, keys.length, ...keys, argument),
    eval: (text, keys, argument) => client.eval(text, keys.length, ...keys, argument),
  }
}

/** The port over a connected client or a cluster client of node-redis. */
export function fromNodeRedis(client: NodeRedisClient): RedisPort {
  return {
    evalSha: (sha, keys, argument) => client.evalSha(sha, { keys: [...keys], arguments: [argument] }),
    eval: (text, keys, argument) => client.eval(text, { keys: [...keys], arguments: [argument] }),
  }
}
