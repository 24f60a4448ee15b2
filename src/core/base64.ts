/**
 * Returns how bytes appear inside base64 (RFC 4648 §4), for each of the three ways in which they may begin there: only the
 * characters that depend on nothing beside them.
 */
export function alignedBase64(bytes: Uint8Array): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const isWhole = (before + bytes.length) % 3 === 0
    return encoded.slice(before === 0 ? 0 : before + 1, isWhole ? undefined : -1)
  })
}
