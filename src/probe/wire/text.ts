/** The longest text of an agent that a report contains. */
const longest = 300

/** Cuts a text that would swamp a report, but not in a number: what is left of a code is not recognised as one. */
export function shortened(text: string, limit: number = longest): string {
  if (text.length <= limit) return text
  const isInNumber = /\d/.test(text.charAt(limit))
  return `${isInNumber ? text.slice(0, limit).replace(/\d+$/, '') : text.slice(0, limit)}...`
}
