import { contentHash } from '../../core/proof/digest.js'

/** Passes everything on as it comes, and calls back with its digest in front of the end. */
export function hashing(
  atEnd: (seen: Buffer, controller: TransformStreamDefaultController) => void,
): TransformStream<Uint8Array, Uint8Array> {
  const hash = contentHash('http')
  return new TransformStream({
    transform: (chunk, controller) => {
      hash.update(chunk)
      controller.enqueue(chunk)
    },
    flush: (controller) => atEnd(hash.digest(), controller),
  })
}

/**
 * Reads a body as a whole.
 *
 * @param most in bytes
 * @returns undefined if it is longer, or cut off
 */
export async function readUpTo(body: ReadableStream<Uint8Array>, most: number): Promise<Buffer | undefined> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Buffer.concat(chunks)
      length += value.length
      chunks.push(value)
      if (length <= most) continue
      await reader.cancel()
      return undefined
    }
  } catch {
    return undefined
  }
}
