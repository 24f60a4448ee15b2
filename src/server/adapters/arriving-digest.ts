import type { Hash } from 'node:crypto'
import { contentHash, digestOf } from '../../core/proof/digest.js'

/**
 * The digest of a content that arrives in chunks. Most contents are short and here before anyone can read them: those are
 * hashed in one call at the end, which costs less than an object of OpenSSL's for each.
 */
export class ArrivingDigest {
  /** Chunks that nobody has read. */
  #unread: Buffer[] = []
  #hash: Hash | undefined

  add(chunk: Buffer): void {
    if (this.#hash) this.#hash.update(chunk)
    else this.#unread.push(chunk)
  }

  /** Call it before anyone can read the chunks, and so change them: from then on nothing is kept. */
  hashOnArrival(): void {
    if (this.#hash) return
    this.#hash = contentHash('http')
    for (const chunk of this.#unread) this.#hash.update(chunk)
    this.#unread = []
  }

  /** The digest of all that has arrived. Call it once, at the end. */
  take(): Buffer {
    if (this.#hash) return this.#hash.digest()
    const [only = Buffer.alloc(0), ...others] = this.#unread
    const content = others.length === 0 ? only : Buffer.concat(this.#unread)
    this.drop()
    return digestOf('http', content)
  }

  /** The content need not be compared. */
  drop(): void {
    this.#unread = []
  }
}
