import type { MetricRegistry } from '../../service/metric-registry.js'
import type { SidecarCall } from '../sidecar.js'
import { secondsOf } from './metrics.js'
import type { Event, EventOf } from './sentences.js'

/** What a proxy knows of one of its agents, now. Contains no secret. */
export interface AgentState {
  /** Its name; empty if it is not known. */
  readonly agent: string
  readonly peer: string
  /** Calls that wait for a step of their own. */
  readonly queueLength: number
  readonly breakerOpen: boolean
  /** When an answer last showed that the credentials were accepted. */
  readonly lastSuccessAt?: Date | undefined
  /** By the Date of its answers: positive if its clock is ahead of this one. */
  readonly clockSeconds?: number | undefined
}

/** How a proxy's calls wait, and whether its credentials are accepted. */
export class ProxyMetrics {
  readonly #waits
  readonly #breaker
  readonly #credentials

  /** @param agents their names are labels, and no others are */
  constructor(registry: MetricRegistry, agents: () => readonly AgentState[]) {
    const agent = { agent: (name: string) => agents().some((one) => one.agent === name) }
    this.#waits = registry.histogram(
      { name: 'queue_wait_seconds', unit: 'seconds', help: 'How long calls waited for a step of their own.' },
      agent,
    )
    this.#breaker = registry.counter(
      { name: 'breaker_trips', help: 'How often an agent refused the credentials until nothing was sent.' },
      agent,
    )
    this.#credentials = registry.counter(
      { name: 'credential_loads', help: 'Client files that were read, by what became of them.' },
      { ...agent, result: ['loaded', 'refused'] },
    )
    const gauge = (
      name: string,
      help: string,
      read: (agent: AgentState) => number | undefined,
      unit?: 'seconds',
    ): void =>
      registry.gaugesOf({ name, help, ...(unit && { unit }) }, () =>
        agents().flatMap((one) => {
          const value = read(one)
          return value === undefined ? [] : [{ labels: { agent: one.agent }, value }]
        }),
      )
    gauge('queue_length', 'Calls that wait for a step of their own.', ({ queueLength }) => queueLength)
    gauge('breaker_open', 'Whether nothing is sent until the credentials change.', ({ breakerOpen }) =>
      Number(breakerOpen),
    )
    gauge(
      'last_success_timestamp_seconds',
      'When the agent last accepted the credentials, in unix time.',
      ({ lastSuccessAt }) => lastSuccessAt && secondsOf(lastSuccessAt),
      'seconds',
    )
    gauge(
      'clock_difference_seconds',
      'How far the clock of the agent is ahead of this one, by the Date of its answers.',
      ({ clockSeconds }) => clockSeconds,
      'seconds',
    )
  }

  call({ agent = '', waitedMs }: SidecarCall): void {
    if (waitedMs !== undefined) this.#waits.observe({ agent }, waitedMs / 1000)
  }

  event(event: Event): void {
    const note = this.#notes[event.type] as ((event: Event) => void) | undefined
    note?.(event)
  }

  readonly #notes: { readonly [T in Event['type']]?: (event: EventOf<T>) => unknown } = {
    // What wakes somebody is counted from 0 on: a series that begins with 1 shows no increase.
    listening: ({ listener: { role, agent } }) => role === 'proxy' && this.#breaker.add({ agent }, 0),
    breaker_opened: ({ agent }) => this.#breaker.add({ agent }),
    credentials_loaded: ({ agent }) => this.#credentials.add({ agent, result: 'loaded' }),
    credentials_refused: ({ agent }) => this.#credentials.add({ agent, result: 'refused' }),
  }
}
