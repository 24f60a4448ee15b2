import { baseOf, isPlainValue, presentComponents, type Component } from './base.js'
import { hasField, linesOf } from './fields.js'
import { longestLife, type ParsedProof, type ProofRules, type SignedRequest } from './profile.js'

/**
 * `Signature-Input` exactly as `signRequest` writes it, with any label. Each part ends with a character that it cannot
 * contain, so that there is one way to read it.
 */
const ownInput =
  /^([a-z*][a-z0-9_\-.*]*)=((\([^();]*\));created=(0|[1-9]\d{0,14});expires=([1-9]\d{0,14});nonce="([A-Za-z0-9_-]{22,64})";keyid="([\x20\x21\x23-\x5b\x5d-\x7e]*)";tag="a2a-totp\/proof\/v1")$/

/** 32 bytes in canonical base64: of the last character but the padding, two bits are spare and must not be set. */
const bytes32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/

/** Names of fields that need no escapes, and are no other component. */
const plainHeader = /^(?!content-|authorization$|a2a-)[a-z0-9-]+$/

/**
 * Reads a proof as the clients of this package write it, in one pass: each field is one line, and nothing of another signer
 * is beside it. Takes a fifth of the time of the reader for everything else, which would read the same.
 *
 * @returns undefined for a request that the other reader has to look at, be it right or wrong
 */
export function readOwnForm(request: SignedRequest, rules: ProofRules): ParsedProof | undefined {
  const input = onlyLine(request, 'signature-input')
  const found = input === undefined ? null : ownInput.exec(input)
  if (!found) return undefined
  const [, label = '', text = '', list = '', createdText, expiresText, nonce = '', keyid = ''] = found
  const signature = bytesIn(onlyLine(request, 'signature'), `${label}=:`)
  const digest = bytesIn(onlyLine(request, 'content-digest'), 'sha-256=:')
  if (!signature || !digest || hasField(request, 'content-encoding')) return undefined
  if (!plainHeader.test(rules.header)) return undefined
  if (!hasField(request, 'authorization') || !hasField(request, rules.header)) return undefined

  const [created, expires] = [Number(createdText), Number(expiresText)]
  if (expires <= created || expires - created > longestLife(rules) || nonce.length % 4 === 1) return undefined
  const components = presentComponents(request, rules)
  if (innerListOf(components) !== list || !components.every(({ value }) => isPlainValue(value)))
    return undefined
  return { keyid, created, expires, nonce, digest, base: baseOf(components, text), signature }
}

function innerListOf(components: readonly Component[]): string {
  let list = ''
  for (const { name } of components) list += list === '' ? `"${name}"` : ` "${name}"`
  return `(${list})`
}

function onlyLine(request: SignedRequest, name: string): string | undefined {
  const lines = linesOf(request, name)
  return lines.length === 1 ? lines[0] : undefined
}

/** The 32 bytes of the one member that begins like this. */
function bytesIn(line: string | undefined, begin: string): Buffer | undefined {
  if (line?.length !== begin.length + 45 || !line.startsWith(begin) || !line.endsWith(':')) return undefined
  const base64 = line.slice(begin.length, -1)
  return bytes32.test(base64) ? Buffer.from(base64, 'base64') : undefined
}
