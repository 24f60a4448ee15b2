import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { makePeers } from '../peers.js'
import { bytes, cost, type Section } from '../report.js'

/** The most that a peer who has not called yet should take. */
const limit = 512

/** What a peer takes in a server, before it has called. */
export const memorySection: Section = {
  title: 'Memory of a server, each peer',
  async run({ quick }) {
    const count = quick ? 10_000 : 100_000
    const idle: number[] = []
    for (let round = 0; round < (quick ? 3 : 7); round++) idle.push(await sizeWith(count))
    const against = { name: `a limit of ${limit} B`, samples: idle.map(() => limit) }
    return [
      cost(
        { name: `${count.toLocaleString('en')} peers, none has called`, samples: idle },
        against,
        bytes,
        1,
      ),
    ]
  },
}

async function sizeWith(count: number): Promise<number> {
  // Through JSON, because texts put together piece by piece give memory back when they are first read.
  const text = JSON.stringify(
    makePeers(count).map(({ name, seed, token }) => ({ name, seed: seed.base32, token })),
  )
  const given = JSON.parse(text) as { name: string; seed: string; token: string }[]
  const seeds = new Map(given.map(({ name, seed }) => [name, seed]))
  const tokens = new Map(given.map(({ name, token }) => [token, name]))
  const before = await memoryInUse()
  const scheme = new TOTPServerAuthScheme({ peerSeeds: seeds, tokenToPeer: tokens, replay: 'reuse' })
  const after = await memoryInUse()
  // Used after the last measurement, so that none of them was collected before.
  scheme.close()
  if ([given.length, seeds.size, tokens.size].some((size) => size !== count)) throw new Error('lost')
  return (after - before) / count
}

/** Bytes in use once everything unused is gone. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // What array buffers held is given back by another thread, a little later.
  for (let turn = 0; turn < 3; turn++) {
    gc()
    await sleep(100)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
