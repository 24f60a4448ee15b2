import type { CheckId } from '../check-ids.js'
import type { Cell } from '../target/cells.js'
import type { View } from './diagnosis-view.js'

/** What a rule says about a run. */
export interface Claim {
  /** The sentence, without names of cells and without an address. */
  readonly text: string
  /** The sentence with the names of the cells in it, where it reads better so. */
  readonly about?: (names: string) => string
  /** The cells that it is about; by default the agent as a whole. */
  readonly cells?: readonly Cell[]
  /** Addresses to name, where they are not those of the cells. */
  readonly addresses?: readonly string[]
  /** The checks whose failure it explains. */
  readonly ids: readonly string[]
  /** The check to read about; by default the first one that is explained. */
  readonly explain?: CheckId
}

/** A claim if it holds. */
export type Rule = (view: View) => Claim | undefined

/** What follows where right credentials are not let in. */
export const unshown = ['auth.valid', 'coverage', 'clock', 'reach', 'tls', 'card.fetch']
