import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream'

/**
 * Passes a content on one chunk late, so that its last bytes wait for its end. The end of a content that is compared on its
 * way comes only if it is the right one; where the agent was told its length, the last byte would be the end for it.
 */
class WithheldEnd extends Transform {
  #last: Buffer | undefined

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const before = this.#last
    this.#last = chunk
    done(null, before)
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#last)
  }
}

export function withWithheldEnd(content: Readable): Readable {
  const withheld = new WithheldEnd()
  // A request that is cut off may be so before anybody listens.
  withheld.on('error', () => undefined)
  return pipeline(content, withheld, () => undefined)
}
