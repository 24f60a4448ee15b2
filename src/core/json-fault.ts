/** Where a text breaks the grammar of JSON (RFC 8259), or repeats a key. Contains nothing of the text. */
export interface JsonFault {
  readonly kind: 'syntax' | 'repeated-key'
  /** From 1. Lines end with LF, CR LF or CR. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** What would be right there: `, or }`. */
  readonly expected: string
}

/**
 * Returns the first fault of a text; undefined if it is JSON in which no object repeats a key. Needed because the
 * messages of `JSON.parse` quote the text around the fault, which may be a secret, and name its place only sometimes.
 *
 * Does not recurse, so that no depth exhausts the stack.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    new Scanner(text).scan()
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { kind: error.kind, ...positionOf(text, error.at), expected: error.message }
  }
}

class Fault extends Error {
  constructor(
    readonly at: number,
    expected: string,
    readonly kind: JsonFault['kind'] = 'syntax',
  ) {
    super(expected)
  }
}

/** What is open around a value: an array, or an object with the keys so far. */
type Open = 'array' | Map<string, number>

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  scan(): void {
    const open: Open[] = []
    this.#skipSpace()
    for (;;) {
      if (this.#value(open)) continue
      // A value has ended, and with it perhaps what is around it.
      for (;;) {
        this.#skipSpace()
        const around = open.at(-1)
        if (around === undefined) {
          if (this.#at < this.#text.length) throw this.#fault('the end of the file')
          return
        }
        const closing = around === 'array' ? ']' : '}'
        if (this.#take(',')) {
          this.#skipSpace()
          if (around === 'array') this.#refuse(']', 'a value, since a comma may not be last')
          else this.#key(around, 'a key in double quotes')
          break
        }
        if (!this.#take(closing)) throw this.#fault(`, or ${closing}`)
        open.pop()
      }
    }
  }

  /** Returns whether it is an array or an object with something in it, whose first value is next. */
  #value(open: Open[]): boolean {
    const first = this.#text[this.#at]
    if (first === '{') {
      this.#at++
      this.#skipSpace()
      if (this.#take('}')) return false
      const keys = new Map<string, number>()
      this.#key(keys, 'a key in double quotes, or }')
      open.push(keys)
      return true
    }
    if (first === '[') {
      this.#at++
      this.#skipSpace()
      if (this.#take(']')) return false
      open.push('array')
      return true
    }
    if (first === '"') this.#string()
    else if (first !== undefined && /[-0-9]/.test(first)) this.#number()
    else if (!['true', 'false', 'null'].some((word) => this.#take(word))) throw this.#fault('a value')
    return false
  }

  #key(keys: Map<string, number>, expected: string): void {
    if (this.#text[this.#at] === '}') throw this.#fault(`${expected}, since a comma may not be last`)
    if (this.#text[this.#at] !== '"') throw this.#fault(expected)
    const start = this.#at
    this.#string()
    const written = this.#text.slice(start + 1, this.#at - 1)
    const key = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
    const earlier = keys.get(key)
    if (earlier !== undefined) {
      const { line } = positionOf(this.#text, earlier)
      throw new Fault(start, `another key, since this one is in line ${line} already`, 'repeated-key')
    }
    keys.set(key, start)
    this.#skipSpace()
    if (!this.#take(':')) throw this.#fault(':')
    this.#skipSpace()
  }

  #string(): void {
    this.#at++
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x22) break
      // NaN at the end.
      if (!(code >= 0x20)) {
        if (code === 0x09) throw this.#fault('\\t in place of a tab')
        throw Number.isNaN(code) || code === 0x0a || code === 0x0d
          ? this.#fault('" at the end of the string')
          : this.#fault('an escape such as \\u0000 in place of a control character')
      }
      this.#at++
      if (code === 0x5c) this.#escape()
    }
    this.#at++
  }

  /** What follows a backslash. */
  #escape(): void {
    const letter = this.#text[this.#at]
    if (letter === undefined || !'"\\/bfnrtu'.includes(letter)) throw this.#fault('one of " \\ / b f n r t u')
    this.#at++
    if (letter !== 'u') return
    for (const end = this.#at + 4; this.#at < end; this.#at++)
      if (!/[0-9a-f]/i.test(this.#text[this.#at] ?? '')) throw this.#fault('four hex digits')
  }

  #number(): void {
    this.#take('-')
    if (!this.#take('0')) this.#digits()
    if (this.#take('.')) this.#digits()
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-')
      this.#digits()
    }
  }

  #digits(): void {
    const from = this.#at
    while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++
    if (this.#at === from) throw this.#fault('a digit')
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #refuse(word: string, expected: string): void {
    if (this.#text.startsWith(word, this.#at)) throw this.#fault(expected)
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  /** At the next character. Names usual mistakes, by their kind. */
  #fault(expected: string): Fault {
    const rest = this.#text.slice(this.#at, this.#at + 2)
    if (rest === '') return new Fault(this.#at, `${expected}, but the file ends here`)
    const comment = rest.startsWith('#') || rest === '//' || rest === '/*'
    const note = comment
      ? '; JSON has no comments'
      : /^['‘’“”]/.test(rest)
        ? '; JSON has " as its only quotes'
        : rest.startsWith('\uFEFF')
          ? ', but there is a byte order mark; save the file as UTF-8 without one'
          : ''
    return new Fault(this.#at, expected + note)
  }
}

function positionOf(text: string, at: number): Pick<JsonFault, 'line' | 'column'> {
  const lines = text.slice(0, at).split(/\r\n|\n|\r/)
  return { line: lines.length, column: Array.from(lines.at(-1) ?? '').length + 1 }
}
