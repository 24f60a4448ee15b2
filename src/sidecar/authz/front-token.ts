import { createHash, timingSafeEqual } from 'node:crypto'

/** The field in which a front shows that it is one, where others can reach the listener. */
export const frontTokenField = 'TotpAuthzToken'

/** The token that fronts send. */
export class FrontToken {
  readonly #digest: Buffer

  constructor(token: string) {
    this.#digest = digestOf(token)
  }

  /** @param lines of the field: exactly one must be the token. Takes as long for any other of the same length. */
  isIn(lines: readonly string[]): boolean {
    const [line, second] = lines
    return line !== undefined && second === undefined && timingSafeEqual(digestOf(line), this.#digest)
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
