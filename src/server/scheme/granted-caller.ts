import type { TOTPError } from '../../core/errors.js'
import type { Grant, Leases, Tied } from './leases.js'
import { Caller, type CallerFacts } from './outcome.js'

/**
 * A caller that a scheme let in. What it was let in with is private, so that it is neither printed nor serialised. The
 * signal is a getter of the prototype, and is made when it is first read: most requests never ask for it.
 */
export class GrantedCaller extends Caller {
  // Declared: fields of a class would be made twice for each request, and `agent` also where it is not known.
  declare readonly peer: string
  declare readonly seedId: string
  declare readonly timeStep: number
  declare readonly drift: number
  declare readonly agent?: string
  declare readonly proof: 'code' | 'signed' | 'signed-head'
  declare readonly claims: Readonly<Record<string, unknown>>
  readonly #grant: Grant
  readonly #leases: Leases
  #signal: AbortSignal | undefined

  constructor(
    {
      peer,
      seedId,
      timeStep,
      drift,
      agent,
      proof,
      claims,
    }: Omit<CallerFacts, 'agent'> & {
      readonly agent: string | undefined
    },
    grant: Grant,
    leases: Leases,
  ) {
    super()
    this.peer = peer
    this.seedId = seedId
    this.timeStep = timeStep
    this.drift = drift
    if (agent !== undefined) this.agent = agent
    this.proof = proof
    this.claims = claims
    this.#grant = grant
    this.#leases = leases
  }

  get signal(): AbortSignal {
    return (this.#signal ??= signalOf(this.#grant, this.#leases))
  }

  /** Ties what is open to a caller's credentials. Returns how to release it; undefined for a caller of another class. */
  static tie(caller: Caller, tied: Tied): (() => void) | undefined {
    if (!(#grant in caller)) return undefined
    const leases = caller.#leases
    leases.tie(tied, caller.#grant)
    return () => leases.release(tied)
  }
}

/**
 * Ends what is open together with the credentials of its caller, at once if they have ended already.
 *
 * @returns a function to call when it is over by itself
 */
export function endWithCaller(caller: Caller, tied: Tied): () => void {
  const release = GrantedCaller.tie(caller, tied)
  if (release) return release
  // A scheme that was wrapped may return a caller of its own, with a signal of its own or, in JavaScript, without one.
  const signal = caller.signal as AbortSignal | undefined
  if (typeof signal?.addEventListener !== 'function') return () => undefined
  const end = (): void => tied.end(signal.reason as TOTPError)
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return () => signal.removeEventListener('abort', end)
}

/** A controller lives as long as its signal does, and nothing here keeps that alive. */
const controllers = new WeakMap<AbortSignal, AbortController>()
const released = new FinalizationRegistry<() => void>((release) => release())

function signalOf(grant: Grant, leases: Leases): AbortSignal {
  const controller = new AbortController()
  const { signal } = controller
  controllers.set(signal, controller)
  tieSignal(new WeakRef(signal), grant, leases)
  return signal
}

/** A function of its own: its closures would keep every variable around them alive. */
function tieSignal(ref: WeakRef<AbortSignal>, grant: Grant, leases: Leases): void {
  const tied: Tied = {
    end: (reason) => {
      const signal = ref.deref()
      if (signal) controllers.get(signal)?.abort(reason)
    },
    isOver: () => ref.deref() === undefined,
  }
  const signal = ref.deref()
  if (signal) released.register(signal, () => leases.release(tied))
  leases.tie(tied, grant)
}
