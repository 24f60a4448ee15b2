import type { ServerFileInForce } from '../../server/scheme/from-file.js'
import { MetricRegistry } from '../../service/metric-registry.js'
import type { Observer } from '../sidecar.js'
import { GateMetrics } from './gate-metrics.js'
import type { SidecarLog } from './log.js'
import { CallMetrics } from './metrics.js'
import { ProxyMetrics, type AgentState } from './proxy-metrics.js'
import type { Event } from './sentences.js'

/** An observer that logs and counts, with what the administrative listener serves of it: see `AdminPages`. */
export interface Observation extends Observer {
  metrics(): string
  /** Facts about the sidecar, without secrets. */
  status(): object
}

interface Observed {
  readonly log: SidecarLog
  /** Of this tool. */
  readonly version: string
  readonly now?: () => Date
}

export interface ObservedGate extends Observed {
  /** The server file in force; undefined before the start, and for a gate without one. */
  readonly serverFile: () => ServerFileInForce | undefined
  readonly agent: () => string | undefined
}

export interface ObservedProxy extends Observed {
  readonly agents: () => readonly AgentState[]
}

/** Observes a gate: reverse proxy, forward auth or both. Give it to the scheme too, whose events are its decisions. */
export function observeGate({ serverFile, agent, ...observed }: ObservedGate): Observation {
  const registry = registryFor('gate', observed.version)
  const metrics = new GateMetrics(registry, serverFile)
  return observation(registry, observed, metrics, ({ lastRefusal }) => {
    const { path, serial, loadedAt, peers, canaries } = serverFile() ?? {}
    return {
      role: 'gate',
      agent: agent() ?? null,
      serial: serial ?? null,
      lastRefusal,
      serverFile: path === undefined ? null : { path, loadedAt, peers: peers?.size, canaries },
    }
  })
}

/** Observes a proxy, for one agent or several. */
export function observeProxy({ agents, ...observed }: ObservedProxy): Observation {
  const registry = registryFor('proxy', observed.version)
  const metrics = new ProxyMetrics(registry, agents)
  return observation(registry, observed, metrics, ({ lastRefusal }) => ({
    role: 'proxy',
    lastRefusal,
    agents: agents().map(({ lastSuccessAt, clockSeconds, ...rest }) => ({
      ...rest,
      lastSuccessAt: lastSuccessAt ?? null,
      clockSeconds: clockSeconds ?? null,
    })),
  }))
}

function registryFor(role: 'gate' | 'proxy', version: string): MetricRegistry {
  const registry = new MetricRegistry(`a2a_totp_${role}_`)
  registry.info({ name: 'build', help: 'The version of a2a-totp that runs.' }, { version })
  return registry
}

interface Remembered {
  /** The last file that could not be used. */
  readonly lastRefusal: object | null
}

function observation(
  registry: MetricRegistry,
  { log, version, now = () => new Date() }: Observed,
  metrics: Pick<Observation, 'call' | 'event'>,
  status: (remembered: Remembered) => object,
): Observation {
  const calls = new CallMetrics(registry)
  const startedAt = now()
  let lastRefusal: object | null = null
  let draining = false
  return {
    call(call) {
      calls.call(call)
      metrics.call(call)
      log.call(call)
    },
    event(event) {
      metrics.event(event)
      lastRefusal = refusalOf(event) ?? lastRefusal
      if (event.type === 'draining') draining = true
      log.event(event)
    },
    opened: (role) => calls.opened(role),
    metrics: () => registry.render(),
    status: () => ({ ...status({ lastRefusal }), version, startedAt, draining, openCalls: calls.open }),
  }
}

/** What `/status` says of a file that could not be used. */
function refusalOf(event: Event): object | undefined {
  if (event.type !== 'server_file_refused' && event.type !== 'credentials_refused') return undefined
  const { at, code, message } = event
  return { at, code, message, ...('path' in event && { path: event.path }) }
}
