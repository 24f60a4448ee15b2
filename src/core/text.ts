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
  return JSON.stringify(value, null, indent)
    .replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, escapeAll)
    .replace(commandMark, escapeFirst)
}

/**
 * A colon before a colon, or a number sign before another, a word and a bracket. An address in brackets is matched as a
 * whole, so that nothing inside it is.
 */
const commandMark = /\[[\da-f.]*(?::[\da-f.]+)*::[\da-f.]*(?::[\da-f.]+)*\]|:(?=:)|#(?=#\w*\[)/gi

const breakMark = (mark: string): string => (mark.startsWith('[') ? mark : `${mark} `)

const escapeFirst = (mark: string): string => (mark.startsWith('[') ? mark : escapeAll(mark))

function escapeAll(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
