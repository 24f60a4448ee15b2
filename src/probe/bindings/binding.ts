import type { Answer } from '../wire/answer.js'
import type { FieldLine } from '../wire/raw-answer.js'
import type { Operation } from './operation.js'
import type { Misfit, Proof } from './proving.js'

/** What a request of a cell takes: the one connection that carries the valid calls, or one of those beside it. */
export type Connection = 'of-valid-calls' | 'beside'

/** Sends operations to one cell and reads the answers, whatever the cell's binding. */
export interface Binding {
  /** Whether the binding can carry these field lines as they are, and a request with a proof that fits it so. */
  carries(fields: readonly FieldLine[], misfit?: Misfit): boolean
  /** Sends an operation. A proof is made of exactly what is sent. */
  send(
    connection: Connection,
    operation: Operation,
    fields: readonly FieldLine[],
    proof?: Proof,
  ): Promise<Answer>
}
