import type { Seed } from '../core/seed.js'

/** Seeds of standards, manuals and READMEs, in base32. Public knowledge, so no secrets. */
const published = new Set([
  // RFC 4226 Appendix D and RFC 6238 Appendix B, for SHA1, SHA256 and SHA512.
  ...[20, 32, 64].map((size) => base32Digits(size)),
  // The key URI format's own example, alone and doubled, and what examples of libraries print.
  'JBSWY3DPEHPK3PXP',
  'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  'HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ',
  'BASE32SECRET3232',
  'KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD',
  'GEZDGNBVGY3TQOJQ',
  'MFRGGZDFMZTWQ2LK',
  'NBSWY3DPO5XXE3DE',
])

/** Whether everybody has a seed already, or could type it in their sleep: a short pattern again and again. */
export function isPublished(seed: Seed): boolean {
  if (published.has(seed.base32)) return true
  const { bytes } = seed
  return [1, 2, 4].some((length) => bytes.every((byte, index) => byte === bytes[index % length]))
}

/** `12345678901234567890…` in ASCII, as the RFCs' test seeds are made. */
function base32Digits(size: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = Array.from({ length: size }, (_, index) =>
    (0x30 + ((index + 1) % 10)).toString(2).padStart(8, '0'),
  ).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[parseInt(five.padEnd(5, '0'), 2)]).join('')
}
