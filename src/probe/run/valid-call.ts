import type { FieldLine } from '../wire/raw-answer.js'
import type { Attempt } from './exchange.js'

/** A call with right credentials. */
export const validCall = (label: string, fields: readonly FieldLine[]): Attempt => ({
  check: 'auth.valid',
  label,
  operation: 'get',
  fields,
})
