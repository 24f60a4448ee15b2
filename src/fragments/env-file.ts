import { TOTPError } from '../core/errors.js'
import { printableUrl } from '../core/text.js'
import { comments } from './comments.js'

/** Read the same by a shell, by dotenv and by `docker --env-file`, which keeps quotes as part of the value. */
const bare = /^[A-Za-z0-9_.:/@%+,=-]+$/

/** Shells and dotenv read backslashes differently, and control characters end a line in some parsers. */
const unwritable = /[\p{Cc}\\]/u

/** What a shell expands inside double quotes, and what ends them. */
const liveInDoubleQuotes = /["$`]/

/**
 * Returns a value as `sh` and dotenv parsers both read it; undefined when there is no such spelling.
 *
 * A plain value is not quoted. Any other is in single quotes, where nothing is expanded. One that contains a single
 * quote is in double quotes, provided that nothing in it is special there.
 */
function quoted(value: string): string | undefined {
  if (bare.test(value)) return value
  if (unwritable.test(value)) return undefined
  if (!value.includes("'")) return `'${value}'`
  return liveInDoubleQuotes.test(value) ? undefined : `"${value}"`
}

/**
 * Returns one line of an env file.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for a value that shells and dotenv read differently, however it is quoted.
 *   The message contains only the name of the variable.
 */
export function assignment(variable: string, value: string): string {
  const spelling = quoted(value)
  if (spelling !== undefined) return `${variable}=${spelling}`
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `${variable} contains characters that shells and dotenv read differently; use --format json`,
  )
}

/** Returns a URL that {@link assignment} accepts and that is safe to print: what is not is percent-encoded. */
export function writableUrl(given: string): string {
  const url = printableUrl(given)
  return quoted(url) === undefined ? url.replace(/['\\]/g, (character) => `%${hexOf(character)}`) : url
}

/** Returns an env file: comments, then the variables. */
export function envFile(lines: readonly string[], variables: Readonly<Record<string, string>>): string {
  const assignments = Object.entries(variables).map(([variable, value]) => `${assignment(variable, value)}\n`)
  return comments(lines) + assignments.join('')
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}
