import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'

/** The codings that are undone, by their names in Content-Encoding (RFC 9110 §8.4.1). */
const decoders: Readonly<Record<string, (first: Buffer) => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  br: () => createBrotliDecompress(),
  // The standard means the format of zlib, but some servers send bare deflate (RFC 9110 §8.4.1.2).
  deflate: ([first = 0]) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw()),
}

/** No server has a reason to compress more often. */
const mostCodings = 3

/** The codings of a body in the order in which they were applied. */
export function codingsOf(fields: readonly string[]): string[] {
  return fields
    .flatMap((field) => field.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
}

/** Why a body with these codings cannot be read, if so. */
export function unreadableCoding(codings: readonly string[]): string | undefined {
  if (codings.length > mostCodings)
    return `the agent answers with ${codings.length} content-encodings at once`
  const unknown = codings.find((name) => !Object.hasOwn(decoders, name))
  if (unknown === undefined) return undefined
  // It is the agent's text, so it is repeated only if it looks like a registered name.
  return /^[a-z0-9-]{1,20}$/.test(unknown)
    ? `the agent answers with content-encoding ${unknown}, although identity was asked for`
    : 'the agent answers with an unknown content-encoding'
}

/** Takes a body piece by piece. */
export interface Sink {
  readonly data: (chunk: Buffer) => void
  readonly end: () => void
  readonly error: (error: Error) => void
  readonly tooLong: () => void
}

/**
 * Undoes the codings of a body, piece by piece as it arrives.
 *
 * @param mostBytes how much each coding may unfold, so that a small body cannot keep the probe busy
 * @returns what takes the body as it was sent
 */
export function decoding(codings: readonly string[], mostBytes: number, sink: Sink): Sink {
  return codings.reduce((next, coding) => undoing(coding, mostBytes, next), sink)
}

function undoing(coding: string, mostBytes: number, next: Sink): Sink {
  let decoder: Transform | undefined
  let size = 0
  const start = (first: Buffer): Transform | undefined =>
    decoders[coding]?.(first)
      .on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= mostBytes) next.data(chunk)
        else {
          decoder?.destroy()
          next.tooLong()
        }
      })
      .on('end', next.end)
      .on('error', next.error)
  return {
    ...next,
    // A body of no bytes has no coding to undo: some servers name one for an empty answer too.
    data: (chunk) => void (decoder ??= start(chunk))?.write(chunk),
    end: () => (decoder ? void decoder.end() : next.end()),
  }
}

/** A text, and the byte order mark that it began with. */
export interface DecodedText {
  readonly text: string
  readonly mark?: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE'
}

/** Decodes UTF-8, or what a byte order mark says. The mark is not part of the text (RFC 8259 §8.1). */
export function decodeText(bytes: Buffer): DecodedText {
  const [first, second, third] = bytes
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return { text: bytes.toString('utf8', 3), mark: 'UTF-8' }
  }
  if (first === 0xff && second === 0xfe) return { text: bytes.toString('utf16le', 2), mark: 'UTF-16LE' }
  if (first === 0xfe && second === 0xff) {
    const even = bytes.subarray(2, bytes.length - (bytes.length % 2))
    return { text: Buffer.from(even).swap16().toString('utf16le'), mark: 'UTF-16BE' }
  }
  return { text: bytes.toString('utf8') }
}
