import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromIoredis, fromNodeRedis, redisState, type RedisPort } from '../../src/server/redis.js'
import { inStep, rightCode, signed, someStep, wrongCode } from '../state/attempts.js'
import { clients } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'

/** Three real nodes: one that gets keys of two slots in one script refuses with CROSSSLOT, a foreign one with MOVED. */
describe('redisState in a cluster of three', { skip: !hasRedis({ requiredInCi: true }) }, () => {
  const nodes: RedisServer[] = []
  const closing: (() => void)[] = []
  const ports: Record<string, RedisPort> = {}
  beforeAll(async () => {
    for (let n = 0; n < 3; n++) nodes.push(await RedisServer.start('--cluster-enabled', 'yes'))
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { timeout: 50_000 })
    for (const { port } of nodes) await untilReady(port)

    const ioredis = new Cluster(nodes.map(({ port }) => ({ port, host: '127.0.0.1' })))
    const nodeRedis = createCluster({
      rootNodes: addresses.map((address) => ({ url: `redis://${address}` })),
    })
    await nodeRedis.connect()
    // The answer to its first command shows that it has found the nodes.
    await ioredis.get('any')
    closing.push(
      () => ioredis.disconnect(),
      () => nodeRedis.destroy(),
    )
    ports['ioredis'] = fromIoredis(ioredis)
    ports['node-redis'] = fromNodeRedis(nodeRedis)
  })
  afterAll(async () => {
    for (const close of closing) close()
    await Promise.all(nodes.map((node) => node.stop()))
  })

  it.each(['ioredis', 'node-redis'])('decides on whatever node an agent lives, with %s', async (name) => {
    const port = ports[name]
    if (!port) throw new Error('no such client')
    for (let agent = 0; agent < 20; agent++) {
      const state = redisState(port, {
        prefix: `${name}-${agent}`,
        now: () => inStep(someStep),
        timeoutMs: 5000,
      })
      const budgets = [{ limit: 1, seconds: 30 }]
      expect(await state.decide(rightCode(someStep))).toMatchObject({ kind: 'unknown' })
      expect(await state.decide(rightCode(someStep + 2))).toEqual({ kind: 'accepted' })
      expect(await state.decide(rightCode(someStep + 2))).toMatchObject({ kind: 'replayed' })
      const proof = signed(someStep, { at: new Date(inStep(someStep).getTime() + 10_000) })
      expect(await state.decide(proof)).toEqual({ kind: 'accepted' })
      expect(await state.decide(proof)).toEqual({ kind: 'replayed' })
      const guess = wrongCode('1', inStep(someStep), { budgets })
      expect(await state.decide(guess)).toEqual({ kind: 'wrong', counted: true, tripped: true })
      expect(await state.decide(guess)).toMatchObject({ kind: 'throttled' })
    }
  })

  it('has spread the agents over all nodes', async () => {
    for (const { port } of nodes) {
      const client = await clients.ioredis(port)
      expect(Number(await client.command('DBSIZE'))).toBeGreaterThan(0)
      client.close()
    }
  })
})

/** Nodes hear of each other one by one; until a node has heard of all, it answers CLUSTERDOWN. */
async function untilReady(port: number): Promise<void> {
  const client = await clients.ioredis(port)
  for (let tries = 0; tries < 200; tries++) {
    if (String(await client.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) break
    await sleep(50)
  }
  client.close()
}
