import { listenMixed, type MixedListener, type MixedOptions } from '../../src/service/mixed-listener.js'
import { UpstreamError, type Upstream } from '../../src/sidecar/forward/exchange.js'
import { readHead } from '../../src/sidecar/forward/head.js'
import {
  answerJson,
  callOver,
  contentOf,
  passOn,
  trailersOf,
  type PassedOn,
} from '../../src/sidecar/forward/pass-on.js'

/** What became of the calls of a {@link plainProxy}. */
export interface PlainProxy extends MixedListener {
  readonly port: number
  readonly ends: (PassedOn | UpstreamError['kind'])[]
}

/** A proxy of nothing but the forwarding engine: it adds nothing and demands nothing. */
export async function plainProxy(upstream: Upstream, options: MixedOptions = {}): Promise<PlainProxy> {
  const ends: PlainProxy['ends'] = []
  const listener = await listenMixed(
    { host: '127.0.0.1', port: 0 },
    (req, res) => {
      const head = readHead(req)
      if ('refused' in head) {
        answerJson(res, 400, 'INVALID_ARGUMENT', head.why)
        return
      }
      const { method, target, fields } = head
      upstream
        .send({ method, target, fields, content: contentOf(req), trailers: trailersOf(req) }, callOver(res))
        .then((answer) => passOn(answer, res))
        .then((end) => void ends.push(end))
        .catch((error: unknown) => {
          ends.push(error instanceof UpstreamError ? error.kind : 'left')
          answerJson(res, 502, 'UNAVAILABLE', (error as Error).message)
        })
    },
    options,
  )
  return Object.assign(listener, { ends, port: Number(listener.address.split(':')[1]) })
}
