import { alignedBase64 } from '../../../core/base64.js'
import type { Seed } from '../../../core/seed.js'
import { printable } from '../../../core/text.js'

/** Pieces of a secret that are as long as this are recognised, so that one that is broken over lines is as well. */
const pieceLength = 8

const mostShown = 4000

/** Makes lines of a program safe to show: printable, and without secrets or their usual encodings. */
export class MaskedOutput {
  readonly #pieces = new Set<string>()

  constructor(secrets: { readonly seeds: readonly Seed[]; readonly tokens: readonly string[] }) {
    for (const { base32, bytes } of secrets.seeds) {
      for (const text of [base32, base32.toLowerCase()]) this.#addText(text)
      this.#addBytes(Buffer.from(bytes))
    }
    for (const token of secrets.tokens) this.#addText(token)
  }

  /** Each character of a line that is part of a piece of a secret is replaced. */
  clean(line: string): string {
    const hidden = new Uint8Array(line.length)
    for (let start = 0; start + pieceLength <= line.length; start++) {
      if (this.#pieces.has(line.slice(start, start + pieceLength))) hidden.fill(1, start, start + pieceLength)
    }
    let shown = ''
    for (let index = 0; index < line.length; index++) {
      if (hidden[index] === 0) shown += line[index] ?? ''
      else if (hidden[index - 1] !== 1) shown += '***'
    }
    const text = printable(shown)
    return text.length > mostShown ? `${text.slice(0, mostShown)} (cut)` : text
  }

  #addText(text: string): void {
    this.#addPieces(text)
    this.#addBytes(Buffer.from(text))
  }

  /** In hex, and in base64 wherever they begin in what is encoded. */
  #addBytes(bytes: Buffer): void {
    this.#addPieces(bytes.toString('hex'))
    this.#addPieces(bytes.toString('hex').toUpperCase())
    for (const own of alignedBase64(bytes)) {
      this.#addPieces(own)
      this.#addPieces(own.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }

  #addPieces(text: string): void {
    for (let start = 0; start + pieceLength <= text.length; start++) {
      this.#pieces.add(text.slice(start, start + pieceLength))
    }
  }
}
