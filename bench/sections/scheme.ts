import { createHash } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { makePeers, requestWith, type BenchPeer } from '../peers.js'
import { cost, nanoseconds, speed, type Measured, type Row, type Scale, type Section } from '../report.js'
import { cpuTimeOf, takeRounds, type Sampler } from '../rounds.js'

/** A request's way through `authenticate`: both header fields, token look-up, code, replay policy, budgets. */
export const schemeSection: Section = {
  title: 'Token and code, the whole decision (CPU time, codes of the step known)',
  async run(scale) {
    const counts = scale.quick ? [10, 1000, 100_000] : [10, 1000, 100_000, 1_000_000]
    const at = new Date()
    const variants: Record<string, Sampler> = {}
    for (const count of counts) Object.assign(variants, await decisionsAmong(count, at))
    return rowsOf(await takeRounds(variants, Math.min(scale.rounds, 15)), counts, scale)
  },
}

const ours = (count: number): string => `authenticate, ${count.toLocaleString('en')} peers`
const naive = 'createHash + Map + otpauth, 1,000 peers'

/** At most so many peers call: with more, the measurement would be of cold codes. */
const mostCallers = 1000

async function decisionsAmong(count: number, at: Date): Promise<Record<string, Sampler>> {
  const peers = makePeers(count)
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: new Map(peers.map(({ name, seed }) => [name, seed])),
    tokenToPeer: new Map(peers.map(({ name, token }) => [token, name])),
    replay: 'reuse',
    now: () => at,
  })
  const callers = spread(peers, Math.min(count, mostCallers))
  const calls = callers.map(({ seed, token }) => ({
    token,
    code: generateCode(seed, defaultProfile, at),
  }))
  const requests = calls.map(({ token, code }) => requestWith(token, code))
  // From here on the codes of the step are known.
  for (const request of requests) await scheme.authenticate(request)
  const next = turning<AuthRequest>(requests)
  const variants: Record<string, Sampler> = { [ours(count)]: cpuTimeOf(() => scheme.authenticate(next())) }
  if (count === 1000) variants[naive] = naiveSampler(callers, calls, at)
  return variants
}

/** What a guard of a dozen lines does: no cache, no budget, no claim. */
function naiveSampler(
  peers: readonly BenchPeer[],
  calls: readonly { token: string; code: string }[],
  at: Date,
): Sampler {
  const digest = (token: string): string => createHash('sha256').update(token).digest('hex')
  const totps = new Map(
    peers.map(({ token, seed }) => [
      digest(token),
      new TOTP({ secret: new Secret({ buffer: seed.bytes.buffer as ArrayBuffer }) }),
    ]),
  )
  const next = turning(calls)
  return cpuTimeOf(() => {
    const { token, code } = next()
    return totps.get(digest(token))?.validate({ token: code, window: 1, timestamp: at.getTime() })
  })
}

/** Members from all over the list, so that their memory is not in one place. */
function spread<T>(list: readonly T[], count: number): T[] {
  return list.filter((_, index) => index % Math.floor(list.length / count) === 0).slice(0, count)
}

function turning<T>(list: readonly T[]): () => T {
  let turn = 0
  return () => {
    turn = (turn + 1) % list.length
    return list[turn] as T
  }
}

function rowsOf(
  samples: Readonly<Record<string, readonly number[]>>,
  counts: readonly number[],
  { quick }: Scale,
): Row[] {
  const of = (name: string): Measured => ({ name, samples: samples[name] ?? [] })
  const most = ours(counts.at(-1) ?? 0)
  const goal = { name: '4.5 µs', samples: of(ours(1000)).samples.map(() => 4500) }
  return [
    cost(of(ours(1000)), goal, nanoseconds, quick ? undefined : 1),
    speed(of(ours(1000)), of(naive), nanoseconds),
    ...counts
      .filter((count) => count > 1000)
      .map((count) =>
        cost(of(ours(count)), of(ours(1000)), nanoseconds, !quick && ours(count) === most ? 3 : undefined),
      ),
    cost(of(ours(10)), of(ours(1000)), nanoseconds),
  ]
}
