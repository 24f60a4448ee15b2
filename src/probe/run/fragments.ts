/** So many characters in a row tell enough of a secret to be kept out of a report. */
const telling = 12

/** Finds parts of a secret: texts are cut before they are cleaned, also in the middle of one. */
export class Fragments {
  readonly #parts = new Set<string>()
  readonly #secret: string

  constructor(secret: string) {
    this.#secret = secret.toLowerCase()
    for (let at = 0; at + telling <= this.#secret.length; at++) {
      this.#parts.add(this.#secret.slice(at, at + telling))
    }
  }

  /** Replaces each part of the secret that is long enough to tell, in any case of its letters. */
  replaceIn(text: string, by: string): string {
    const lower = text.toLowerCase()
    // Some capitals have small letters of another length; a place in the one is then none in the other.
    if (lower.length !== text.length) return this.replaceIn(text.replace(/[^\x20-\x7e]/g, '?'), by)
    let result = ''
    let kept = 0
    for (let at = 0; at + telling <= lower.length; at++) {
      if (!this.#parts.has(lower.slice(at, at + telling))) continue
      let end = at + telling
      while (end < lower.length && this.#secret.includes(lower.slice(at, end + 1))) end += 1
      result += text.slice(kept, at) + by
      kept = end
      at = end - 1
    }
    return result + text.slice(kept)
  }
}
