import { isTOTPError } from '../core/errors.js'
import { parseKeyUri, type KeyUri } from '../core/key-uri.js'
import { parseName } from '../core/name.js'
import { profileRules, replayPolicies, type CodeProfile, type ReplayPolicy } from '../core/profile.js'
import type { PeerRequest } from '../core/provision.js'
import { Seed } from '../core/seed.js'
import { Token } from '../core/token.js'
import { invalidImport, type Fields } from './fields.js'
import { requireUnderstood } from './understood.js'

/** One peer of an import, or why it is none. */
export type Entry =
  /** `where` says where it stands, `line 3` say, and never what stands there. */
  | { readonly where: string; readonly request: PeerRequest }
  | { readonly where: string; readonly problem: string }

/** Reads one entry; what is wrong with it becomes its problem. */
export function entryOf(where: string, read: () => PeerRequest): Entry {
  try {
    return { where, request: read() }
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return { where, problem: error.message }
  }
}

/** Keys whose values are checked by rules of their own. */
const read = ['seed', 'token', 'algorithm', 'digits', 'period', 'replay']

/**
 * Reads what an object says of a peer. A seed or a token is missing, and so will be made, only when its key is, and when
 * nothing else in the object looks like one.
 *
 * @throws {TOTPError} `ERR_NAME_INVALID`, `ERR_SEED_INVALID`, `ERR_TOKEN_INVALID`, `ERR_KEY_URI_INVALID`,
 *   `ERR_IMPORT_INVALID`
 */
export function requestFrom(fields: Fields): PeerRequest {
  const [hasSeed, hasToken] = [Object.hasOwn(fields, 'seed'), Object.hasOwn(fields, 'token')]
  const isComplete = hasSeed && hasToken
  const uri = keyUriIn(fields)
  requireUnderstood(
    fields,
    new Set([
      ...read,
      ...(uri ? ['uri'] : []),
      // What `add-peer --reveal` prints besides.
      ...(hasSeed ? ['seedId'] : []),
      ...(hasToken ? ['tokenId'] : []),
      // A remark of somebody's own: it can hide only what is not missing.
      ...(isComplete ? ['note'] : []),
    ]),
  )
  const text = (field: string): string | undefined => {
    const value = fields[field]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw invalidImport(`${field} must be a text or a number`)
  }
  const name = parseName(text('name') ?? text('peer') ?? '', 'peer')
  if (!isComplete && /^(a2at_|[A-Z2-7]{16,}$)/.test(name))
    throw invalidImport('the name looks like a seed or a token; if it is a name, run `a2a-totp add-peer`')
  const [note, replay] = [text('note'), text('replay')]
  if (replay !== undefined && !replayPolicies.some((policy) => policy === replay))
    throw invalidImport(`replay must be ${replayPolicies.join(' or ')}`)
  const seed = hasSeed ? Seed.fromBase32(credentialIn(fields, 'seed')) : undefined
  if (uri && uri.seed.base32 !== seed?.base32)
    throw invalidImport(
      '"seed" and "uri" do not have the same seed; leave out the wrong one, or give key URIs alone',
    )
  return {
    ...uri?.profile,
    name,
    ...profileFrom({
      algorithm: text('algorithm')?.toUpperCase(),
      digits: numberIn(text('digits')),
      period: numberIn(text('period')),
    }),
    replay: replay as ReplayPolicy | undefined,
    note,
    seed,
    token: hasToken ? Token.parse(credentialIn(fields, 'token')) : undefined,
  }
}

/** A key without a value is no reason to make one: the value may have been lost on the way. */
function credentialIn(fields: Fields, key: 'seed' | 'token'): string {
  const value = fields[key]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw invalidImport(`"${key}" is empty or not a string; leave the key out to have a new ${key} made`)
}

/** The key URI that `export` and `add-peer --reveal` print beside the seed. */
function keyUriIn({ uri }: Fields): KeyUri | undefined {
  return typeof uri === 'string' && /^\s*otpauth:/i.test(uri) ? parseKeyUri(uri) : undefined
}

function profileFrom(given: Fields): Partial<CodeProfile> {
  const fields = (['algorithm', 'digits', 'period'] as const).filter((field) => given[field] !== undefined)
  for (const field of fields) {
    const { allows, expected } = profileRules[field]
    if (!allows(given[field])) throw invalidImport(`${field} must be ${expected}`)
  }
  return Object.fromEntries(fields.map((field) => [field, given[field]]))
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
