import type { Answer } from '../wire/answers.js'
import type { FieldLine } from '../wire/outcome.js'
import type { Operation } from './binding.js'

/** Which of a cell's two connections a request takes: the one that the valid calls come by, or the one beside. */
export type Lane = 'valid-connection' | 'other-connection'

/** Sends an operation to one cell, by whatever binding, and reads the answer. */
export interface Caller {
  /** Whether the binding can carry these field lines as they are. */
  carries(fields: readonly FieldLine[]): boolean
  call(lane: Lane, operation: Operation, fields: readonly FieldLine[]): Promise<Answer>
}
