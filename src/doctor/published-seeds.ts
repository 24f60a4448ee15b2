import { Seed } from '../core/seed.js'

/** Seeds that are published as ASCII text. */
const ascii = [
  // RFC 4226 Appendix D and RFC 6238 Appendix B (SHA1), and its reference implementation for SHA256 and SHA512.
  ...[20, 32, 64].map((size) => '1234567890'.repeat(7).slice(0, size)),
  // What examples of libraries encode.
  '1234567890',
  'abcdefghij',
  'helloworld',
]

/** Seeds that are published as base32. */
const base32 = [
  // Google Authenticator's "Key Uri Format": both of its examples; the first is also found doubled.
  'JBSWY3DPEHPK3PXP',
  'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  'HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ',
  // The READMEs of PyOTP and of otplib.
  'BASE32SECRET3232',
  'KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD',
]

/** Seeds of standards, manuals and READMEs, in canonical base32. Public knowledge, so not secret. */
const published = new Set(
  [
    ...ascii.map((text) => Seed.fromBytes(Buffer.from(text))),
    ...base32.map((text) => Seed.fromBase32(text)),
  ].map((seed) => seed.base32),
)

/** Whether a seed is published, or can be guessed at sight: one pattern of 1, 2 or 4 bytes, repeated. */
export function isPublished(seed: Seed): boolean {
  if (published.has(seed.base32)) return true
  const { bytes } = seed
  return [1, 2, 4].some((length) => bytes.every((byte, index) => byte === bytes[index % length]))
}
