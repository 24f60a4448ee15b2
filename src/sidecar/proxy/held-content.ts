import { Readable } from 'node:stream'
import { linesOf, type RawFields } from '../forward/fields.js'
import { decompressed, isOneMessage, prefixBytes } from '../forward/grpc-message.js'

/** A content that is at hand as a whole, or that is too large to hold and goes on as it arrives. */
export type HeldContent =
  | { readonly whole: Uint8Array; readonly rest?: undefined }
  | { readonly whole?: undefined; readonly rest: Readable }

/**
 * Reads a content to its end, so that it can be signed.
 *
 * @param most how many bytes are held; a content with more is returned as a stream, with what was read in front
 * @throws what the stream fails with, such as a client that goes away
 */
export async function holdContent(content: Readable, most: number): Promise<HeldContent> {
  const chunks: Uint8Array[] = []
  let size = 0
  const rest = content[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    chunks.push(next.value)
    size += next.value.byteLength
    if (size > most) return { rest: Readable.from(inTurn(chunks, rest), { objectMode: false }) }
  }
  return { whole: Buffer.concat(chunks) }
}

async function* inTurn(
  chunks: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    // Ends what is left of the request, where nobody reads on.
    await rest.return?.()
  }
}

/**
 * The one message of a gRPC content, as it was before compression, which is what a proof covers.
 *
 * @param most the longest message, in bytes
 * @returns undefined if there is another number of messages, or one that cannot be read
 */
export async function onlyMessage(
  content: Uint8Array,
  fields: RawFields,
  most: number,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  if (!isOneMessage(bytes)) return undefined
  const message = bytes.subarray(prefixBytes)
  if (bytes[0] === 0) return message
  const [encoding = ''] = linesOf(fields, 'grpc-encoding')
  return bytes[0] === 1 ? decompressed(message, encoding, most).catch(() => undefined) : undefined
}
