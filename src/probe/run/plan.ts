import type { CardJson } from '../../core/card/shapes.js'
import type { CheckId } from '../check-ids.js'
import type { ProbeCredentials } from '../options.js'
import type { Answer } from '../wire/answer.js'
import type { WrongCodes } from './codes.js'
import type { Attempt } from './exchange.js'
import type { Material } from './material.js'

/** What is known when every cell refuses right credentials. */
export interface Situation {
  readonly credentials: ProbeCredentials
  readonly cards: readonly CardJson[]
  readonly at: Date
  /** An answer to right credentials. */
  readonly refusal: Answer
}

/** The requests that the checks ask a run to send. */
export interface Plan {
  /** The checks that are reported, and those whose requests they judge. */
  readonly performed: ReadonlySet<CheckId>
  /**
   * Requests that should be refused and spend no guess: a few before anything succeeded, many after it. Those that are
   * repeated after a success are among the first.
   */
  freeRefusals(stage: 'before-valid' | 'late', material: Material): readonly Attempt[]
  /** Whether anything is sent at the stage `late`. */
  readonly hasLate: boolean
  /** Requests with a wrong code beside the live token: agents count the distinct codes. */
  guesses(material: Material, codes: WrongCodes): readonly Attempt[]
  /** Requests that explain why no cell lets right credentials in, the likeliest reason first; none is a guess. */
  hypotheses(situation: Situation): readonly Attempt[]
}
