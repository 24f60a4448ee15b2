/** Replay protection and throttle: what a guard promises, and the guard for one process. */
export { defaultBudgets, type Budget } from './budgets.js'
export type { Attempt, Decision, Finding, Guard } from './state.js'
export { memoryGuard, type MemoryGuard, type MemoryGuardOptions } from './memory-state.js'
export type { StrangerLimitOptions } from './stranger-limit.js'
