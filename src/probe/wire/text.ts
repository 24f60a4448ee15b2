/** The longest text of an agent that a report contains. */
const longest = 300

/** Cuts a text that would swamp a report. */
export function shortened(text: string, limit: number = longest): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`
}
