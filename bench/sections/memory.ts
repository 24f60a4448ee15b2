import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/totp-server-auth-scheme.js'
import { makePeers, requestWith } from '../mesh.js'
import { bytes, cost, type Section } from '../report.js'

/** The most that a peer who has not called yet should take. */
const limit = 512

/** What a peer takes in a running server, before it has called and after. */
export const memorySection: Section = {
  title: 'Memory of a server, each peer',
  async run({ quick }) {
    const count = quick ? 10_000 : 100_000
    const idle: number[] = []
    const active: number[] = []
    for (let round = 0; round < (quick ? 3 : 7); round++) {
      const sizes = await sizesWith(count)
      idle.push(sizes.idle)
      active.push(sizes.active)
    }
    const against = { name: `a limit of ${limit} B`, samples: idle.map(() => limit) }
    return [
      cost(
        { name: `${count.toLocaleString('en')} peers, none has called`, samples: idle },
        against,
        bytes,
        1,
      ),
      cost({ name: `${count.toLocaleString('en')} peers, each has called`, samples: active }, against, bytes),
    ]
  },
}

async function sizesWith(count: number): Promise<{ idle: number; active: number }> {
  const at = new Date()
  // In base32 and hashes, as a server file brings them: what the scheme makes of them is its own.
  const peers = makePeers(count)
  const seeds = new Map(peers.map(({ name, seed }) => [name, seed.base32]))
  const tokens = new Map(peers.map(({ name, token }) => [token, name]))
  const before = memoryInUse()
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: seeds,
    tokenToPeer: tokens,
    replay: 'reuse',
    now: () => at,
  })
  const idle = memoryInUse()
  for (const { seed, token } of peers) {
    const { caller } = await scheme.authenticate(requestWith(token, generateCode(seed, defaultProfile, at)))
    if (!caller) throw new Error('refused')
  }
  const active = memoryInUse()
  // Read after the last measurement, so that nothing of it was collected before.
  if ([peers.length, seeds.size, tokens.size].some((size) => size !== count)) throw new Error('lost')
  return { idle: (idle - before) / count, active: (active - before) / count }
}

/** Bytes in use once everything unused is gone. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
