import type { Observer } from '../../src/sidecar/sidecar.js'

/** For a sidecar that nobody observes. */
export const unobserved: Observer = {
  call: () => undefined,
  event: () => undefined,
  opened: () => () => undefined,
}
