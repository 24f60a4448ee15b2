import * as v from 'valibot'
import { describeIssue, formatPath, resultOrNone, type Path } from '../../core/document.js'
import { TOTPError } from '../../core/errors.js'
import { parseRfc3339 } from '../../core/instant.js'
import { isObject, requireJson } from '../../core/json.js'
import { isName, nameRule } from '../../core/name.js'
import {
  replayRule,
  type CodeProfile,
  type ProfileRules,
  type ReplayPolicy,
  type TOTPProfile,
} from '../../core/profile.js'
import { signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import { Seed } from '../../core/seed.js'
import { mayShareSeed, sharedOnce } from '../../core/shared-seed.js'
import { serverFileRequirements, serverFileVersion, type ServerFileCanary } from '../../core/server-file.js'
import { isTokenHash } from '../../core/token.js'

/** A parsed server file: times are dates, and each peer has the seeds that apply to it. */
export interface ServerFileSettings {
  /** Grows with each change of the store; undefined in a file without one. */
  readonly serial?: number
  readonly agent: string
  /** The agent's own policy for proofs. */
  readonly signed: SignedPolicy
  readonly profile: TOTPProfile
  readonly peers: readonly ServerFilePeer[]
  /** The seeds of all peers; empty if each peer has its own. */
  readonly sharedSeeds: readonly ServerFileSeed[]
  readonly canaries: readonly ServerFileCanary[]
}

export interface ServerFilePeer extends Partial<CodeProfile> {
  readonly name: string
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
  readonly seeds: readonly ServerFileSeed[]
  readonly tokens: readonly ServerFileToken[]
}

interface ServerFileSeed {
  readonly id: string
  /** In base32. */
  readonly seed: string
  readonly expiresAt?: Date
}

interface ServerFileToken {
  readonly id: string
  /** `sha256:` and hex. */
  readonly hash: string
  readonly expiresAt?: Date
}

/** A value that one of our own rules allows. The message says only what would be right. */
const allowed = <T>({ allows, expected }: { allows: (value: unknown) => boolean; expected: string }) =>
  v.custom<T>(allows, `must be ${expected}`)

const textThat = (allows: (given: string) => boolean, expected: string) =>
  allowed<string>({ allows: (value) => typeof value === 'string' && allows(value), expected })

const id = textThat((given) => given !== '', 'a non-empty string')
const at = v.pipe(
  textThat((given) => parseRfc3339(given) !== undefined, 'an RFC 3339 time, like 2026-11-23T22:45:01Z'),
  v.transform((given) => new Date(given)),
)
const seeds = v.array(
  v.object({ id, seed: textThat(isSeed, 'a seed in base32'), expiresAt: v.exactOptional(at) }),
)
const hash = textThat(isTokenHash, 'sha256: and 64 hex digits')
const tokens = v.array(v.object({ id, hash, expiresAt: v.exactOptional(at) }))
const canaries = v.array(v.object({ name: textThat(isName, nameRule), id, hash }))
const serial = allowed<number>({
  allows: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  expected: 'a whole number, 0 or more',
})
const replay = allowed<ReplayPolicy>(replayRule)

const signed = v.optional(allowed<SignedPolicy>(signedRule), 'off')

const isRequirement = (word: unknown): boolean => serverFileRequirements.some((known) => known === word)

/** Unknown keys are ignored, which is why an unknown word in `requires` is not. */
const schemasFor = (rules: ProfileRules) => {
  const field = <K extends keyof TOTPProfile>(name: K) => allowed<TOTPProfile[K]>(rules[name])
  const codes = { algorithm: field('algorithm'), digits: field('digits'), period: field('period') }
  const { algorithm, digits, period } = codes
  return {
    document: v.object({
      version: v.literal(
        serverFileVersion,
        `must be ${serverFileVersion}; a newer a2a-totp reads newer ones`,
      ),
      requires: v.exactOptional(
        v.pipe(
          v.array(v.unknown()),
          v.everyItem(isRequirement, 'asks for what this version does not know; update a2a-totp'),
        ),
      ),
      agent: textThat(isName, nameRule),
      serial: v.exactOptional(serial),
      signed,
      profile: v.object({ ...codes, window: field('window'), header: field('header') }),
      sharedSeeds: v.exactOptional(seeds),
      // Valibot's `record` drops legal names such as `constructor`.
      peers: v.custom<Readonly<Record<string, unknown>>>(isObject, 'must be an object'),
      canaries: v.exactOptional(canaries),
    }),
    peer: v.object({
      replay,
      signed,
      algorithm: v.exactOptional(algorithm),
      digits: v.exactOptional(digits),
      period: v.exactOptional(period),
      seeds: v.exactOptional(seeds),
      tokens,
    }),
  }
}

/**
 * Reads the JSON text of a server file.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with the path of the first bad field, like `peers.alice.seeds[0].seed`,
 *   and never with its value; `ERR_SEED_MISSING` for a peer without a seed.
 */
export function parseServerFile(text: string, rules: ProfileRules): ServerFileSettings {
  const schemas = schemasFor(rules)
  const given = requireJson(text, 'it', notJson)
  if (isStore(given)) throw invalid(aStore)
  const document = checked(schemas.document, given, [])
  const { serial, agent, signed, profile, sharedSeeds, peers, canaries = [] } = document
  if (sharedSeeds?.length === 0) throw missing(['sharedSeeds'])
  const parsed = Object.entries(peers).map(([name, entry]) => {
    if (!isName(name)) throw invalid(`peers has a peer name that is not allowed; use ${nameRule}`)
    const path = ['peers', name]
    const peer = checked(schemas.peer, entry, path)
    if (sharedSeeds && peer.seeds) {
      throw invalid(`${formatPath([...path, 'seeds'])} must be absent if the file has sharedSeeds`)
    }
    if (sharedSeeds && !mayShareSeed(peer)) {
      const remedy = 'give each peer its own seeds, use reuse, or require proofs'
      throw invalid(`${formatPath([...path, 'replay'])} must not be ${peer.replay}: ${sharedOnce}; ${remedy}`)
    }
    const seeds = sharedSeeds ?? peer.seeds ?? []
    if (seeds.length === 0) throw missing([...path, 'seeds'])
    return { ...peer, name, seeds }
  })
  requireOwnTokens(canaries, parsed)
  return {
    ...(serial !== undefined && { serial }),
    agent,
    signed,
    profile,
    peers: parsed,
    sharedSeeds: sharedSeeds ?? [],
    canaries,
  }
}

/** Checked here because with a delegate of its own a scheme does not use the tokens of the file. */
function requireOwnTokens(canaries: readonly ServerFileCanary[], peers: readonly ServerFilePeer[]): void {
  if (canaries.length === 0) return
  const known = new Set(peers.flatMap(({ tokens }) => tokens.map(({ hash }) => hash)))
  for (const [index, { hash }] of canaries.entries()) {
    if (known.has(hash)) {
      throw invalid(
        `${formatPath(['canaries', index, 'hash'])} must differ from the hash of every other token`,
      )
    }
    known.add(hash)
  }
}

/** Easily taken for it: both have a version, an agent and peers, but that of a store has more than a name. */
const isStore = (given: unknown): boolean =>
  isObject(given) && given['version'] === serverFileVersion && isObject(given['agent'])

const aStore = 'it is a store, which holds every token; give the agent what `a2a-totp config server` prints'

function notJson(message: string): TOTPError {
  return invalid(`${message}; make it with \`a2a-totp config server\``)
}

function checked<S extends v.GenericSchema>(schema: S, value: unknown, path: Path): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  throw invalid(describeIssue(result.issues[0], path))
}

function missing(path: Path): TOTPError {
  return new TOTPError('ERR_SEED_MISSING', `${formatPath(path)} has no seed; add at least one`)
}

function invalid(words: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', words)
}

function isSeed(text: string): boolean {
  return resultOrNone(() => Seed.fromBase32(text)) !== undefined
}
