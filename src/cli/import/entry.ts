import { A2aTotpError, isA2aTotpError } from '../../core/errors.js'
import { parseName } from '../../core/name.js'
import { profileRules, replayPolicies, type CodeProfile, type ReplayPolicy } from '../../core/profile.js'
import type { PeerRequest } from '../../core/provision.js'
import { Seed } from '../../core/seed.js'
import { Token } from '../../core/token.js'

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
    if (!isA2aTotpError(error)) throw error
    return { where, problem: error.message }
  }
}

/** What a line or an object says of a peer, as texts or numbers. Names and the like are checked, not trusted. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * @throws {A2aTotpError} `ERR_NAME_INVALID`, `ERR_SEED_INVALID`, `ERR_TOKEN_INVALID`, `ERR_IMPORT_INVALID`
 */
export function requestFrom(fields: Fields): PeerRequest {
  const text = (field: string): string | undefined => {
    const value = fields[field]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw invalidImport(`${field} must be a text or a number`)
  }
  const [seed, token, note, replay] = [text('seed'), text('token'), text('note'), text('replay')]
  if (replay !== undefined && !replayPolicies.some((policy) => policy === replay))
    throw invalidImport(`replay must be ${replayPolicies.join(' or ')}`)
  return {
    name: parseName(text('name') ?? text('peer') ?? '', 'peer'),
    ...profileFrom({
      algorithm: text('algorithm')?.toUpperCase(),
      digits: numberIn(text('digits')),
      period: numberIn(text('period')),
    }),
    ...(replay === undefined ? {} : { replay: replay as ReplayPolicy }),
    ...(note === undefined ? {} : { note }),
    ...(seed === undefined ? {} : { seed: Seed.fromBase32(seed) }),
    ...(token === undefined ? {} : { token: Token.parse(token) }),
  }
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

export function invalidImport(message: string): A2aTotpError {
  return new A2aTotpError('ERR_IMPORT_INVALID', message)
}
