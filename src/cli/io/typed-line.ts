/** What a key press completes: a line, the end of input, or a signal. */
export type Typed =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }

const signalKeys: Readonly<Record<string, NodeJS.Signals>> = {
  '\x03': 'SIGINT',
  '\x1a': 'SIGTSTP',
  '\x1c': 'SIGQUIT',
}

const editKeys: Readonly<Record<string, (line: string) => string>> = {
  '\b': withoutLast,
  '\x7f': withoutLast,
  '\x15': () => '',
  '\x17': (line) => line.replace(/\S*\s*$/, ''),
}

const escape = '\x1b'
/** Arrows and function keys (ECMA-48 §5.4). */
const escapeSequence = new RegExp(`${escape}(?:\\[[0-?]*[ -/]*[@-~]|O?[ -~])?`, 'g')

/**
 * A line as it is typed. In raw mode the program handles what the terminal handles otherwise: Backspace, Ctrl-U, Ctrl-W,
 * Ctrl-D and the keys that send a signal.
 */
export class TypedLine {
  readonly #decoder = new TextDecoder()
  #line = ''

  /** Adds typed bytes up to the first key that completes something; the rest is dropped. */
  add(chunk: Uint8Array): Typed | undefined {
    const text = this.#decoder.decode(chunk, { stream: true }).replace(escapeSequence, '')
    for (const character of text) {
      const signal = signalKeys[character]
      if (signal) return { kind: 'signal', signal }
      if (character === '\r' || character === '\n') return { kind: 'line', line: this.#line }
      if (character === '\x04' && this.#line === '') return { kind: 'end' }
      const edit = editKeys[character]
      if (edit) this.#line = edit(this.#line)
      else if (character >= ' ' || character === '\t') this.#line += character
    }
    return undefined
  }
}

function withoutLast(line: string): string {
  return line.replace(/.$/su, '')
}
