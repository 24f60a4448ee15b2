import { createHash, timingSafeEqual } from 'node:crypto'

/** The field in which a front shows that it is one, where others can reach the listener. */
export const frontTokenField = 'TotpAuthzToken'

/** The token that fronts send. */
export class FrontToken {
  readonly #read: () => string
  #digest: Buffer

  /** @param token itself, or what reads it now and at each reload. @throws what reading throws */
  constructor(token: string | (() => string)) {
    this.#read = typeof token === 'string' ? () => token : token
    this.#digest = digestOf(this.#read())
  }

  /** Reads it anew. @throws what reading throws; the last token stays */
  reload(): void {
    this.#digest = digestOf(this.#read())
  }

  /** @param lines of the field: exactly one must be the token. Takes as long for any other of the same length. */
  isIn(lines: readonly string[]): boolean {
    const [line, second] = lines
    return line !== undefined && second === undefined && timingSafeEqual(digestOf(line), this.#digest)
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
