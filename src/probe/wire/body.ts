import type { IncomingMessage } from 'node:http'
import { holdsEvent } from './event-stream.js'
import { codingsOf, decodeText, decoding, unreadableCoding } from './decode.js'

/** The most bytes of an event stream to wait for. */
const largestEvent = 64 * 1024

export interface BodyLimits {
  /** How long a body may be, as it was sent and decompressed. */
  readonly mostBytes: number
  /** How long to wait for an event: a stream that was opened may stay silent. */
  readonly eventPatienceMs: number
}

/** A body as text; or why it cannot be read, with what was read of it. */
export type Body =
  | { readonly text: string; readonly remarks: readonly string[] }
  | { readonly text: string; readonly unreadable: string }

/**
 * Reads a body, and decompresses it. Of an event stream it reads the first event with data, or what arrives of it in
 * time, and closes the connection. It never throws.
 */
export function readBody(
  response: IncomingMessage,
  { mostBytes, eventPatienceMs }: BodyLimits,
): Promise<Body> {
  const codings = codingsOf(fieldsOf(response, 'content-encoding'))
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let [sent, size] = [0, 0]
    const finish = (body: Body): void => {
      clearTimeout(patience)
      resolve(body)
    }
    const hangUp = (body: Body): void => {
      finish(body)
      response.destroy()
    }
    const bytes = (): Buffer => Buffer.concat(chunks)
    const body = (): Body => bodyOf(bytes(), codings)
    const giveUp = (unreadable: string): void => hangUp({ text: bytes().toString('utf8'), unreadable })
    const broken = (unreadable: string) => (): void => giveUp(unreadable)
    const streams = isEventStream(response)
    const patience = streams ? setTimeout(() => hangUp(body()), eventPatienceMs) : undefined
    const tooLong = broken(`the answer is longer than ${mostBytes} bytes`)
    const decoded = decoding(codings, mostBytes, {
      data: (chunk) => {
        chunks.push(chunk)
        size += chunk.length
        if (streams && (size > largestEvent || holdsEvent(bytes().toString('utf8')))) hangUp(body())
      },
      end: () => finish(body()),
      error: broken(`the body is not what its content-encoding says (${codings.join(', ')})`),
      tooLong,
    })
    response.on('data', (chunk: Buffer) => {
      sent += chunk.length
      if (sent > mostBytes) tooLong()
      else decoded.data(chunk)
    })
    response.on('end', decoded.end)
    response.on('error', broken('the connection broke before the answer was complete'))
    const unreadable = unreadableCoding(codings)
    if (unreadable !== undefined) giveUp(unreadable)
  })
}

function bodyOf(bytes: Buffer, codings: readonly string[]): Body {
  const { text, mark } = decodeText(bytes)
  const remarks = [
    ...(mark === undefined ? [] : [`begins with a byte order mark (${mark}), which JSON must not have`]),
    ...(codings.length > 0 && bytes.length > 0
      ? [`is compressed (${codings.join(', ')}), although that was not asked for`]
      : []),
  ]
  return { text, remarks }
}

/** All values of a header, one per field line. Node's own views build an object of all fields for each answer. */
export function fieldsOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  const wanted = name.toLowerCase()
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted)
}

function isEventStream(response: IncomingMessage): boolean {
  return fieldsOf(response, 'content-type').some((type) => /^text\/event-stream/i.test(type))
}
