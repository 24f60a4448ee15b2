/** `NAME=value`, also after `export`, `-e`, `$env:` or systemd's `Environment=`, and as an item of a YAML list. */
const assignment = /^\s*(?:-\s+["']?|export\s+|-e\s+|\$env:|Environment=["']?)?(A2A_TOTP_[A-Z_]+)\s*=(.*)$/s

// No expression here may try again from each of many spaces or quotes: a line can be as long as the file.

/** Returns whether a line of a text sets one of our variables. */
export function hasAssignment(text: string): boolean {
  return text.split(/\r\n|\n|\r/).some((line) => assignment.test(line))
}

/** The variables of a fragment, as a text sets them. */
export class Variables {
  readonly #values = new Map<string, string>()
  readonly #first = new Map<string, string>()
  readonly #several = new Set<string>()

  constructor(given: Iterable<readonly [name: string, value: string]> = []) {
    for (const [name, value] of given) this.set(name, value)
  }

  /** The last value of a name wins, as in a shell. */
  set(name: string, value: string): void {
    this.#values.set(name, value)
    if (value === '') return
    const first = this.#first.get(name) ?? value
    this.#first.set(name, first)
    if (value !== first) this.#several.add(name)
  }

  /** Undefined for an empty one, which counts as missing. */
  get(name: string): string | undefined {
    const value = this.#values.get(name)
    return value === '' ? undefined : value
  }

  all(): Record<string, string> {
    return Object.fromEntries(this.#values)
  }

  values(): string[] {
    return [...this.#values.values()]
  }

  /** Whether a variable was set to different values: which of them belongs to those of the others is not known. */
  hasSeveral(name: string): boolean {
    return this.#several.has(name)
  }
}

/** Returns the variables that the lines of a text set, with those that were given. */
export function variablesIn(text: string, variables = new Variables()): Variables {
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

/**
 * The name of the peer that the comments of our fragments have: `What "alice" needs to call agent "billing"`. Undefined
 * where they have several.
 */
export function peerInComments(text: string): string | undefined {
  const comments = text.matchAll(/^[ \t]*#.*\bWhat "([^"\n]+)" needs to call agent "/gm)
  const [name, other] = new Set(Array.from(comments, ([, one]) => one))
  return other === undefined ? name : undefined
}
