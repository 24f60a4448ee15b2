import type { Answer } from '../wire/answer.js'
import type { FieldLine } from '../wire/raw-answer.js'
import type { Operation } from './operation.js'

/** What a request of a cell takes: the one connection that carries the valid calls, or one of those beside it. */
export type Connection = 'of-valid-calls' | 'beside'

/** Sends operations to one cell and reads the answers, whatever the cell's binding. */
export interface Binding {
  /** Whether the binding can carry these field lines as they are. */
  carries(fields: readonly FieldLine[]): boolean
  send(connection: Connection, operation: Operation, fields: readonly FieldLine[]): Promise<Answer>
}
