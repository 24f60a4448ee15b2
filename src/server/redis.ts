/** State in Redis or Valkey, shared by all replicas of an agent: with ioredis, node-redis, or a port of your own. */
export { redisState, type RedisStateOptions } from '../state/redis-state.js'
export {
  fromIoredis,
  fromNodeRedis,
  type IoredisClient,
  type NodeRedisClient,
  type RedisPort,
} from '../state/redis-port.js'
