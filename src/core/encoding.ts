/** An encoding that Windows programs write, and that is not UTF-8. */
type WideEncoding = 'UTF-16' | 'UTF-32'

/**
 * Returns the text of bytes in UTF-8, without a byte order mark.
 *
 * @param what how the error names the bytes, such as `the store`
 * @param refuse makes the error of a message, which names the encoding and nothing of the bytes
 */
export function decodeUtf8(bytes: Uint8Array, what: string, refuse: (message: string) => Error): string {
  const wide = wideEncodingOf(bytes)
  if (wide !== undefined) throw refuse(wrongEncoding(what, wide))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refuse(`${what} is not UTF-8 text; if it is text in Latin-1 or another encoding, save it as UTF-8`)
  }
}

/** The message about text in another encoding. */
export const wrongEncoding = (what: string, encoding: string): string =>
  `${what} is ${encoding}; save it as UTF-8`

/**
 * Returns the encoding of a text that was read as UTF-8 and is not, for texts that arrive as strings, like variables of
 * the environment; undefined if nothing suggests one.
 */
export function encodingOfMisread(text: string): WideEncoding | undefined {
  // Neither byte of the mark of UTF-16 is UTF-8. Shells drop the zeros that follow.
  if (text.startsWith('\uFFFD\uFFFD')) return text.startsWith('\0\0', 2) ? 'UTF-32' : 'UTF-16'
  return wideEncodingOf(Buffer.from(text.slice(0, sampleBytes), 'utf8'))
}

/** Enough to tell, and divisible by four. */
const sampleBytes = 1024

/** By the mark at the beginning, else by zeros: most text is ASCII, of which the other bytes of a unit are zero. */
function wideEncodingOf(bytes: Uint8Array): WideEncoding | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'UTF-32' : 'UTF-16'
  if (a === 0xfe && b === 0xff) return 'UTF-16'
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'UTF-32'
  const sample = bytes.subarray(0, sampleBytes)
  // The loop would take longer than reading most stores.
  if (!sample.includes(0)) return undefined
  const zeros = [0, 0, 0, 0]
  for (const [at, byte] of sample.entries()) if (byte === 0) zeros[at % 4] = (zeros[at % 4] ?? 0) + 1
  const quarter = Math.floor(sample.length / 4)
  const [p = 0, q = 0, r = 0, s = 0] = zeros.map((count) => (count > quarter / 2 ? 1 : 0))
  if (p + q + r + s >= 3) return 'UTF-32'
  return p + r === 2 || q + s === 2 ? 'UTF-16' : undefined
}
