import { proofReasons } from '../../core/proof/profile.js'
import type { ServerFileInForce } from '../../server/scheme/from-file.js'
import type { RefusalReason } from '../../server/scheme/refusal.js'
import type { MetricRegistry } from '../../service/metric-registry.js'
import type { SidecarCall } from '../sidecar.js'
import type { Event, EventOf } from './sentences.js'
import { secondsOf } from './metrics.js'

/** Exhaustive: a new reason does not compile until it is here. */
const otherReasons = {
  'code-doubled': 0,
  'code-malformed': 0,
  'code-missing': 0,
  'code-replayed': 0,
  'code-wrong': 0,
  'delegate-failed': 0,
  'guard-failed': 0,
  'guesses-exhausted': 0,
  'nonces-full': 0,
  'peer-conflict': 0,
  'peer-unknown': 0,
  'replay-unknown': 0,
  'strangers-exhausted': 0,
  'token-doubled': 0,
  'token-malformed': 0,
  'token-missing': 0,
  'token-refused': 0,
} satisfies Record<Exclude<RefusalReason, (typeof proofReasons)[number]>, 0>

const bindings = ['http', 'grpc'] as const
const results = ['accepted', 'refused', 'replayed', 'throttled'] as const
const reasons = ['accepted', ...Object.keys(otherReasons), ...proofReasons]

/** What a gate decided, of whom, and with which server file. */
export class GateMetrics {
  readonly #inForce: () => ServerFileInForce | undefined
  readonly #isPeer: (name: string) => boolean
  readonly #decisions
  readonly #seconds
  readonly #ofPeer
  readonly #lastSuccess
  readonly #drift
  readonly #exhausted
  readonly #anomalies
  readonly #canaries
  readonly #fileLoads

  /** @param inForce the server file; a name is a label only as long as it is there */
  constructor(registry: MetricRegistry, inForce: () => ServerFileInForce | undefined) {
    this.#inForce = inForce
    this.#isPeer = (name) => inForce()?.peers.has(name) === true
    const peer = { peer: this.#isPeer }
    this.#decisions = registry.counter(
      { name: 'decisions', help: 'Decisions about requests, by the reason.' },
      { binding: bindings, result: results, reason: reasons },
    )
    this.#seconds = registry.histogram(
      { name: 'decision_seconds', unit: 'seconds', help: 'How long decisions took, the state included.' },
      {},
    )
    this.#ofPeer = registry.counter(
      { name: 'peer_decisions', help: 'Decisions about requests with a live token of the peer.' },
      { ...peer, result: results },
    )
    this.#lastSuccess = registry.gauge(
      {
        name: 'peer_last_success_timestamp_seconds',
        unit: 'seconds',
        help: 'When the peer was last let in, in unix time.',
      },
      peer,
    )
    this.#drift = registry.gauge(
      {
        name: 'peer_drift_steps',
        help: 'Time steps by which the last right code was ahead; negative if the peer is behind.',
      },
      peer,
    )
    this.#exhausted = registry.counter(
      {
        name: 'peer_budget_exhausted',
        help: 'How often guesses exhausted a budget of the peer: somebody may have its token.',
      },
      peer,
    )
    this.#anomalies = registry.counter(
      {
        name: 'peer_anomalies',
        help: 'Signs that a seed was copied, a request captured, or a clock is wrong.',
      },
      { ...peer, type: ['clock_jumped', 'code_from_two_sources', 'code_stale', 'proof_observed'] },
    )
    this.#canaries = registry.counter(
      { name: 'canary_uses', help: 'Reported uses of tokens that are bait.' },
      {},
    )
    registry.gaugeOf(
      { name: 'canaries', help: 'Tokens that are bait in the server file in force.' },
      () => inForce()?.canaries,
    )
    registry.gaugeOf(
      { name: 'server_file_serial', help: 'Serial of the server file in force.' },
      () => inForce()?.serial,
    )
    registry.gaugeOf(
      {
        name: 'server_file_loaded_timestamp_seconds',
        unit: 'seconds',
        help: 'When the server file in force was read, in unix time.',
      },
      () => {
        const file = inForce()
        return file && secondsOf(file.loadedAt)
      },
    )
    this.#fileLoads = registry.counter(
      { name: 'server_file_loads', help: 'Server files that were read, by what became of them.' },
      { result: ['loaded', 'refused'] },
    )
    for (const result of ['loaded', 'refused']) this.#fileLoads.add({ result }, 0)
    this.#followPeers()
  }

  /** What wakes somebody is counted from 0 on: a series that begins with 1 shows no increase. */
  #followPeers(): void {
    for (const gauge of [this.#lastSuccess, this.#drift]) gauge.keep(({ peer }) => this.#isPeer(peer))
    for (const peer of this.#inForce()?.peers ?? []) this.#exhausted.add({ peer }, 0)
  }

  call({ decisionMs }: SidecarCall): void {
    if (decisionMs !== undefined) this.#seconds.observe({}, decisionMs / 1000)
  }

  event(event: Event): void {
    const note = this.#notes[event.type] as ((event: Event) => void) | undefined
    note?.(event)
  }

  readonly #notes: { readonly [T in Event['type']]?: (event: EventOf<T>) => void } = {
    authenticated: ({ peer, binding, drift, at }) => {
      this.#decisions.add({ binding, result: 'accepted', reason: 'accepted' })
      this.#ofPeer.add({ peer, result: 'accepted' })
      // The last success of several peers together says nothing.
      if (!this.#isPeer(peer)) return
      this.#lastSuccess.set({ peer }, secondsOf(at))
      this.#drift.set({ peer }, drift)
    },
    refused: (event) => this.#refused(event),
    replayed: (event) => this.#refused(event),
    throttled: (event) => this.#refused(event),
    token_compromise_suspected: ({ peer }) => this.#exhausted.add({ peer }),
    clock_jumped: ({ peer, type }) => this.#anomalies.add({ peer, type }),
    code_from_two_sources: ({ peer, type }) => this.#anomalies.add({ peer, type }),
    code_stale: ({ peer, type }) => this.#anomalies.add({ peer, type }),
    proof_observed: ({ peer, type }) => this.#anomalies.add({ peer, type }),
    canary_used: () => this.#canaries.add({}),
    server_file_loaded: () => {
      this.#fileLoads.add({ result: 'loaded' })
      this.#followPeers()
    },
    server_file_refused: () => this.#fileLoads.add({ result: 'refused' }),
  }

  #refused({ type, binding, reason, peer, count = 1 }: EventOf<'refused'>): void {
    this.#decisions.add({ binding, result: type, reason }, count)
    if (peer !== undefined) this.#ofPeer.add({ peer, result: type }, count)
  }
}
