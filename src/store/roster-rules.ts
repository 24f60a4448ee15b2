import { formatPath, type Path } from '../core/document.js'
import { TOTPError } from '../core/errors.js'
import { isInstant, isWritable } from '../core/instant.js'
import { isName, nameRule } from '../core/name.js'
import { canariesOf, type Credential, type Peer, type Roster, type TokenCredential } from '../core/roster.js'

/**
 * Checks the rules across fields: ids and tokens are unique, and each peer has a token and either seeds of its own or
 * the shared ones, never both. A canary has a token, and the name of no peer. A removed peer has its whole token. Every
 * instant can be written, and so read again.
 *
 * @throws {TOTPError} `ERR_STORE_INVALID` with the path of the first violation
 */
export function checkRoster(roster: Roster): void {
  const { serial = 0, sharedSeeds, peers, removed = [] } = roster
  // Also before it is written: the next number after the last exact one could not be read again.
  if (!Number.isSafeInteger(serial)) throw invalid(['serial'], 'must be a whole number')
  if (sharedSeeds !== undefined) checkCredentials(sharedSeeds, 'sharedSeeds')
  const known = new Set<string>()
  const keyOf = tokenKeyFor(roster)
  for (const [name, { createdAt, pending, seeds, tokens }] of peers) {
    checkName(name, 'peers')
    checkInstant(createdAt, 'peers', name, 'createdAt')
    if (pending) checkInstant(pending.since, 'peers', name, 'pending', 'since')
    if (sharedSeeds === undefined) checkCredentials(seeds, 'peers', name, 'seeds')
    else if (seeds.length > 0) {
      throw invalid(['peers', name, 'seeds'], 'must be empty, because the store has shared seeds')
    }
    checkTokens(tokens, keyOf, known, 'peers', name, 'tokens')
  }
  for (const { name, createdAt, tokens } of canariesOf(roster)) {
    checkName(name, 'canaries')
    checkInstant(createdAt, 'canaries', name, 'createdAt')
    if (peers.has(name)) throw invalid(['canaries', name], 'must not have the name of a peer')
    checkTokens(tokens, keyOf, known, 'canaries', name, 'tokens')
  }
  for (const [index, { name, removedAt, seed, token }] of removed.entries()) {
    if (!isName(name)) throw invalid(['removed', index, 'name'], `must be ${nameRule}`)
    checkInstant(removedAt, 'removed', index, 'removedAt')
    checkLife(seed, 'removed', index, 'seed')
    checkLife(token, 'removed', index, 'token')
    if (token.token.value === undefined) throw invalid(['removed', index, 'token', 'token'], 'is missing')
  }
}

/** @throws {TOTPError} `ERR_STORE_INVALID`. Does not quote the name, which may be a secret in the wrong place. */
export function checkName(name: string, key: 'peers' | 'canaries'): void {
  if (isName(name)) return
  const what = key === 'peers' ? 'peer' : 'canary'
  throw invalid([key], `has a ${what} name that is not allowed; expected ${nameRule}`)
}

type KeyOf = (token: TokenCredential['token']) => string

/** What tells tokens apart. Hashing costs time, and loads a module, so it is done only if some are known by their hash alone. */
function tokenKeyFor(roster: Roster): KeyOf {
  const isHashed = ({ tokens }: Pick<Peer, 'tokens'>): boolean =>
    tokens.some(({ token }) => token.value === undefined)
  const someHashed = [...roster.peers.values()].some(isHashed) || canariesOf(roster).some(isHashed)
  return (token) => (someHashed ? token.hash : (token.value ?? ''))
}

/** @param known the keys of the tokens before these; those of these are added */
function checkTokens(
  tokens: readonly TokenCredential[],
  keyOf: KeyOf,
  known: Set<string>,
  ...path: Path
): void {
  checkCredentials(tokens, ...path)
  for (const [index, { token }] of tokens.entries()) {
    const key = keyOf(token)
    if (known.has(key)) throw invalid([...path, index, 'token'], 'must differ from every other token')
    known.add(key)
  }
}

function checkCredentials(credentials: readonly Credential[], ...path: Path): void {
  if (credentials.length === 0) throw invalid(path, 'must not be empty')
  for (const [index, credential] of credentials.entries()) checkLife(credential, ...path, index)
  // The usual case, and a store has two lists for each peer.
  if (credentials.length === 1) return
  const ids = new Set<string>()
  for (const [index, { id }] of credentials.entries()) {
    if (ids.has(id)) throw invalid([...path, index, 'id'], 'must differ from the ids before it')
    ids.add(id)
  }
}

function checkLife({ createdAt, expiresAt }: Credential, ...path: Path): void {
  checkInstant(createdAt, ...path, 'createdAt')
  if (expiresAt) checkInstant(expiresAt, ...path, 'expiresAt')
}

/** An invalid date is a bug, and cannot be formatted at all. */
function checkInstant(at: Date, ...path: Path): void {
  if (isInstant(at) && !isWritable(at)) throw invalid(path, 'must be in the years 0000 to 9999')
}

function invalid(path: Path, words: string): TOTPError {
  return notValid(`${formatPath(path)} ${words}`)
}

/** @param words the place in the store and what is wrong there; never the value */
export function notValid(words: string): TOTPError {
  return new TOTPError('ERR_STORE_INVALID', `the store is not valid: ${words}`)
}
