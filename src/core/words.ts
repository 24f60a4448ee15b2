import { TOTPError } from './errors.js'

type Word = string | number

/** A rule that allows a few words, or numbers. `expected` completes "must be". */
export interface WordRule<W extends Word> {
  readonly allows: (value: unknown) => value is W
  readonly expected: string
}

export function oneOf<const W extends Word>(words: readonly W[]): WordRule<W> {
  return {
    allows: (value): value is W => words.some((word) => word === value),
    expected: words.length === 2 ? words.join(' or ') : `one of ${words.join(', ')}`,
  }
}

/**
 * Returns a value that a rule allows.
 *
 * @param what where the value is, for the message
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for any other value
 */
export function parseWord<W extends Word>(
  what: string,
  { allows, expected }: WordRule<W>,
  value: unknown,
): W {
  if (allows(value)) return value
  throw new TOTPError('ERR_CONFIG_INVALID', `${what} must be ${expected}`)
}
