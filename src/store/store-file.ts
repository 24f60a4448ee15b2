import * as v from 'valibot'
import { A2aTotpError } from '../core/errors.js'
import { isName, nameRule, quoteName } from '../core/name.js'
import type { Credential, Peer, Roster, SeedCredential, TokenCredential } from '../core/peer.js'
import { documentSchema, isObject, peerSchema } from './schema.js'

/** The schema version that this release reads and writes. */
const version = 1

/** Where in the document something is: keys and indexes from the top. */
type Path = readonly (string | number)[]

/**
 * Reads the JSON text of a store.
 *
 * A key that is not part of the schema is refused rather than ignored: the next change would lose it.
 *
 * @throws {A2aTotpError} `ERR_STORE_VERSION` when a newer release wrote it; `ERR_STORE_INVALID` with the path of
 *   the first bad field, like `peers.alice.seeds[0].seed`, and never with its value.
 */
export function parseStore(text: string): Roster {
  const document = parseJson(text)
  refuseNewer(document)
  const { agent, profile, replay, sharedSeeds, peers: entries } = checked(documentSchema, document, [])
  if (sharedSeeds !== undefined) checkCredentials(sharedSeeds, ['sharedSeeds'])
  const peers = new Map<string, Peer>()
  for (const [name, entry] of Object.entries(entries)) {
    if (!isName(name)) throw invalid(['peers'], `has a peer name that is not allowed: give ${nameRule}`)
    const peer = { name, ...checked(peerSchema, entry, ['peers', name]) }
    checkPeer(peer, sharedSeeds !== undefined)
    peers.set(name, peer)
  }
  return {
    agent: agent.name,
    ...(agent.url === undefined ? {} : { url: agent.url }),
    profile,
    replay,
    ...(sharedSeeds === undefined ? {} : { sharedSeeds }),
    peers,
  }
}

/**
 * The JSON text of a store: indented by two, keys always in the same order, a newline at the end. Secret: it
 * holds every seed and token. {@link parseStore} gives the same roster back.
 */
export function formatStore({ agent, url, profile, replay, sharedSeeds, peers }: Roster): string {
  const { algorithm, digits, period, window, header } = profile
  const document = {
    version,
    agent: { name: agent, url },
    profile: { algorithm, digits, period, window, header },
    replay,
    sharedSeeds: sharedSeeds?.map(seedEntry),
    peers: Object.fromEntries([...peers].map(([name, peer]) => [name, peerEntry(peer)])),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function peerEntry({ algorithm, digits, period, replay, note, createdAt, seeds, tokens }: Peer): unknown {
  return {
    algorithm,
    digits,
    period,
    replay,
    note,
    createdAt,
    seeds: seeds.map(seedEntry),
    tokens: tokens.map(tokenEntry),
  }
}

function seedEntry({ id, seed, createdAt, expiresAt }: SeedCredential): unknown {
  return { id, seed: seed.base32, createdAt, expiresAt }
}

function tokenEntry({ id, token, createdAt, expiresAt }: TokenCredential): unknown {
  return { id, token: token.value, createdAt, expiresAt }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The cause is dropped on purpose: it quotes the text around the mistake.
    throw new A2aTotpError('ERR_STORE_INVALID', 'the store is not JSON; restore it from a backup')
  }
}

function refuseNewer(document: unknown): void {
  const found = isObject(document) ? document['version'] : undefined
  if (typeof found === 'number' && found > version) {
    throw new A2aTotpError('ERR_STORE_VERSION', 'the store was made by a newer a2a-totp; update this one')
  }
}

function checkPeer({ name, seeds, tokens }: Peer, shared: boolean): void {
  const path = ['peers', name]
  if (shared && seeds.length > 0) {
    throw invalid([...path, 'seeds'], 'must be empty, because the store has shared seeds')
  }
  if (!shared) checkCredentials(seeds, [...path, 'seeds'])
  checkCredentials(tokens, [...path, 'tokens'])
}

function checkCredentials(credentials: readonly Credential[], path: Path): void {
  if (credentials.length === 0) throw invalid(path, 'must not be empty')
  const ids = new Set<string>()
  for (const [index, { id }] of credentials.entries()) {
    if (ids.has(id)) throw invalid([...path, index, 'id'], 'must differ from the ids before it')
    ids.add(id)
  }
}

function checked<S extends v.GenericSchema>(schema: S, value: unknown, path: Path): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const keys = issue.path?.map(({ key }) => key as string | number) ?? []
  throw invalid([...path, ...keys], wordsFor(issue))
}

/** Our own words for an issue. Valibot's messages for objects and arrays quote what they found: never shown. */
function wordsFor({ type, expected, received, message }: v.BaseIssue<unknown>): string {
  if (expected === 'never') return 'is not known to this version'
  if (received === 'undefined') return 'is missing'
  if (type === 'strict_object') return 'must be an object'
  if (type === 'array') return 'must be a list'
  return message
}

function invalid(path: Path, words: string): A2aTotpError {
  return new A2aTotpError('ERR_STORE_INVALID', `the store is not valid: ${formatPath(path)} ${words}`)
}

function formatPath(path: Path): string {
  if (path.length === 0) return 'the document'
  return path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : (at ? '.' : '') + showKey(key)))
    .join('')
}

/** A key may be shown unless it could be a secret that was pasted in the wrong place. */
function showKey(key: string): string {
  return isName(key) && quoteName(key).startsWith('"') ? key : '(a key that is not shown)'
}
