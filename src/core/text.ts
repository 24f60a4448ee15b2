/**
 * Makes text from outside (names, notes, folders, an agent's answers) safe for a terminal, a log or a report: one line,
 * without control, bidirectional or invisible characters, and without commands to a CI runner. GitHub Actions obeys
 * `::command::` and `##[command]`, Azure Pipelines `##vso[…]`, TeamCity `##teamcity[…]`, some of them anywhere in a
 * line, so each gets a space.
 *
 * Idempotent. The colons of an IPv6 address in brackets, like `[::1]`, are kept.
 */
export function printable(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(commandMark, breakMark)
    .trim()
}

/**
 * Returns JSON that is as safe to print as {@link printable} text. Characters are escaped as `\uXXXX` rather than
 * replaced, so parsing it returns every value unchanged.
 *
 * @param indent spaces per level; 0 writes one line
 */
export function jsonText(value: unknown, indent = 0): string {
  // A raw line break can only come from the indentation.
  const json = JSON.stringify(value, null, indent).replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, escapeAll)
  return escapeCommands(json, escapeAll)
}

/**
 * Escapes what makes a command to a CI runner, and nothing else, for formats with an escape of their own.
 *
 * @param escape how the format writes a character
 */
export function escapeCommands(text: string, escape: (character: string) => string): string {
  return text.replace(commandMark, (mark) => (mark.startsWith('[') ? mark : escape(mark)))
}

/** Makes a URL as safe as {@link printable} text by percent-encoding, so that it is the same URL when it is decoded. */
export function printableUrl(url: string): string {
  return escapeCommands(url.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, percentEncoded), percentEncoded)
}

/**
 * A colon before a colon, or a number sign before another, a word and a bracket. An address in brackets is matched as a
 * whole, so that nothing inside it is.
 */
const commandMark = /\[[\da-f.]*(?::[\da-f.]+)*::[\da-f.]*(?::[\da-f.]+)*\]|:(?=:)|#(?=#\w*\[)/gi

const breakMark = (mark: string): string => (mark.startsWith('[') ? mark : `${mark} `)

function escapeAll(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}

/** As UTF-8; half a surrogate pair as the replacement character. */
function percentEncoded(character: string): string {
  const bytes = Array.from(new TextEncoder().encode(character))
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** `alice, bob, carol and 7 more`: the first of some texts, and how many are left out. One more is named instead of counted. */
export function listSome(texts: readonly string[], most = 10): string {
  const more = texts.length - most
  return more <= 1 ? texts.join(', ') : `${texts.slice(0, most).join(', ')} and ${more} more`
}

/** A number with its noun: `1 peer`, `2 peers`, `2 entries`. */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`
