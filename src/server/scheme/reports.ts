import type { State } from '../../state/state.js'
import { Anomalies } from './anomalies.js'
import { CanaryAlarm } from './canaries.js'
import type { AuthAttempt, Decided } from './decision.js'
import {
  emit,
  emitLater,
  eventBase,
  eventsOf,
  proofObserved,
  type AuthEvent,
  type OnEvent,
} from './events.js'
import type { AuthOutcome } from './outcome.js'
import type { Refusal } from './refusal.js'
import { RefusedProofs, type RefusedProof } from './refused-proofs.js'
import { SecondLooks } from './second-looks.js'
import { isProofReason, shownRefused, type ObservedContent, type ShownProof } from './shown-proof.js'
import { warningListener } from './warnings.js'

/** Reports to the listener what was decided, and what came out of it later. */
export class Reports {
  readonly #onEvent: OnEvent
  readonly #isListenedTo: boolean
  readonly #anomalies = new Anomalies()
  readonly #canaryAlarm = new CanaryAlarm()
  readonly #secondLooks: SecondLooks
  readonly #refusedProofs: RefusedProofs
  #shown: WeakMap<AuthOutcome, ShownProof> | undefined

  /** @param onEvent without one, what should wake somebody becomes a process warning */
  constructor(state: State, onEvent: OnEvent | undefined, now: () => Date) {
    this.#isListenedTo = onEvent !== undefined
    this.#onEvent = onEvent ?? warningListener()
    this.#secondLooks = new SecondLooks(state, this.#onEvent)
    this.#refusedProofs = new RefusedProofs((event) => emit(this.#onEvent, event), now)
  }

  /**
   * Call it as soon as it was decided: the socket may be closed later, and guesses are looked at in the order in which they
   * were counted.
   *
   * @param hasCanaries whether any token is bait
   */
  decided(attempt: AuthAttempt, { outcome, counted }: Decided, hasCanaries: boolean): void {
    const { owner, request, at, canary } = attempt
    if (counted) this.#secondLooks.add(counted, eventBase(request, at))
    // Without a listener of its own, nothing hears of callers.
    if (this.#isListenedTo || outcome.refusal) this.#outcome(attempt, outcome)
    const anomaly = this.#anomalies.observe(attempt, outcome)
    if (anomaly) emitLater(this.#onEvent, () => anomaly)
    if (owner.peer || !hasCanaries) return
    // For every unknown token, so that a canary does not take longer.
    const base = eventBase(request, at)
    emitLater(this.#onEvent, () => canary && this.#canaryAlarm.raise(canary, base))
  }

  /** The content of a request that was let in turned out to be another one: it is refused. */
  otherContent(attempt: AuthAttempt, refusal: Refusal): void {
    this.#outcome(attempt, { refusal })
  }

  /** Under `observe`: what would have refused a request that was let in. */
  observed({ owner, request, at }: AuthAttempt, seen: ObservedContent): void {
    if (owner.peer) emit(this.#onEvent, proofObserved(owner.peer.name, seen, eventBase(request, at)))
  }

  /** From now on {@link Reports.shownIn} can be asked. Each decision takes a twentieth longer, which few need. */
  keepShown(): void {
    this.#shown ??= new WeakMap()
  }

  /** What the event of an outcome says of the proof; nothing where there was none. */
  shownIn(outcome: AuthOutcome): ShownProof {
    const reason = outcome.refusal?.reason ?? ''
    return isProofReason(reason) ? shownRefused(reason) : (this.#shown?.get(outcome) ?? {})
  }

  /** Reports what is held back. */
  close(): void {
    this.#refusedProofs.close()
  }

  #outcome({ owner, proof, request, at }: AuthAttempt, outcome: AuthOutcome): void {
    const shown = shownOf(owner, proof)
    this.#shown?.set(outcome, shown)
    for (const event of eventsOf(outcome, request, at, shown)) {
      if (isRefusedProof(event)) this.#refusedProofs.add(event)
      else emit(this.#onEvent, event)
    }
  }
}

/** Nothing under `off`, where nobody asks what a proof is worth. */
function shownOf({ peer }: AuthAttempt['owner'], proof: AuthAttempt['proof']): ShownProof {
  if (!peer || peer.signed === 'off' || !proof) return {}
  return { proof: proof.kind, ...(proof.kind === 'invalid' && { proofReason: proof.reason }) }
}

function isRefusedProof(event: AuthEvent): event is RefusedProof {
  return 'reason' in event && event.peer !== undefined && isProofReason(event.reason)
}
