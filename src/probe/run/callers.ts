import type { Cell } from '../target/cells.js'
import type { FieldLine } from '../wire/raw-answer.js'

/** Whom a request comes from, as a limiter may see it: nobody, an unknown token, or the live one. */
export type Caller = 'nobody' | 'stranger' | 'peer'

/** @param token the live one */
export function callerIn(fields: readonly FieldLine[], token: string): Caller {
  const tokens = fields.filter(([name]) => name.toLowerCase() === 'authorization')
  if (tokens.length === 0) return 'nobody'
  return tokens.some(([, value]) => value.includes(token)) ? 'peer' : 'stranger'
}

/** A caller of one cell, or of the card. */
export const keyOf = (cell: Cell | null, caller: Caller): string =>
  `${cell === null ? 'card' : [cell.binding, cell.protocol, cell.url.href, cell.tenant].join(' ')} ${caller}`
