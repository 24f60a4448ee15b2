/** Replay protection and throttling: the interface of a state, and the state for one process. */
export {
  defaultBudgets,
  defaultRisk,
  guessesADay,
  limitsFor,
  riskOf,
  type Budget,
  type GuessedProfile,
} from './budgets.js'
export type { Failure } from './failure.js'
export type { Attempt, Decision, Comparison, LateCode, SpentProof, State } from './state.js'
export { memoryState, type MemoryState, type MemoryStateOptions } from './memory-state.js'
export type { StrangerLimitOptions } from './stranger-limit.js'
