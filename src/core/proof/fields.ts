import type { SignedRequest } from './profile.js'

/** Stands for what is no text: no grammar takes it, and no value with it can be covered. */
const unreadable = '\0'

/**
 * The lines of a field. Requests made in plain JavaScript may return a single line as a string, or nothing; anything else
 * is present and unreadable, so that it is refused.
 *
 * @param name in lower case, and one of the profile's: a name from outside could make `header` throw
 */
export function linesOf(request: Pick<SignedRequest, 'header'>, name: string): readonly string[] {
  const given: unknown = request.header(name)
  if (given === undefined || given === null) return []
  const lines: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (lines.length === 1 && typeof lines[0] === 'string') return lines as readonly string[]
  return lines.map((line) => (typeof line === 'string' ? line : unreadable))
}

/** Whether a request has a field, be its value empty or not. */
export function hasField(request: Pick<SignedRequest, 'header'>, name: string): boolean {
  return linesOf(request, name).length > 0
}

/**
 * The value of a field (RFC 9421 §2.1): its lines without whitespace around them, combined. Line folding is not undone:
 * a value with a line break is not covered.
 */
export function combine(lines: readonly string[]): string {
  const [line] = lines
  return lines.length === 1 && line !== undefined ? trim(line) : lines.map(trim).join(', ')
}

/** Removes optional whitespace (RFC 9110 §5.6.3) in linear time, which an expression with `$` does not. */
function trim(line: string): string {
  let begin = 0
  let end = line.length
  while (begin < end && isBlank(line.charCodeAt(begin))) begin++
  while (end > begin && isBlank(line.charCodeAt(end - 1))) end--
  return end - begin === line.length ? line : line.slice(begin, end)
}

const isBlank = (character: number): boolean => character === 0x20 || character === 0x09
