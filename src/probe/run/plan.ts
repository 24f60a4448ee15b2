import type { CardJson } from '../../core/card/shapes.js'
import type { CheckId } from '../check-ids.js'
import type { ProbeCredentials } from '../options.js'
import type { Answer } from '../wire/answer.js'
import type { WrongCodes } from './codes.js'
import type { Attempt } from './exchange.js'
import type { Material } from './material.js'

/** What is known where right credentials are refused everywhere. */
export interface Situation {
  readonly credentials: ProbeCredentials
  readonly cards: readonly CardJson[]
  readonly at: Date
  /** An answer to right credentials. */
  readonly refusal: Answer
}

/** What a run is to send, as the checks ask for it. */
export interface Plan {
  /** The checks that are reported, and those whose requests they judge. */
  readonly performed: ReadonlySet<CheckId>
  /**
   * Requests that should be refused and spend no guess: few before anything succeeded, the many after it. What is sent
   * again after a success is sent before it.
   */
  freeRefusals(stage: 'before-valid' | 'late', material: Material): readonly Attempt[]
  /** Whether anything is sent at the stage `late`. */
  readonly hasLate: boolean
  /** Requests with a wrong code beside the live token: agents count the distinct codes. */
  guesses(material: Material, codes: WrongCodes): readonly Attempt[]
  /** Requests that tell why right credentials are let in nowhere, the likeliest reason first; none is a guess. */
  hypotheses(situation: Situation): readonly Attempt[]
}
