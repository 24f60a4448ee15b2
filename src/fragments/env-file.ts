import { TOTPError } from '../core/errors.js'
import { comments } from './comments.js'

/** Read the same by a shell, by dotenv and by `docker --env-file`, which takes quotes for a part of the value. */
const bare = /^[A-Za-z0-9_.:/@%+,=-]+$/

/** Backslashes end a shell's word but not dotenv's, and control characters end a line somewhere. */
const unwritable = /[\p{Cc}\\]/u

/** What a shell still expands inside double quotes, and what ends them. */
const liveInDoubleQuotes = /["$`]/

/**
 * A value as it stands in an env file that `sh` and dotenv parsers read the same; undefined when there is no
 * such spelling.
 *
 * A plain value stands bare. Any other goes in single quotes, where nothing is expanded; one with a single quote
 * in it goes in double quotes, provided that nothing in it means anything there.
 */
function quoted(value: string): string | undefined {
  if (bare.test(value)) return value
  if (unwritable.test(value)) return undefined
  if (!value.includes("'")) return `'${value}'`
  return liveInDoubleQuotes.test(value) ? undefined : `"${value}"`
}

/**
 * One line of an env file.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a value that shells and dotenv would not read the same however
 *   it is quoted. The message names the variable only.
 */
export function assignment(variable: string, value: string): string {
  const spelling = quoted(value)
  if (spelling !== undefined) return `${variable}=${spelling}`
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `${variable} has characters that shells and dotenv read differently; use --format json`,
  )
}

/** A URL that {@link assignment} takes: where it has to be, its quotes, backslashes and controls are encoded. */
export function writableUrl(url: string): string {
  if (quoted(url) !== undefined) return url
  return url.replace(/['\\\p{Cc}]/gu, (character) => `%${hexOf(character)}`)
}

/** A whole env file: what it is in comments, then the variables. */
export function envFile(lines: readonly string[], variables: Readonly<Record<string, string>>): string {
  const assignments = Object.entries(variables).map(([variable, value]) => `${assignment(variable, value)}\n`)
  return comments(lines) + assignments.join('')
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}
