import { resultOrNone } from '../../core/document.js'
import { asObject, asText, isObject, type JsonObject } from '../../core/json.js'
import { parseKeptInstant } from '../../core/instant.js'
import { isName, nameRule, quoteName } from '../../core/name.js'
import { profileRules, replayRule, type CodeProfile, type TOTPProfile } from '../../core/profile.js'
import { signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import type { KnownAgent, KnownPeer } from '../../core/rebuild.js'
import type { Canary, Credential, SeedCredential, TokenCredential } from '../../core/roster.js'
import { Seed } from '../../core/seed.js'
import { newestSerial, serverFileRequirements, serverFileVersion } from '../../core/server-file.js'
import { isTokenHash, TokenHash } from '../../core/token.js'
import { invalidImport, wordIn } from '../fields.js'

/** Returns whether a document is a server file, as `config server` prints it. */
export function isServerFile(document: unknown): document is JsonObject {
  return (
    isObject(document) && isObject(document['profile']) && isObject(document['peers']) && 'agent' in document
  )
}

/**
 * Reads a server file. When its credentials were created is not in it: they are as old as the import.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` with the path of the first bad field, and never its value
 */
export function readServerFile(document: JsonObject, createdAt: Date): KnownAgent {
  if (document['version'] !== serverFileVersion)
    throw invalidImport(
      `version of the server file must be ${serverFileVersion}; a newer a2a-totp reads newer ones`,
    )
  const profile = readProfile(document['profile'])
  const requires = list(document['requires'], 'requires')
  if (!requires.every((word) => serverFileRequirements.some((known) => known === word)))
    throw invalidImport(
      'requires of the server file has a word that this version does not know; update a2a-totp',
    )
  const shared = document['sharedSeeds']
  const sharedSeeds = shared === undefined ? undefined : seedsIn(shared, 'sharedSeeds', createdAt)
  if (sharedSeeds?.length === 0) throw invalidImport('sharedSeeds is empty')
  return {
    agent: nameIn(document['agent'], 'agent'),
    profile,
    serial: serialIn(document['serial']),
    signed: signedIn(document['signed'], 'signed'),
    requiresOnce: requires.includes('once'),
    ...(sharedSeeds && { sharedSeeds }),
    peers: Object.entries(asObject(document['peers'])).map(([name, entry]) =>
      readPeer(nameIn(name, 'the name of a peer'), entry, profile, sharedSeeds !== undefined, createdAt),
    ),
    canaries: canariesIn(document['canaries'], createdAt),
  }
}

function readPeer(
  name: string,
  entry: unknown,
  profile: TOTPProfile,
  shared: boolean,
  createdAt: Date,
): KnownPeer {
  const path = `peers.${quoteName(name)}`
  if (!isObject(entry)) throw invalidImport(`${path} must be an object`)
  const replay = wordIn(`${path}.replay`, replayRule, entry['replay'])
  const signed = signedIn(entry['signed'], `${path}.signed`)
  const seeds = entry['seeds'] === undefined ? [] : seedsIn(entry['seeds'], `${path}.seeds`, createdAt)
  if (shared !== (seeds.length === 0))
    throw invalidImport(shared ? `${path}.seeds must be absent beside sharedSeeds` : `${path}.seeds is empty`)
  const tokens = list(entry['tokens'], `${path}.tokens`).map((one, index) =>
    tokenIn(one, `${path}.tokens[${index}]`, createdAt),
  )
  requireOwnIds(seeds, `${path}.seeds`)
  requireOwnIds(tokens, `${path}.tokens`)
  return { name, ...codeProfileIn(entry, profile, path), replay, signed, createdAt, seeds, tokens }
}

function canariesIn(given: unknown, createdAt: Date): Canary[] {
  const canaries = new Map<string, Canary & { readonly tokens: TokenCredential[] }>()
  for (const [index, one] of list(given, 'canaries').entries()) {
    const path = `canaries[${index}]`
    const name = nameIn(asObject(one)['name'], `${path}.name`)
    const token = tokenIn(one, path, createdAt)
    const known = canaries.get(name)
    if (known) known.tokens.push(token)
    else canaries.set(name, { name, createdAt, tokens: [token] })
  }
  return [...canaries.values()]
}

const codeFields = ['algorithm', 'digits', 'period'] as const

function readProfile(given: unknown): TOTPProfile {
  return fieldsIn(asObject(given), [...codeFields, 'window', 'header'], 'profile')
}

/** Each peer has the fields of the profile that it does not name itself. */
function codeProfileIn(entry: JsonObject, profile: TOTPProfile, path: string): CodeProfile {
  return fieldsIn({ ...profile, ...entry }, codeFields, path)
}

function fieldsIn<F extends keyof TOTPProfile>(
  given: JsonObject,
  fields: readonly F[],
  path: string,
): Pick<TOTPProfile, F> {
  for (const field of fields) {
    const { allows, expected } = profileRules[field]
    if (!allows(given[field])) throw invalidImport(`${path}.${field} must be ${expected}`)
  }
  return Object.fromEntries(fields.map((field) => [field, given[field]])) as Pick<TOTPProfile, F>
}

function seedsIn(given: unknown, path: string, createdAt: Date): SeedCredential[] {
  return list(given, path).map((one, index) => {
    const at = `${path}[${index}]`
    const seed = resultOrNone(() => Seed.fromBase32(asText(asObject(one)['seed'])))
    if (!seed) throw invalidImport(`${at}.seed must be a seed in base32`)
    return { ...credentialIn(one, at, createdAt), seed }
  })
}

function tokenIn(given: unknown, path: string, createdAt: Date): TokenCredential {
  const { hash } = asObject(given)
  if (typeof hash !== 'string' || !isTokenHash(hash))
    throw invalidImport(`${path}.hash must be sha256: and 64 hex digits`)
  return { ...credentialIn(given, path, createdAt), token: TokenHash.parse(hash) }
}

function credentialIn(given: unknown, path: string, createdAt: Date): Credential {
  const { id, expiresAt } = asObject(given)
  const end = typeof expiresAt === 'string' ? parseKeptInstant(expiresAt) : undefined
  if (expiresAt !== undefined && !end)
    throw invalidImport(`${path}.expiresAt must be an RFC 3339 time, not beyond the year 9999`)
  return { id: nameIn(id, `${path}.id`), createdAt, ...(end && { expiresAt: end }) }
}

function requireOwnIds(credentials: readonly Credential[], path: string): void {
  if (new Set(credentials.map(({ id }) => id)).size < credentials.length)
    throw invalidImport(`${path} has an id twice`)
}

/** Absent in a file of before, whose agent knew nothing of proofs. */
function signedIn(given: unknown, path: string): SignedPolicy {
  return given === undefined ? 'off' : wordIn(path, signedRule, given)
}

function serialIn(given: unknown): number {
  if (given === undefined) return 0
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 && given <= newestSerial)
    return given
  throw invalidImport(`serial must be a whole number up to ${newestSerial}`)
}

function nameIn(given: unknown, path: string): string {
  if (typeof given === 'string' && isName(given)) return given
  throw invalidImport(`${path} must be ${nameRule}`)
}

function list(given: unknown, path: string): readonly unknown[] {
  if (given === undefined) return []
  if (Array.isArray(given)) return given
  throw invalidImport(`${path} must be a list`)
}
