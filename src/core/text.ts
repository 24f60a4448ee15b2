/**
 * Text from outside (names, notes, folders, what an agent answers), made harmless for a terminal, a log or a report:
 * one line, no control, direction or invisible characters, and nothing that a CI runner obeys. GitHub Actions reads
 * `::command::` and `##[command]`, Azure Pipelines `##vso[…]`, TeamCity `##teamcity[…]`, some of them anywhere in a
 * line, so a space is put into each.
 *
 * The same text again returns itself. A colon pair in an IPv6 address in brackets, like `[::1]`, stays.
 */
export function printable(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(commandMark, breakMark)
    .trim()
}

/**
 * JSON that is as harmless to look at as {@link printable} text. Characters are escaped as `\uXXXX` and not replaced,
 * so a reader gets back every value as it was.
 *
 * @param indent spaces for each level; none writes one line
 */
export function jsonText(value: unknown, indent = 0): string {
  // A raw line break can only be one of the indentation.
  return JSON.stringify(value, null, indent)
    .replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, escapeAll)
    .replace(commandMark, escapeFirst)
}

/**
 * A colon that another follows, or a number sign before another, a word and a bracket. An address in brackets is
 * matched whole, so that what is in it is not.
 */
const commandMark = /\[[\da-f.]*(?::[\da-f.]+)*::[\da-f.]*(?::[\da-f.]+)*\]|:(?=:)|#(?=#\w*\[)/gi

const breakMark = (mark: string): string => (mark.startsWith('[') ? mark : `${mark} `)

const escapeFirst = (mark: string): string => (mark.startsWith('[') ? mark : escapeAll(mark))

function escapeAll(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }).join('')
}
