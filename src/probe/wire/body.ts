import type { IncomingMessage } from 'node:http'
import { holdsEvent } from './event-stream.js'

/** The most bytes of an event stream to wait for. */
const largestEvent = 64 * 1024

export interface BodyLimits {
  readonly mostBytes: number
  /** How long to wait for an event: a stream that was opened may stay silent. */
  readonly eventPatienceMs: number
}

/**
 * Reads a body without decompressing it. Of an event stream it reads the first event with data, or what arrives of it in
 * time, and closes the connection.
 *
 * @returns undefined when it is longer than `mostBytes`
 * @throws when the connection breaks before the body is complete
 */
export function readBody(
  response: IncomingMessage,
  { mostBytes, eventPatienceMs }: BodyLimits,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const text = (): string => Buffer.concat(chunks).toString('utf8')
    const hangUp = (result: string | undefined): void => {
      clearTimeout(patience)
      resolve(result)
      response.destroy()
    }
    const streams = isEventStream(response)
    const patience = streams ? setTimeout(() => hangUp(text()), eventPatienceMs) : undefined
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > mostBytes) hangUp(undefined)
      else if (streams && (size > largestEvent || holdsEvent(text()))) hangUp(text())
    })
    response.on('end', () => {
      clearTimeout(patience)
      resolve(text())
    })
    response.on('error', (error) => {
      clearTimeout(patience)
      reject(error)
    })
  })
}

/** All values of a header, one per field line. Node's own views build an object of all fields for each answer. */
export function fieldsOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  const wanted = name.toLowerCase()
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted)
}

function isEventStream(response: IncomingMessage): boolean {
  return fieldsOf(response, 'content-type').some((type) => /^text\/event-stream/i.test(type))
}
