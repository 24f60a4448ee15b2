import { createHash, hash, type Hash } from 'node:crypto'
import { bytesOf, parseMembers } from './dictionary.js'
import type { Binding } from './profile.js'

/** Of SHA-256, in bytes. */
const digestBytes = 32

/**
 * Returns a hash that takes the content exactly as it is sent. For gRPC that is the message with its prefix: a zero byte
 * for "not compressed", and the length in four bytes.
 *
 * @param length of the message in bytes; needed for gRPC alone
 */
export function contentHash(binding: Binding, length = 0): Hash {
  const hash = createHash('sha256')
  if (binding === 'grpc') {
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(length, 1)
    hash.update(prefix)
  }
  return hash
}

/** Returns the digest of a content at hand: of the body, or of the serialised message of gRPC. */
export function digestOf(binding: Binding, content: Uint8Array): Buffer {
  if (binding === 'http') return hash('sha256', content, 'buffer')
  return contentHash(binding, content.length).update(content).digest()
}

/** Writes the value of Content-Digest (RFC 9530 §2). */
export function formatContentDigest(digest: Uint8Array): string {
  return `sha-256=:${Buffer.from(digest).toString('base64')}:`
}

/** Returns the one `sha-256` of Content-Digest; other algorithms beside it are ignored. Undefined if there is none. */
export function parseContentDigest(lines: readonly string[]): Buffer | undefined {
  const [member, second] = parseMembers(lines)?.filter(({ label }) => label === 'sha-256') ?? []
  if (!member || second || member.parameters.length > 0 || !('kind' in member.value)) return undefined
  return bytesOf(member.value, digestBytes)
}
