import { defaultProfile } from '../../core/profile.js'
import { makeSeed } from '../../core/seed.js'
import { makeToken } from '../../core/token.js'
import { probe, type ProbeCredentials, type ProbeOptions, type ProbeReport } from '../../probe/index.js'
import type { MeshAgent } from '../file/mesh.js'
import { companionOf, neighbourOf, otherEdgeOf, type OtherEdge } from './other-edge.js'
import type { Pair, Usable } from './pairs.js'
import type { ProveOptions } from './prove-options.js'
import { Locks, Slots } from './slots.js'

/** What is sent for an edge beside the agent that is probed in full. */
const thinSet = ['auth.none', 'auth.bearer-only', 'auth.valid', 'auth.cross-peer'] as const

/** What is sent where credentials are to be refused: they have to get the answer that an unknown token gets. */
const refusalSet = ['auth.none', 'auth.wrong-token', 'auth.valid'] as const

/** What is sent to an agent that no peer can call: all of it is to be refused, whoever sends it. */
const strangerSet = [
  'auth.none',
  'auth.bearer-only',
  'auth.totp-only',
  'auth.wrong-token',
  'auth.stream',
  'auth.doors',
] as const

/** A probe under way, and the edge whose code it tries; there may be no other one. */
export interface Run {
  readonly other: OtherEdge | undefined
  readonly report: Promise<ProbeReport | undefined>
}

/** The probes of a mesh, so many at a time. */
export class Runs {
  readonly #slots: Slots
  readonly #seeds = new Locks()
  /** With a rate the runs at one agent take turns, or together they would be faster than it. */
  readonly #turns = new Locks()
  readonly #endsAt: number
  #answered = 0
  /** Of runs that are over, and of those that are under way. */
  readonly #counts = new Map<object, number>()

  constructor(
    private readonly options: ProveOptions,
    /** Those of the whole mesh. */
    private readonly pairs: readonly Pair[],
    private readonly told: (requests: number) => void,
  ) {
    this.#slots = new Slots(options.concurrency ?? defaultConcurrency)
    this.#endsAt = options.deadlineMs === undefined ? Infinity : performance.now() + options.deadlineMs
  }

  /** Requests answered so far. */
  get requests(): number {
    return this.#answered
  }

  /** Probes an agent in full as one of its peers. No report when the deadline passed before. */
  full(pair: Usable): Run {
    const { isolation, waitMs, announce } = this.options
    const companion = isolation === true ? companionOf(pair, this.pairs) : undefined
    const other = companion ?? neighbourOf(pair, this.pairs)
    const { agent, standing } = pair
    const report = this.#probe(agent, standing.credentials, {
      ...(other && { otherPeer: other.code }),
      ...(companion && { isolation: true }),
      ...(waitMs !== undefined && { waitMs }),
      ...(announce && { announce: (text) => announce(`${agent.name}: ${text}`) }),
    })
    return { other, report }
  }

  /** Probes an edge: who has nothing, the token alone, or the code of another edge, is refused, and the edge is let in. */
  thin(pair: Usable): Run {
    const other = otherEdgeOf(pair, this.pairs)
    const only = thinSet.filter((id) => other !== undefined || id !== 'auth.cross-peer')
    const report = this.#probe(pair.agent, pair.standing.credentials, {
      only,
      ...(other && { otherPeer: other.code }),
    })
    return { other, report }
  }

  /** Sends credentials that an agent has to refuse. */
  refused(agent: MeshAgent, credentials: ProbeCredentials): Promise<ProbeReport | undefined> {
    return this.#probe(agent, credentials, { only: refusalSet })
  }

  /** Probes an agent as nobody: with nothing, and with what was made up. */
  stranger(agent: MeshAgent): Promise<ProbeReport | undefined> {
    const { random, rosters } = this.options
    const { profile = defaultProfile } = rosters.get(agent.name) ?? {}
    const credentials = { ...profile, token: makeToken(random), seed: makeSeed(profile.algorithm, random) }
    return this.#probe(agent, credentials, { only: strangerSet })
  }

  #probe(
    agent: MeshAgent,
    credentials: ProbeCredentials,
    special: Partial<ProbeOptions>,
  ): Promise<ProbeReport | undefined> {
    const seeds = [credentials, special.otherPeer].flatMap((one) =>
      one?.token === undefined ? [] : [one.seed.base32],
    )
    const turns = this.options.rate === undefined ? [] : [agent.name]
    return this.#turns.during(turns, () =>
      this.#seeds.during(seeds, () =>
        this.#slots.during(
          (sleep) => this.#run(agent, credentials, { ...special, sleep }),
          this.options.sleep,
        ),
      ),
    )
  }

  async #run(
    { name, url, allowHosts }: MeshAgent,
    credentials: ProbeCredentials,
    special: Partial<ProbeOptions>,
  ): Promise<ProbeReport | undefined> {
    const leftMs = this.#endsAt - performance.now()
    if (leftMs <= 0) return undefined
    const { strict, insecureHttp, ca, proxy, rate, timeoutMs, now, random, pause } = this.options
    const report = await probe({
      ...{ url, credentials, binding: 'auto', protocol: 'auto', timeoutMs, now, random },
      ...(allowHosts && { allowHosts }),
      otherAgents: [...this.options.mesh.agents.values()].filter((other) => other.name !== name),
      ...(strict && { strict }),
      ...(insecureHttp && { insecureHttp }),
      ...(ca !== undefined && { ca }),
      ...(proxy && { proxy }),
      ...(rate !== undefined && { rate }),
      ...(pause && { pause }),
      ...(Number.isFinite(leftMs) && { deadlineMs: Math.ceil(leftMs) }),
      progress: ({ done }) => {
        this.#count(credentials, done)
      },
      ...special,
    })
    this.#count(credentials, report.requests)
    this.#counts.delete(credentials)
    return report
  }

  #count(run: object, requests: number): void {
    this.#answered += requests - (this.#counts.get(run) ?? 0)
    this.#counts.set(run, requests)
    this.told(this.#answered)
  }
}

const defaultConcurrency = 8
