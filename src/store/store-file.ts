import * as v from 'valibot'
import { describeIssue, type Path } from '../core/document.js'
import { TOTPError } from '../core/errors.js'
import { isObject, requireJson } from '../core/json.js'
import {
  canariesOf,
  type Canary,
  type Credential,
  type Peer,
  type RemovedPeer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from '../core/roster.js'
import { checkName, checkRoster, notValid } from './roster-rules.js'
import { canarySchema, documentSchema, peerSchema } from './schema.js'

/** The schema version that this release reads and writes. */
const version = 1

/** The content of a store's JSON text. */
export interface StoreDocument {
  readonly roster: Roster
  /**
   * The recipients of an encrypted store. They are listed inside because age does not record them, and the next change
   * must encrypt for all of them. Empty for a plaintext store or one with a passphrase.
   */
  readonly recipients: readonly string[]
}

/**
 * Reads the JSON text of a store.
 *
 * Refuses unknown keys instead of ignoring them: the next change would lose them.
 *
 * @throws {TOTPError} `ERR_STORE_VERSION` when a newer release wrote it; `ERR_STORE_INVALID` with the path of
 *   the first invalid field, such as `peers.alice.seeds[0].seed`, or the line and column where the text is not JSON or
 *   repeats a key, but never a value.
 */
export function parseStore(text: string): StoreDocument {
  // A repeated name would silently lose a peer at the next change.
  const document = requireJson(text, 'the store', unusable, { uniqueKeys: true })
  refuseNewer(document)
  const {
    serial,
    recipients = [],
    agent,
    profile,
    replay,
    signed,
    sharedSeeds,
    peers: peerEntries,
    canaries: canaryEntries,
    removed,
  } = checked(documentSchema, document, [])
  const peers = named('peers', peerEntries, (entry, path) => checked(peerSchema, entry, path))
  const canaries =
    canaryEntries && named('canaries', canaryEntries, (entry, path) => checked(canarySchema, entry, path))
  const roster: Roster = {
    ...(serial !== undefined && { serial }),
    agent: agent.name,
    url: agent.url,
    profile,
    replay,
    ...(signed && { signed }),
    sharedSeeds,
    peers,
    ...(canaries && { canaries }),
    ...(removed && { removed }),
  }
  checkRoster(roster)
  return { roster, recipients }
}

/** The serial of a damaged store in plain text, which may still be found; else zero. */
export function serialAtSight(bytes: Uint8Array): number {
  const [, digits = '0'] = /"serial": ?(\d{1,15})\b/.exec(Buffer.from(bytes).toString('latin1')) ?? []
  return Number(digits)
}

/** Reads entries whose keys are their names. */
function named<T extends object>(
  key: 'peers' | 'canaries',
  entries: Readonly<Record<string, unknown>>,
  read: (entry: unknown, path: Path) => T,
): Map<string, T & { readonly name: string }> {
  const found = new Map<string, T & { readonly name: string }>()
  for (const name of Object.keys(entries)) {
    checkName(name, key)
    found.set(name, Object.assign(read(entries[name], [key, name]), { name }))
  }
  return found
}

/**
 * Formats the JSON text of a store: indented by two, one line for each peer, canary and removed peer, keys in a fixed order, a newline at the end.
 * Secret: it holds every seed and token. {@link parseStore} reads it back.
 *
 * @throws {TOTPError} `ERR_STORE_INVALID` for a roster that {@link checkRoster} rejects
 */
export function formatStore(roster: Roster, recipients: readonly string[] = []): string {
  checkRoster(roster)
  const { serial, agent, url, profile, replay, signed, sharedSeeds, peers, removed = [] } = roster
  const canaries = canariesOf(roster)
  const { algorithm, digits, period, window, header } = profile
  const head = {
    version,
    serial,
    recipients: recipients.length === 0 ? undefined : recipients,
    agent: { name: agent, url },
    profile: { algorithm, digits, period, window, header },
    replay,
    signed,
    sharedSeeds: sharedSeeds?.map(seedEntry),
  }
  const blocks = [
    block('peers', [...peers.values()], peerEntry),
    ...(canaries.length === 0 ? [] : [block('canaries', canaries, canaryEntry)]),
    ...(removed.length === 0 ? [] : [list('removed', removed.map(removedEntry))]),
  ]
  return `${[JSON.stringify(head, null, 2).slice(0, -'\n}'.length), ...blocks].join(',\n')}\n}\n`
}

/** A key of the document, with one line for each of its entries. */
function block<T extends { readonly name: string }>(
  key: string,
  entries: readonly T[],
  format: (entry: T) => unknown,
): string {
  const lines = entries.map(
    (entry) => `\n    ${JSON.stringify(entry.name)}: ${JSON.stringify(format(entry))}`,
  )
  return `  "${key}": {${lines.join(',')}${lines.length > 0 ? '\n  ' : ''}}`
}

/** A key of the document whose value is a list, with one line for each of its entries. */
function list(key: string, entries: readonly unknown[]): string {
  return `  "${key}": [${entries.map((entry) => `\n    ${JSON.stringify(entry)}`).join(',')}\n  ]`
}

function canaryEntry({ note, createdAt, tokens }: Canary): unknown {
  return { note, createdAt: createdAt.toISOString(), tokens: tokens.map(tokenEntry) }
}

function peerEntry(peer: Peer): unknown {
  const { algorithm, digits, period, replay, signed, note, createdAt, seeds, tokens, pending } = peer
  return {
    algorithm,
    digits,
    period,
    replay,
    signed,
    note,
    createdAt: createdAt.toISOString(),
    seeds: seeds.map(seedEntry),
    tokens: tokens.map(tokenEntry),
    pending: pending && { ...pending, since: pending.since.toISOString() },
  }
}

function removedEntry(peer: RemovedPeer): unknown {
  const { name, algorithm, digits, period, replay, signed, removedAt, seed, token } = peer
  return {
    ...{ name, algorithm, digits, period, replay, signed, removedAt: removedAt.toISOString() },
    seed: seedEntry(seed),
    token: tokenEntry(token),
  }
}

function seedEntry(credential: SeedCredential): unknown {
  return { id: credential.id, seed: credential.seed.base32, ...lifeOf(credential) }
}

function tokenEntry(credential: TokenCredential): unknown {
  const { id, token } = credential
  const known = token.value === undefined ? { hash: token.hash } : { token: token.value }
  return { id, ...known, ...lifeOf(credential) }
}

function lifeOf({ createdAt, expiresAt, staged }: Credential): object {
  return { createdAt: createdAt.toISOString(), expiresAt: expiresAt?.toISOString(), staged }
}

function unusable(message: string): TOTPError {
  return new TOTPError('ERR_STORE_INVALID', message)
}

function refuseNewer(document: unknown): void {
  const found = isObject(document) ? document['version'] : undefined
  if (typeof found === 'number' && found > version) {
    throw new TOTPError(
      'ERR_STORE_VERSION',
      'the store was written by a newer version of a2a-totp; update a2a-totp',
    )
  }
}

function checked<S extends v.GenericSchema>(schema: S, value: unknown, path: Path): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw notValid(describeIssue(result.issues[0], path))
}
