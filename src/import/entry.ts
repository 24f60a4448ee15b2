import type { CanaryRequest } from '../core/canary.js'
import { isTOTPError } from '../core/errors.js'
import { asObject, isObject } from '../core/json.js'
import { parseAccountUri, type AccountUri } from '../core/key-uri.js'
import { parseKeptInstant } from '../core/instant.js'
import { isNewName, nameRule, parseNewName, quoteName } from '../core/name.js'
import { profileRules, replayRule, type CodeProfile, type TOTPProfile } from '../core/profile.js'
import { signedRule } from '../core/proof/profile.js'
import type { PeerRequest } from '../core/provision.js'
import { Seed } from '../core/seed.js'
import { Token } from '../core/token.js'
import type { WordRule } from '../core/words.js'
import { isCredentialText } from './credential-likeness.js'
import { invalidImport, wordIn, type Fields } from './fields.js'
import { requireUnderstood } from './understood.js'

/** What a peer is made from, without its name. */
export type NamelessRequest = Omit<PeerRequest, 'name'> & { readonly name?: undefined }

/** One peer or canary of an import, or why it cannot be imported. `where` is its position, such as `line 3`. */
export type Entry =
  | (Labelled & { readonly where: string; readonly request: PeerRequest })
  /** Its label is not allowed as a name, and nothing else is wrong with it. */
  | (Labelled & { readonly where: string; readonly request: NamelessRequest; readonly nameProblem: string })
  | { readonly where: string; readonly canary: CanaryRequest }
  | { readonly where: string; readonly problem: string }

/** What a client fragment says besides its peer. */
export interface ClientAbout {
  readonly agent?: string | undefined
  readonly url?: string | undefined
  readonly header?: string | undefined
  readonly window?: TOTPProfile['window'] | undefined
  /** Whether the name of the peer is only a guess, from a comment or the name of a resource. */
  readonly guessed?: boolean
}

/** How another tool names an account. */
export interface Labelled {
  /** Whether its name was given on the command line. */
  readonly isNamed?: true
  /** What a client fragment says besides. */
  readonly client?: ClientAbout
  /** The agent whose store was exported. */
  readonly exportedFrom?: string
  /** The account, such as a mail address, as it was written. Undefined if it has none. */
  readonly label?: string | undefined
  /** The site or the agent that the account is for. */
  readonly issuer?: string | undefined
}

/** What reading an entry returns: the label becomes the name if it is allowed as one. */
export interface Account extends Labelled {
  readonly request: NamelessRequest
}

/** Reads one peer. A {@link TOTPError} becomes its problem. */
export function entryOf(where: string, read: () => Account): Entry {
  return orProblem(where, () => {
    const { label: given, issuer, request } = read()
    const label = given?.trim() === '' ? undefined : given?.trim()
    const labels = { ...(label === undefined ? {} : { label }), ...(issuer ? { issuer } : {}) }
    if (label !== undefined && isNewName(label))
      return { where, ...labels, request: { ...request, name: label } }
    return { where, ...labels, request, nameProblem: nameProblemOf(label) }
  })
}

function nameProblemOf(label: string | undefined): string {
  if (label === undefined) return `peer name is missing; use ${nameRule}`
  return `peer name is not allowed${holdsSecret(label) ? '' : `: ${quoteName(label)}`}; use ${nameRule}`
}

/** Whether a text may contain a seed or a token, also beside other text: it stays out of messages then. */
function holdsSecret(text: string): boolean {
  return isCredentialText(text) || /[A-Za-z2-7]{16,}|([A-Za-z2-7]{4}[ -]){3}|otpauth|a2at_/i.test(text)
}

/** Reads one canary, as `export` prints it. */
export function canaryEntryOf(where: string, given: unknown): Entry {
  return orProblem(where, () => {
    const { name, note, token, expiresAt } = asObject(given)
    if (!isObject(given) || typeof name !== 'string' || typeof token !== 'string')
      throw invalidImport('a canary must have a name and a token')
    if (note !== undefined && typeof note !== 'string') throw invalidImport('note must be a string')
    requireUnderstood(given, new Set(['name', 'note', 'token', 'expiresAt']))
    const canary = {
      name: parseNewName(name, 'peer'),
      note,
      token: Token.parse(token),
      expiresAt: endIn(expiresAt),
    }
    return { where, canary }
  })
}

function orProblem(where: string, read: () => Entry): Entry {
  try {
    return read()
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return { where, problem: error.message }
  }
}

/** Keys whose values {@link requestFrom} checks. */
const read = ['seed', 'token', 'algorithm', 'digits', 'period', 'replay', 'signed', 'expiresAt']

/**
 * Reads a peer from an object. A seed or token is created for it only when its key is absent and nothing else in the
 * object looks like a credential.
 *
 * @throws {TOTPError} `ERR_SEED_INVALID`, `ERR_TOKEN_INVALID`, `ERR_KEY_URI_INVALID`,
 *   `ERR_IMPORT_INVALID`
 */
export function requestFrom(fields: Fields): Account {
  const [hasSeed, hasToken] = [Object.hasOwn(fields, 'seed'), Object.hasOwn(fields, 'token')]
  const isComplete = hasSeed && hasToken
  const uri = keyUriIn(fields)
  requireUnderstood(
    fields,
    new Set([
      ...read,
      ...(uri ? ['uri'] : []),
      // Also printed by `add-peer --reveal`.
      ...(hasSeed ? ['seedId'] : []),
      ...(hasToken ? ['tokenId'] : []),
      // Free text can hide a credential, which does no harm when none is missing.
      ...(isComplete ? ['note'] : []),
    ]),
  )
  const text = (field: string): string | undefined => {
    const value = fields[field]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw invalidImport(`${field} must be a string or a number`)
  }
  const name = text('name') ?? text('peer')
  if (name !== undefined && !isComplete && /^(a2at_|[A-Z2-7]{16,}$)/.test(name))
    throw invalidImport(
      'the name looks like a seed or a token; if it is one, correct it, else run `a2a-totp add-peer`',
    )
  const word = <W extends string>(field: string, rule: WordRule<W>): W | undefined => {
    const value = text(field)
    return value === undefined ? undefined : wordIn(field, rule, value)
  }
  const [note, replay, signed] = [text('note'), word('replay', replayRule), word('signed', signedRule)]
  const seed = hasSeed ? Seed.fromBase32(credentialIn(fields, 'seed')) : undefined
  if (uri && uri.seed.base32 !== seed?.base32)
    throw invalidImport(
      '"seed" and "uri" have different seeds; remove the wrong one, or import key URIs alone',
    )
  const request = {
    ...uri?.profile,
    ...profileFrom({
      algorithm: text('algorithm')?.toUpperCase(),
      digits: numberIn(text('digits')),
      period: numberIn(text('period')),
    }),
    ...{ replay, signed, note },
    seed,
    token: hasToken ? Token.parse(credentialIn(fields, 'token')) : undefined,
    expiresAt: endIn(text('expiresAt')),
  }
  return { label: name, request }
}

/** A key without a value is an error: its value may have been lost, so a new one would be wrong. */
function credentialIn(fields: Fields, key: 'seed' | 'token'): string {
  const value = fields[key]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw invalidImport(`"${key}" is empty or not a string; remove the key to create a new ${key}`)
}

/** Undefined for what never ends. */
function endIn(given: unknown): Date | undefined {
  if (given === undefined) return undefined
  const end = typeof given === 'string' ? parseKeptInstant(given) : undefined
  if (!end) throw invalidImport('expiresAt must be an RFC 3339 time, not beyond the year 9999')
  return end
}

/** Parses the key URI that `export` and `add-peer --reveal` print beside the seed. */
function keyUriIn({ uri }: Fields): AccountUri | undefined {
  return typeof uri === 'string' && /^\s*otpauth:/i.test(uri) ? parseAccountUri(uri) : undefined
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
