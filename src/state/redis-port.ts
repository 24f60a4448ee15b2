/** What the state needs from a Redis client. Both methods reject when Redis cannot answer. */
export interface RedisPort {
  /** EVALSHA. Rejects with the server's own `NOSCRIPT …` error when the server does not know the script. */
  evalSha(sha: string, keys: readonly string[], argument: string): Promise<unknown>
  /** EVAL. Runs the script, which the server then knows. */
  eval(text: string, keys: readonly string[], argument: string): Promise<unknown>
}

/** The part of ioredis that is used: of a `Redis` or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(text: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** The part of node-redis that is used: of what `createClient` or `createCluster` returns. */
export interface NodeRedisClient {
  evalSha(sha: string, options: NodeRedisEvalOptions): Promise<unknown>
  eval(text: string, options: NodeRedisEvalOptions): Promise<unknown>
}

interface NodeRedisEvalOptions {
  keys: string[]
  arguments: string[]
}

/** A port for a client or a cluster client of ioredis. */
export function fromIoredis(client: IoredisClient): RedisPort {
  return {
    evalSha: (sha, keys, argument) => client.evalsha(sha, keys.length, ...keys, argument),
    eval: (text, keys, argument) => client.eval(text, keys.length, ...keys, argument),
  }
}

/** A port for a connected client or a cluster client of node-redis. */
export function fromNodeRedis(client: NodeRedisClient): RedisPort {
  return {
    evalSha: (sha, keys, argument) => client.evalSha(sha, { keys: [...keys], arguments: [argument] }),
    eval: (text, keys, argument) => client.eval(text, { keys: [...keys], arguments: [argument] }),
  }
}
