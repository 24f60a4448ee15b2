import { eventBase, type AuthEvent } from './events.js'
import type { AuthOutcome } from './outcome.js'
import type { CodeComparison, SchemePeer } from './peers.js'
import { isSameSource, NonceSources } from './nonce-sources.js'
import type { CheckedProof } from './proofs.js'
import { sourceOf, type AuthRequest } from './request.js'

/** How many peers are remembered; beyond that, one that was not heard of for a while is forgotten. */
const mostPeers = 10_000
/** A peer has at most two live seeds, and for a moment those of the file before. */
const mostSeeds = 4
/** More than a window of 2 has, so that a captured code is recognised for as long as it could be used. */
const mostCodes = 8
/** How far apart two codes may arrive to be compared: in that time no clock drifts by a period. */
const clockMs = 600_000
/** At most one `clock_jumped` an hour and peer. */
const quietMs = 3_600_000

/** An accepted code, under `once`. */
interface AcceptedCode {
  readonly timeStep: number
  readonly source: string
  reported: boolean
}

/** A bound of how far a peer's clock is ahead of this one, in milliseconds, from one accepted code. */
interface Bound {
  readonly ms: number
  readonly drift: number
  readonly at: number
}

/** What was seen of one seed of a peer. */
interface SeedTrace {
  readonly seedId: string
  readonly codes: AcceptedCode[]
  /** The highest lower bound and the lowest upper bound of the last minutes. */
  least: Bound | undefined
  most: Bound | undefined
}

interface PeerTrace {
  readonly seeds: SeedTrace[]
  jumpedAt: number
  /** Whether it was heard of since it was last considered for being forgotten. */
  recent: boolean
}

/** What an attempt showed. */
export interface Observed {
  /** Without a peer if the token is nobody's. */
  readonly owner: { readonly peer?: SchemePeer | undefined }
  /** Undefined if there was no well-formed code. */
  readonly comparison: CodeComparison | undefined
  readonly proof?: CheckedProof | undefined
  readonly request: AuthRequest
  readonly at: Date
}

/**
 * Looks for signs that a seed was copied or a request captured. Only accepted codes and proofs, and repetitions of them, count:
 * nobody without the seed can cause an event. Kept in this process only, so each replica sees its own requests.
 */
export class Anomalies {
  readonly #peers = new Map<string, PeerTrace>()
  readonly #nonces = new NonceSources()

  /** Returns the event to emit for an attempt and what became of it, if any. */
  observe(
    { owner: { peer }, comparison, proof, request, at }: Observed,
    outcome: AuthOutcome,
  ): AuthEvent | undefined {
    if (!peer || comparison?.kind !== 'match') return undefined
    const { seedId, timeStep, drift } = comparison
    const source = sourceOf(request)
    const nonce = proof?.kind === 'valid' ? `${comparison.seed} ${proof.proof.nonce}` : undefined
    if (outcome.caller) {
      const trace = this.#traceOf(peer.name)
      const seed = seedTraceOf(trace, seedId)
      // Any number of signed requests share a code, from wherever they come.
      if (outcome.caller.proof !== 'code') this.#nonces.remember(nonce, source)
      else if (peer.replay === 'once') remember(seed, timeStep, source)
      const drifts = jumpOf(seed, timeStep, drift, peer.profile.period * 1000, at.getTime())
      if (!drifts || Math.abs(at.getTime() - trace.jumpedAt) < quietMs) return undefined
      trace.jumpedAt = at.getTime()
      return { type: 'clock_jumped', ...eventBase(request, at), peer: peer.name, seedId, drifts }
    }
    const { reason } = outcome.refusal
    const sources =
      reason === 'code-replayed'
        ? this.#secondSource(peer.name, seedId, timeStep, source)
        : reason === 'proof-replayed'
          ? this.#nonces.second(nonce, source)
          : undefined
    return (
      sources && {
        type: 'code_from_two_sources',
        ...eventBase(request, at),
        peer: peer.name,
        seedId,
        sources,
      }
    )
  }

  /** The two sources of an accepted code that arrives again from another one, once for each code. */
  #secondSource(
    peer: string,
    seedId: string,
    timeStep: number,
    source: string | undefined,
  ): readonly [string, string] | undefined {
    const seed = this.#peers.get(peer)?.seeds.find((one) => one.seedId === seedId)
    const code = seed?.codes.find((one) => one.timeStep === timeStep)
    if (!code || source === undefined || code.reported || isSameSource(code.source, source)) return undefined
    code.reported = true
    return [code.source, source]
  }

  #traceOf(name: string): PeerTrace {
    const known = this.#peers.get(name)
    if (known) {
      known.recent = true
      return known
    }
    while (this.#peers.size >= mostPeers) this.#forgetOne()
    const trace: PeerTrace = { seeds: [], jumpedAt: -Infinity, recent: false }
    this.#peers.set(name, trace)
    return trace
  }

  /** Gives the first peer in turn a second chance if it was heard of since its last turn, and forgets it otherwise. */
  #forgetOne(): void {
    const [first] = this.#peers
    if (!first) return
    const [name, trace] = first
    this.#peers.delete(name)
    if (!trace.recent) return
    trace.recent = false
    this.#peers.set(name, trace)
  }
}

function seedTraceOf({ seeds }: PeerTrace, seedId: string): SeedTrace {
  const known = seeds.find((seed) => seed.seedId === seedId)
  if (known) return known
  if (seeds.length >= mostSeeds) seeds.shift()
  const trace: SeedTrace = { seedId, codes: [], least: undefined, most: undefined }
  seeds.push(trace)
  return trace
}

function remember({ codes }: SeedTrace, timeStep: number, source: string | undefined): void {
  if (source === undefined) return
  if (codes.length >= mostCodes) codes.shift()
  codes.push({ timeStep, source, reported: false })
}

/**
 * Compares the clocks that made two codes of one seed. A code of step S that arrives at t was made by a clock that is
 * ahead of ours by S × period − t at least, and by one period more at most. If one code's least is a whole period beyond
 * another's most, no single clock made both, even if requests are slow or a client keeps its code for the whole step.
 *
 * @returns the drifts of the two codes, which then differ by two steps or more
 */
function jumpOf(
  seed: SeedTrace,
  timeStep: number,
  drift: number,
  periodMs: number,
  now: number,
): readonly [number, number] | undefined {
  const least = timeStep * periodMs - now
  const most = least + periodMs
  const [high, low] = [liveBound(seed.least, now), liveBound(seed.most, now)]
  const before =
    high && high.ms - most >= periodMs ? high : low && least - low.ms >= periodMs ? low : undefined
  // After a jump the clocks are compared anew, so that one that was set is reported once.
  if (before || !high || least >= high.ms) seed.least = { ms: least, drift, at: now }
  if (before || !low || most <= low.ms) seed.most = { ms: most, drift, at: now }
  return before && [before.drift, drift]
}

/** The bound, unless it is too old. By the distance, because a clock can be set back. */
function liveBound(bound: Bound | undefined, now: number): Bound | undefined {
  return bound && Math.abs(now - bound.at) <= clockMs ? bound : undefined
}
