import { componentsOf, componentValue, isPlainValue, signatureBase } from './base.js'
import { parseContentDigest } from './digest.js'
import { isCanonical } from './canonical.js'
import { bytesOf, parseDictionary, type Item, type Member } from './dictionary.js'
import { hasField, linesOf } from './fields.js'
import { readOwnForm } from './own-form.js'
import {
  longestLife,
  proofAlgorithm,
  proofTag,
  reasonFor,
  type ParsedProof,
  type ProofReason,
  type ProofRules,
  type SignedRequest,
} from './profile.js'

/** What a request has of a proof. */
export type ReadProof =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly reason: ProofReason }
  | { readonly kind: 'parsed'; readonly proof: ParsedProof }

/** Of HMAC-SHA256, in bytes. */
const signatureBytes = 32

/** 16 to 48 bytes in base64url without padding, which never has 4n + 1 characters. */
const nonceText = /^[A-Za-z0-9_-]{22,64}$/

const unsigned: ReadProof = { kind: 'unsigned' }
const refused = (reason: ProofReason): ReadProof => ({ kind: 'refused', reason })

/** Returns whether a request has anything that may be a proof; without it nothing has to be read. */
export function mayBeSigned(request: Pick<SignedRequest, 'header'>): boolean {
  return hasField(request, 'signature-input') || hasField(request, 'signature')
}

/**
 * Reads the proof of a request: strictly, in linear time, and without any key. The reasons are looked for in the order of
 * `proofReasons`.
 */
export function readProof(request: SignedRequest, rules: ProofRules): ReadProof {
  const proof = readOwnForm(request, rules)
  return proof ? { kind: 'parsed', proof } : readAnyForm(request, rules)
}

/** The same without the short cut, by the grammar alone. */
export function readAnyForm(request: SignedRequest, rules: ProofRules): ReadProof {
  const inputLines = linesOf(request, 'signature-input')
  const signatureLines = linesOf(request, 'signature')
  if (inputLines.length === 0 && signatureLines.length === 0) return unsigned
  if (inputLines.length === 0 || signatureLines.length === 0) return refused('proof-malformed')
  const inputs = parseDictionary(inputLines)
  const signatures = parseDictionary(signatureLines)
  if (!inputs || !signatures) return refused('proof-malformed')

  const [member, second] = inputs.filter(isOurs)
  if (!member) return unsigned
  const signature = signatureOf(signatures, member.label)
  const parameters = second ? undefined : parametersOf(member, rules)
  if (!signature || !parameters) return refused('proof-malformed')
  const { components } = parameters
  const refusedFor = (reason: ProofReason): ReadProof => refused(reasonFor(parameters, rules, reason))
  const expected = componentsOf(request, rules)
  const named = new Set(components.map(({ value }) => value.value))
  if (expected.some((name) => named.has(name) && !isPlainValue(componentValue(request, name))))
    return refused('proof-malformed')

  if (!coversAll(components, expected)) return refusedFor('proof-uncovered')
  // From here on the names are ours, in the order in which they were signed.
  const covered = components.map(({ value }) => String(value.value))
  if (covered.some((name) => !name.startsWith('@') && !hasField(request, name)))
    return refusedFor('proof-uncovered')

  const digest = parseContentDigest(linesOf(request, 'content-digest'))
  if (!digest || hasField(request, 'content-encoding')) return refusedFor('proof-digest')
  const { keyid, created, expires, nonce } = parameters
  const base = signatureBase(request, covered, member.text)
  return { kind: 'parsed', proof: { keyid, created, expires, nonce, digest, base, signature } }
}

/** By its tag alone. A member whose tag is repeated is ours if any of them is, so that readers cannot disagree. */
function isOurs({ parameters }: Member): boolean {
  return parameters.some(
    ({ key, value }) => key === 'tag' && value.kind === 'string' && value.value === proofTag,
  )
}

function signatureOf(signatures: readonly Member[], label: string): Buffer | undefined {
  const member = signatures.find((one) => one.label === label)
  if (!member || member.parameters.length > 0 || !('kind' in member.value)) return undefined
  return bytesOf(member.value, signatureBytes)
}

interface Parameters {
  readonly components: readonly Item[]
  readonly keyid: string
  readonly created: number
  readonly expires: number
  readonly nonce: string
}

/** The parameters of our member, each once, and none else; undefined if it is malformed. */
function parametersOf(member: Member, rules: ProofRules): Parameters | undefined {
  const { value, parameters } = member
  if ('kind' in value || !isCanonical(member)) return undefined
  const given = new Map(parameters.map((one) => [one.key, one.value]))
  if (given.size < parameters.length) return undefined
  const known = ['created', 'expires', 'nonce', 'keyid', 'tag', 'alg']
  if ([...given.keys()].some((key) => !known.includes(key))) return undefined
  const whole = (key: string): number | undefined => {
    const one = given.get(key)
    return one?.kind === 'integer' ? Number(one.value) : undefined
  }
  const text = (key: string): string | undefined => {
    const one = given.get(key)
    return one?.kind === 'string' ? String(one.value) : undefined
  }
  const [created, expires, nonce, keyid] = [whole('created'), whole('expires'), text('nonce'), text('keyid')]
  if (created === undefined || expires === undefined || nonce === undefined || keyid === undefined)
    return undefined
  if (given.has('alg') && text('alg') !== proofAlgorithm) return undefined
  if (!nonceText.test(nonce) || nonce.length % 4 === 1) return undefined
  if (expires <= created || expires - created > longestLife(rules)) return undefined
  return { components: value, keyid, created, expires, nonce }
}

/** Whether these are exactly the components, in any order, each without parameters. */
function coversAll(components: readonly Item[], expected: readonly string[]): boolean {
  if (components.length !== expected.length) return false
  const names = new Set(
    components.map(({ value, parameters }) =>
      value.kind === 'string' && parameters.length === 0 ? value.value : undefined,
    ),
  )
  return names.size === expected.length && expected.every((name) => names.has(name))
}
