import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Transform, type TransformCallback } from 'node:stream'
import { cancel, http2StreamOf } from '../../server/adapters/drain.js'
import { endWithCaller } from '../../server/scheme/granted-caller.js'
import type { Tied } from '../../server/scheme/leases.js'
import type { Caller } from '../../server/scheme/outcome.js'
import type { IncomingAnswer } from '../forward/exchange.js'
import { endCall, endedTrailers } from './grpc-refusal.js'

/** How long an answer that has begun may still take, so that a call that is no stream is finished, in milliseconds. */
const graceMs = 1000

/** How long a client has to take what is on its way to it, in milliseconds. */
const lingerMs = 1500

/**
 * A gRPC call that ends with UNAUTHENTICATED once its caller's credentials do. A call whose request is complete and whose
 * answer has not begun is finished, since its caller was let in.
 */
export class EndingStream implements Tied {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #content = new EndingContent()
  #hasAnswer = false
  #isEnded = false
  #timer: NodeJS.Timeout | undefined

  constructor(caller: Caller, req: IncomingMessage, res: ServerResponse) {
    this.#req = req
    this.#res = res
    this.#content.on('error', () => undefined)
    const release = endWithCaller(caller, this)
    res.once('close', () => {
      clearTimeout(this.#timer)
      release()
    })
  }

  /** The same answer, which can end before its own end. */
  wrap(answer: IncomingAnswer): IncomingAnswer {
    this.#hasAnswer = true
    if (this.#isEnded) this.#endSoon()
    return {
      ...answer,
      content: pipeline(answer.content, this.#content, () => undefined),
      trailers: () => (this.#content.isEndedHere ? endedTrailers : answer.trailers()),
    }
  }

  isOver(): boolean {
    return this.#res.writableEnded || this.#res.destroyed
  }

  end(): void {
    this.#isEnded = true
    if (this.isOver()) return
    if (this.#hasAnswer) this.#endSoon()
    else if (http2StreamOf(this.#req)?.state.remoteClose === 0) endCall(this.#req, this.#res)
  }

  #endSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#content.endNow()
      // Nobody may be reading.
      this.#timer = setTimeout(() => http2StreamOf(this.#res)?.close(cancel), lingerMs)
    }, graceMs)
  }
}

class EndingContent extends Transform {
  #isEndedHere = false

  get isEndedHere(): boolean {
    return this.#isEndedHere
  }

  endNow(): void {
    if (this.writableEnded) return
    this.#isEndedHere = true
    this.push(null)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#isEndedHere) done()
    else done(null, chunk)
  }
}
