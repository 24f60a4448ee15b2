import type { LabelValues, MetricRegistry } from '../../service/metric-registry.js'
import { ownReasons, type ListenerRole, type SidecarCall } from '../sidecar.js'

/** The codes of gRPC, by name. */
const grpcStatuses = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
]

const isStatus: LabelValues = (status) => /^[1-5]\d\d$/.test(status) || grpcStatuses.includes(status)

const roles = ['proxy', 'gate', 'authz', 'authz-grpc'] as const satisfies ListenerRole[]

/** How many calls are measured alike in both sidecars. */
export class CallMetrics {
  readonly #requests
  readonly #own
  readonly #cut
  readonly #open
  readonly #upstream

  constructor(registry: MetricRegistry) {
    this.#requests = registry.counter(
      { name: 'requests', help: 'Finished calls, by the status that the client got.' },
      { role: roles, status: isStatus },
    )
    this.#own = registry.counter(
      { name: 'own_answers', help: 'Calls that the sidecar itself refused or ended, by the reason.' },
      { role: roles, reason: ownReasons },
    )
    this.#cut = registry.counter(
      { name: 'cut_answers', help: 'Answers that ended before they were whole, on either side.' },
      { role: roles },
    )
    this.#open = registry.gauge(
      { name: 'open_calls', help: 'Calls that are passed on and have not ended yet, streams included.' },
      { role: roles },
    )
    this.#upstream = registry.histogram(
      {
        name: 'upstream_seconds',
        unit: 'seconds',
        help: 'From the head of a request on its way to the head of the answer.',
      },
      { role: roles },
    )
  }

  call({ role, status, own, upstreamMs }: SidecarCall): void {
    const [code = ''] = status.split(' ', 1)
    this.#requests.add({ role, status: code })
    if (code !== status) this.#cut.add({ role })
    if (own !== undefined) this.#own.add({ role, reason: own })
    if (upstreamMs !== undefined) this.#upstream.observe({ role }, upstreamMs / 1000)
  }

  /** Calls that have not ended. */
  open = 0

  opened(role: SidecarCall['role']): () => void {
    let isOpen = true
    const change = (by: 1 | -1): void => {
      this.open += by
      this.#open.add({ role }, by)
    }
    change(1)
    return () => {
      if (isOpen) change(-1)
      isOpen = false
    }
  }
}

/** Seconds since 1970. */
export const secondsOf = (at: Date): number => at.getTime() / 1000
