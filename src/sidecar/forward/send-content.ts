import { Readable, type Writable } from 'node:stream'
import type { OutgoingRequest } from './exchange.js'

/** What happens to a content on its way. */
export interface OnTheWay {
  /** The server behind has something to do: the content has ended, or no more of it is taken for now. */
  readonly onTheirTurn: () => void
  /** The next part of the content is waited for. */
  readonly onOurTurn: () => void
  /** The content has ended as a whole; nothing has been ended yet. */
  readonly beforeEnd: () => void
  /** The content was cut off. */
  readonly onCut: () => void
}

/** Sends a content as it arrives, and no faster than it is taken. */
export function sendContent(out: Writable, content: OutgoingRequest['content'], on: OnTheWay): void {
  if (!(content instanceof Readable)) {
    on.onTheirTurn()
    on.beforeEnd()
    out.end(content)
    return
  }
  if (content.destroyed) {
    on.onCut()
    return
  }
  on.onOurTurn()
  const send = (chunk: Uint8Array): void => {
    if (out.write(chunk)) return
    content.pause()
    on.onTheirTurn()
  }
  out.on('drain', () => {
    on.onOurTurn()
    content.resume()
  })
  // What still comes is for whoever drops it: a listener that pauses would hold it up.
  out.once('close', () => content.off('data', send))
  content.once('end', () => {
    on.onTheirTurn()
    on.beforeEnd()
    out.end()
  })
  content.once('error', on.onCut)
  content.once('close', () => {
    if (!content.readableEnded) on.onCut()
  })
  content.on('data', send)
}

/** A time limit that runs only while the other side is to act. */
export class Patience {
  readonly #ms: number
  readonly #onTooLate: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param ms 0 for none */
  constructor(ms: number, onTooLate: () => void) {
    this.#ms = ms
    this.#onTooLate = onTooLate
  }

  start(): void {
    this.stop()
    if (this.#ms > 0) this.#timer = setTimeout(this.#onTooLate, this.#ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
