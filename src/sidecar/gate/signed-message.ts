import { Readable } from 'node:stream'
import { contentHash, digestOf } from '../../core/proof/digest.js'
import type { Refusal } from '../../server/scheme/refusal.js'
import type { BodyExpectation } from '../../server/scheme/request.js'
import { decompressed, isOneMessage, prefixBytes } from '../forward/grpc-message.js'

/** A message up to this length is compared before anything of the call is passed on, in bytes. */
const mostHeld = 64 * 1024

/** The longest message that is decompressed, before and after it, in bytes: what gRPC servers accept by default. */
const mostCompressed = 4 * 1024 * 1024

/**
 * The content of a gRPC call with a proof, on its way to the agent: one message, whose last bytes are withheld until it was
 * compared. A second message is signed by nothing, and a call without one is another call.
 *
 * The digest is of the message before compression, so one that is compressed is decompressed here, and passed on as it is.
 */
export class SignedMessage implements BodyExpectation {
  readonly #source: AsyncIterator<Buffer, undefined>
  readonly #encoding: string
  readonly #onMismatch: (refusal: Refusal) => void
  #mode: 'undecided' | 'comparing' | 'observing' | 'off' = 'undecided'
  #expected: Uint8Array = Buffer.alloc(0)
  #refuse: (() => Refusal) | undefined
  #observe: (() => void) | undefined
  /** Received, and not passed on. */
  #buffered: Buffer = Buffer.alloc(0)
  #isEnded = false
  /** Set once the whole message was compared and lies in the buffer, as its length. */
  #comparedBytes = 0

  /**
   * @param content of the request; undefined if there is none
   * @param encoding the value of `grpc-encoding`
   * @param onMismatch called if the content is another one, and its caller was let in already
   */
  constructor(
    content: Readable | undefined,
    encoding: string | undefined,
    onMismatch: (refusal: Refusal) => void,
  ) {
    // Never told to return, which would destroy the request together with its answer.
    this.#source = (content ?? Readable.from([]))[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
    this.#encoding = (encoding ?? 'identity').trim().toLowerCase()
    this.#onMismatch = onMismatch
  }

  expectDigest(
    _algorithm: 'sha-256',
    digest: Uint8Array,
    refuse: () => Refusal,
  ): Promise<boolean | undefined> {
    this.#mode = 'comparing'
    this.#expected = digest
    this.#refuse = refuse
    return this.#compareFirst().catch(() => false)
  }

  observeDigest(_algorithm: 'sha-256', digest: Uint8Array, mismatch: () => void): void {
    this.#mode = 'observing'
    this.#expected = digest
    this.#observe = mismatch
  }

  ignoreDigest(): void {
    this.#mode = 'off'
  }

  /** What the agent gets. It fails if the content turns out to be another one. */
  passedOn(): Readable {
    const passed = this.#mode === 'comparing' ? this.#compared() : this.#observed()
    // The call may be over before anybody listens.
    return Readable.from(passed, { objectMode: false }).on('error', () => undefined)
  }

  /** @returns undefined if the message is compared on its way */
  async #compareFirst(): Promise<boolean | undefined> {
    const prefix = await this.#prefix()
    if (!prefix) return false
    const { isCompressed, end } = prefix
    if (end > (isCompressed ? mostCompressed : Infinity)) return false
    if (!isCompressed && end > mostHeld) return undefined
    await this.#receive(end)
    if (this.#buffered.length !== end || !(await this.#isRight(this.#buffered, isCompressed))) return false
    this.#comparedBytes = end
    return true
  }

  async *#compared(): AsyncGenerator<Buffer> {
    if (this.#comparedBytes > 0) yield this.#take(this.#comparedBytes)
    else yield* this.#comparedOnItsWay()
    await this.#receive(1)
    if (this.#buffered.length > 0) throw this.#mismatch()
  }

  /** Only a message that is not compressed is compared so. */
  async *#comparedOnItsWay(): AsyncGenerator<Buffer> {
    let rest = this.#buffered.readUInt32BE(1)
    const hash = contentHash('grpc', rest)
    yield this.#take(prefixBytes)
    for (;;) {
      const piece = this.#take(Math.min(rest, this.#buffered.length))
      hash.update(piece)
      rest -= piece.length
      if (rest === 0) {
        if (!hash.digest().equals(this.#expected)) throw this.#mismatch()
        yield piece
        return
      }
      if (piece.length > 0) yield piece
      await this.#receive(1)
      if (this.#buffered.length === 0) throw this.#mismatch()
    }
  }

  /** As it comes, while a copy of a message that is not too long is compared. */
  async *#observed(): AsyncGenerator<Buffer> {
    const copy: Buffer[] = []
    let length = 0
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
      length += chunk.length
      if (this.#mode === 'observing' && length <= mostCompressed) copy.push(chunk)
      else copy.length = 0
      yield chunk
    }
    if (this.#mode !== 'observing' || length > mostCompressed) return
    const whole = Buffer.concat(copy)
    if (!isOneMessage(whole) || !(await this.#isRight(whole, whole[0] === 1).catch(() => false)))
      this.#observe?.()
  }

  async #prefix(): Promise<{ readonly isCompressed: boolean; readonly end: number } | undefined> {
    await this.#receive(prefixBytes)
    const flag = this.#buffered[0]
    if (this.#buffered.length < prefixBytes || (flag !== 0 && flag !== 1)) return undefined
    return { isCompressed: flag === 1, end: prefixBytes + this.#buffered.readUInt32BE(1) }
  }

  async #isRight(framed: Buffer, isCompressed: boolean): Promise<boolean> {
    const message = framed.subarray(prefixBytes)
    if (!isCompressed) return digestOf('grpc', message).equals(this.#expected)
    const plain = await decompressed(message, this.#encoding, mostCompressed)
    return plain !== undefined && digestOf('grpc', plain).equals(this.#expected)
  }

  /** Receives until that many bytes are in the buffer, or the content has ended. */
  async #receive(bytes: number): Promise<void> {
    const chunks = [this.#buffered]
    let length = this.#buffered.length
    while (length < bytes) {
      const chunk = await this.#next()
      if (!chunk) break
      chunks.push(chunk)
      length += chunk.length
    }
    this.#buffered = chunks.length === 1 ? this.#buffered : Buffer.concat(chunks)
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#isEnded) return undefined
    const next = await this.#source.next()
    this.#isEnded = next.done === true
    return next.done === true ? undefined : next.value
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffered.subarray(0, bytes)
    this.#buffered = this.#buffered.subarray(bytes)
    return taken
  }

  #mismatch(): Error {
    if (this.#refuse) this.#onMismatch(this.#refuse())
    return new Error('the message is not the one that was signed')
  }
}
