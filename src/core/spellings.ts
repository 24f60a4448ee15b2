import { alignedBase64 } from './base64.js'

/** A token as a text may hold it: as it is, and inside base64, as in a Kubernetes secret or an encoded header. */
export const tokenSpellings = (value: string): string[] => distinct([value, ...base64Of(value)])

/** A seed as a text may hold it: in base32 and hex in both cases, and inside base64. */
export function seedSpellings({
  base32,
  bytes,
}: {
  readonly base32: string
  readonly bytes: Uint8Array
}): string[] {
  const hex = Buffer.from(bytes).toString('hex')
  const lower = base32.toLowerCase()
  return distinct([base32, lower, hex, hex.toUpperCase(), ...base64Of(base32), ...base64Of(lower)])
}

/** In both alphabets, wherever the text begins in what is encoded. */
const base64Of = (text: string): string[] =>
  alignedBase64(Buffer.from(text)).flatMap((own) => [own, own.replaceAll('+', '-').replaceAll('/', '_')])

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)]
