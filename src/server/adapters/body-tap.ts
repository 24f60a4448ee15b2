import type { Readable } from 'node:stream'
import { noContent } from '../../core/proof/no-content.js'
import type { Refusal } from '../scheme/refusal.js'
import type { BodyExpectation } from '../scheme/request.js'
import { isAnnounced, mostHeldOf, type Inside } from './arriving-content.js'
import { ArrivingDigest } from './arriving-digest.js'
import { http2StreamOf } from './drain.js'
import type { NodeRequest } from './http.js'

type Push = Readable['push']

/**
 * - `undecided`: nothing is known of the digest yet. The content goes into the stream, whose end is withheld.
 * - `holding`: the handler starts once the content is compared.
 * - `comparing`, `observing`: the content is on its way to the handler. Only the first withholds an end.
 * - `refused`: the content is another one. What is left of it is dropped.
 * - `off`: everything passes.
 */
type Mode = 'undecided' | 'holding' | 'comparing' | 'observing' | 'refused' | 'off'

/**
 * Hashes the content of a request of Node's on its way into the request's stream, and withholds the end of the stream
 * until the content was compared. It holds nothing itself of a content that streams.
 */
export class BodyTap implements BodyExpectation {
  readonly #req: NodeRequest
  readonly #stream: Readable | undefined
  readonly #pushOn: Push
  readonly #hasOwnPush: boolean
  readonly #push: Push
  readonly #onMismatch: (refusal: Refusal) => void
  readonly #digest = new ArrivingDigest()
  #mode: Mode = 'undecided'
  /** Of the whole content, once it was seen. */
  #seen: Buffer | undefined
  #expected: Uint8Array | undefined
  #refuse: (() => Refusal) | undefined
  #observe: (() => void) | undefined
  #compared: ((isRight: boolean) => void) | undefined
  #held: Buffer[] = []
  #heldBytes = 0
  #mostHeld = 0
  #isEndWithheld = false
  /** Set if the request was refused after its caller was let in. */
  #isRefusedLate = false
  /** Whether anybody has asked for content. Over HTTP/2 what comes before that is dropped, unseen, once it was answered. */
  #isRead = false
  /** Set if the stream of HTTP/2 is over, and its end was not passed on. */
  #isOver = false

  /** @param onMismatch called if the content is another one, and its caller was let in already */
  constructor(req: NodeRequest, seen: Iterable<Buffer>, onMismatch: (refusal: Refusal) => void) {
    this.#req = req
    this.#stream = http2StreamOf(req)
    this.#onMismatch = onMismatch
    for (const chunk of seen) this.#digest.add(chunk)
    if ((req as Inside)._readableState?.ended === true) this.#seen = this.#digest.take()
    this.#hasOwnPush = Object.hasOwn(req, 'push')
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the request below
    this.#pushOn = req.push
    this.#push = (chunk: unknown, encoding?: BufferEncoding) => this.#take(chunk, encoding)
    req.push = this.#push
    if (this.#stream) this.#watchReads()
  }

  /** Whether the request was refused because of its content after its caller was let in. */
  get isRefusedLate(): boolean {
    return this.#isRefusedLate
  }

  expectDigest(
    _algorithm: 'sha-256',
    digest: Uint8Array,
    refuse: () => Refusal,
  ): boolean | Promise<boolean> | undefined {
    this.#expected = digest
    this.#refuse = refuse
    if (this.#seen) {
      if (!this.#isRight(this.#seen)) return false
      this.#turnOff()
      return true
    }
    if (this.#isOver) return false
    if (!isAnnounced(this.#req)) {
      if (!noContent.equals(digest)) return false
      // Should any content come all the same, its end is withheld. Over HTTP/2 none can.
      if (this.#stream) this.#turnOff()
      else this.#mode = 'comparing'
      return true
    }
    this.#mostHeld = mostHeldOf(this.#req)
    this.#mode = this.#mostHeld > 0 ? 'holding' : 'comparing'
    if (this.#mode === 'comparing') {
      this.#digest.hashOnArrival()
      return undefined
    }
    return new Promise((done) => {
      this.#compared = done
      if (this.#req.destroyed) this.#finishHolding(false)
      this.#req.once('close', () => this.#finishHolding(false))
      this.#askForMore()
    })
  }

  observeDigest(_algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    this.#expected = digest
    this.#observe = mismatch
    this.#mode = 'observing'
    // Over HTTP/2 nobody may come to read a content that is not there.
    const seen = this.#seen ?? (this.#stream && !isAnnounced(this.#req) ? noContent : undefined)
    if (!seen) this.#digest.hashOnArrival()
    else if (!this.#isRight(seen)) mismatch()
    if (seen || this.#isOver) this.#turnOff()
  }

  ignoreDigest(): void {
    if (!this.#isRefusedLate) this.#turnOff()
  }

  /**
   * Call it once the request was decided. Lets everything pass if nobody has said what is expected, as where a scheme was
   * replaced; and if the request was refused before its handler started: a connection whose request never ends is closed,
   * and others may be using it.
   *
   * @param isLetIn whether there is a caller
   */
  settle(isLetIn: boolean): void {
    if (this.#mode === 'undecided' || (this.#mode === 'refused' && !isLetIn && !this.#isRefusedLate))
      this.#turnOff()
  }

  #take(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (this.#mode === 'off') return this.#pass(chunk, encoding)
    if (chunk === null) {
      const isPassed = this.#takeEnd()
      // Written so, because the compiler does not know that `#takeEnd` changes it.
      this.#isOver = this.#stream !== undefined && (this.#mode as Mode) !== 'off'
      return isPassed
    }
    if (this.#seen || this.#mode === 'refused') return true
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : (chunk as Buffer)
    // Who reads a chunk may change it.
    if (this.#mode === 'comparing' || this.#mode === 'observing') this.#digest.hashOnArrival()
    this.#digest.add(bytes)
    if (this.#mode !== 'holding') return this.#pass(chunk, encoding)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > this.#mostHeld) this.#finishHolding(false)
    else this.#held.push(bytes)
    return true
  }

  #takeEnd(): boolean {
    if (this.#seen || this.#mode === 'refused') return false
    // The answer is complete, and its handler has read nothing.
    if ((this.#req as Inside)._dumped === true) return this.#pass(null)
    // HTTP/2 also ends the stream of a request that was cut off, or was answered before anybody had read it.
    if (this.#stream && !(this.#stream.readableEnded && (this.#isRead || !this.#stream.closed))) {
      this.#isEndWithheld = true
      this.#finishHolding(false)
      if (this.#mode === 'observing') this.#turnOff()
      return false
    }
    this.#seen = this.#digest.take()
    if (this.#mode === 'holding') {
      this.#finishHolding(this.#isRight(this.#seen))
      return false
    }
    if (this.#mode === 'observing') {
      if (!this.#isRight(this.#seen)) this.#observe?.()
      this.#turnOff()
      return this.#pass(null)
    }
    this.#withholdEnd()
    if (this.#mode !== 'comparing') return false
    if (this.#isRight(this.#seen)) this.#turnOff()
    else this.#refuseLate()
    return false
  }

  /** Node takes it for a bug of its own, and ends the process, if a request of HTTP/2 is read when its stream is closed. */
  #watchReads(): void {
    const req = this.#req
    const read = req._read.bind(req)
    req._read = (size: number) => {
      if (this.#isOver) return
      this.#isRead = true
      read(size)
    }
  }

  #isRight(seen: Buffer): boolean {
    return this.#expected !== undefined && seen.equals(this.#expected)
  }

  /** Some streams send nothing before they are read, and a full one nothing more. */
  #askForMore(): void {
    const { readableLength, readableHighWaterMark } = this.#req
    if (readableLength < readableHighWaterMark) this.#req.read(0)
    else this.#req._read(readableHighWaterMark)
  }

  #finishHolding(isRight: boolean): void {
    if (this.#mode !== 'holding') return
    if (isRight) {
      this.#isEndWithheld = true
      this.#turnOff()
    } else {
      this.#mode = 'refused'
      this.#held = []
      if (this.#seen) this.#withholdEnd()
    }
    this.#compared?.(isRight)
  }

  #withholdEnd(): void {
    this.#isEndWithheld = true
    // @hono/node-server takes the content of a complete request for whole even if its stream has not ended.
    if (!this.#stream && this.#req.complete === true) (this.#req as { complete: boolean }).complete = false
  }

  /** Not inside of the parser, which calls this when it has read the last byte. */
  #refuseLate(): void {
    this.#mode = 'refused'
    this.#isRefusedLate = true
    queueMicrotask(() => {
      if (this.#refuse) this.#onMismatch(this.#refuse())
    })
  }

  #turnOff(): void {
    this.#mode = 'off'
    this.#digest.drop()
    if (this.#req.push === this.#push) {
      if (this.#hasOwnPush) this.#req.push = this.#pushOn
      else delete (this.#req as { push?: Push }).push
    }
    const held = this.#held
    this.#held = []
    for (const chunk of held) this.#pass(chunk)
    if (!this.#isEndWithheld) return
    this.#isEndWithheld = false
    if (!this.#stream && this.#req.complete === false) (this.#req as { complete: boolean }).complete = true
    this.#pass(null)
  }

  #pass(chunk: unknown, encoding?: BufferEncoding): boolean {
    return this.#pushOn.call(this.#req, chunk, encoding)
  }
}
