import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'

/** In front of each message of gRPC: one byte that says whether it is compressed, and its length in four. */
export const prefixBytes = 5

const decoders: Readonly<
  Record<string, (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>>
> = { gzip: promisify(gunzip), deflate: promisify(inflate) }

/** Whether a content is one message of gRPC, whole. */
export function isOneMessage(content: Buffer): boolean {
  return content.length >= prefixBytes && content.length === prefixBytes + content.readUInt32BE(1)
}

/**
 * Returns a message as it was before compression; undefined if the encoding is not known.
 *
 * @param encoding the value of `grpc-encoding`
 * @param most the longest message, in bytes
 * @throws what zlib throws
 */
export async function decompressed(
  message: Uint8Array,
  encoding: string,
  most: number,
): Promise<Uint8Array | undefined> {
  const decode = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  return decode?.(message, { maxOutputLength: Math.max(1, most) })
}
