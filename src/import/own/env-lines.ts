/** `NAME=value`, also after `export`, `-e`, `$env:` or systemd's `Environment=`, and as an item of a YAML list. */
const assignment = /^\s*(?:-\s+["']?|export\s+|-e\s+|\$env:|Environment=["']?)?(A2A_TOTP_[A-Z_]+)\s*=(.*)$/s

// No expression here may try again from each of many spaces or quotes: a line can be as long as the file.

/** Returns whether a line of a text sets one of our variables. */
export function hasAssignment(text: string): boolean {
  return text.split(/\r\n|\n|\r/).some((line) => assignment.test(line))
}

/** Returns the variables that the lines of a text set. The last of a name wins, as in a shell. */
export function variablesIn(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, name, given = ''] = assignment.exec(line) ?? []
    if (name !== undefined) variables.set(name, unquoted(given.trim()))
  }
  return variables
}

/** As a shell and dotenv read what we write: in quotes, or up to a comment. */
function unquoted(given: string): string {
  const [, quote, inner = ''] = /^(["'])(.*?)\1/.exec(given) ?? []
  if (quote !== undefined) return quote === '"' ? inner.replace(/\\(["\\$`])/g, '$1') : inner
  return given.replace(/(?<!\s)\s+#.*$/s, '').replace(/(?<!["';])["';]+$/, '')
}

/** The name of the peer that the comments of our fragments have: `What "alice" needs to call agent "billing"`. */
export function peerInComments(text: string): string | undefined {
  return /^[ \t]*#.*\bWhat "([^"\n]+)" needs to call agent "/m.exec(text)?.[1]
}
