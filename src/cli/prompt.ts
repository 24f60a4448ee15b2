import type { CliStream } from './output.js'

/** A terminal to ask at: what is typed comes from `stdin`, the question goes to stderr. */
export interface Asking {
  readonly stdin: NodeJS.ReadableStream
  readonly stderr: CliStream
  readonly signal: AbortSignal
  /** Keeps what is typed off the screen. */
  readonly hidden?: boolean
}

/** Asks a person one question and gives the line that was typed: an empty one for Ctrl-D. */
export async function ask(
  question: string,
  { stdin, stderr, signal, hidden = false }: Asking,
): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const { Writable } = await import('node:stream')
  const screen = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!hidden) stderr.write(chunk.toString())
      done()
    },
  })
  if (hidden) stderr.write(question)
  const reader = createInterface({
    input: stdin,
    output: Object.assign(screen, { columns: stderr.columns }),
    terminal: true,
  })
  // A terminal in raw mode sends Ctrl-C to the reader, not to the process.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const closed = new Promise<string>((done) => reader.once('close', () => done('')))
  const typed = reader.question(hidden ? '' : question, { signal }).catch((error: unknown) => {
    if (signal.aborted) throw error
    return ''
  })
  try {
    return await Promise.race([typed, closed])
  } finally {
    reader.close()
    if (hidden) stderr.write('\n')
  }
}
