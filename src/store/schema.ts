import * as v from 'valibot'
import { resultOrNone } from '../core/document.js'
import { parseRfc3339 } from '../core/instant.js'
import { isObject } from '../core/json.js'
import { isName, nameRule } from '../core/name.js'
import { profileRules, replayRule, type ReplayPolicy, type TOTPProfile } from '../core/profile.js'
import { signedRule, type SignedPolicy } from '../core/proof/profile.js'
import { rotationSteps, type TokenCredential } from '../core/roster.js'
import { Seed } from '../core/seed.js'
import { Token, TokenHash } from '../core/token.js'
import { parseHttpUrl } from '../core/url.js'
import { wasHeaderName } from './old-header.js'

/** A value that one of our own rules allows. The message says only what is expected. */
const allowed = <T>({ allows, expected }: { allows: (value: unknown) => boolean; expected: string }) =>
  v.custom<T>(allows, `must be ${expected}`)

const field = <K extends keyof TOTPProfile>(name: K) => allowed<TOTPProfile[K]>(profileRules[name])

const text = v.string('must be a string')

const name = allowed<string>({
  allows: (value) => typeof value === 'string' && isName(value),
  expected: nameRule,
})

const url = allowed<string>({
  allows: (value) => typeof value === 'string' && parseHttpUrl(value) !== undefined,
  expected: 'an absolute http or https URL',
})

const replay = allowed<ReplayPolicy>(replayRule)
const signed = allowed<SignedPolicy>(signedRule)

/** A string that a parser accepts, parsed. An issue has our own message; the parser's error may quote a secret. */
const parsed = <T>(parse: (given: string) => T | undefined, expected: string) =>
  v.pipe(
    text,
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (value !== undefined) return value
      addIssue({ message: `must be ${expected}` })
      return NEVER
    }),
  )

const at = parsed(parseUtc, 'an RFC 3339 time in UTC, like 2026-11-23T22:45:01Z')
const seed = parsed((given) => resultOrNone(() => Seed.fromBase32(given)), 'a seed in base32')
const token = parsed((given) => resultOrNone(() => Token.parse(given)), 'an RFC 6750 b64token')

const header = allowed<string>({
  allows: (value) => profileRules.header.allows(value) || (typeof value === 'string' && wasHeaderName(value)),
  expected: profileRules.header.expected,
})
const codeProfile = { algorithm: field('algorithm'), digits: field('digits'), period: field('period') }
const hash = parsed((given) => resultOrNone(() => TokenHash.parse(given)), 'sha256: and 64 hex digits')
const yes = v.literal(true, 'must be true')
const credential = {
  id: name,
  createdAt: at,
  expiresAt: v.exactOptional(at),
  staged: v.exactOptional(yes),
}

const seeds = v.array(v.strictObject({ ...credential, seed }))

/** A token, or its hash where only that is known. */
const tokenOrHash = v.pipe(
  v.strictObject({ ...credential, token: v.exactOptional(token), hash: v.exactOptional(hash) }),
  v.rawTransform<TokenEntry, TokenCredential>(({ dataset, addIssue, NEVER }) => {
    const entry = dataset.value
    // A copy of each token would be a fifth of the time that a store with many peers takes.
    if (hasTokenAlone(entry)) return entry
    const { token: whole, hash: known, ...rest } = entry
    if (known && !whole) return { ...rest, token: known }
    addIssue({ message: 'must have a token, or its hash, and not both' })
    return NEVER
  }),
)
const tokens = v.array(tokenOrHash)

interface TokenEntry extends Omit<TokenCredential, 'token'> {
  readonly token?: Token
  readonly hash?: TokenHash
}

function hasTokenAlone(entry: TokenEntry): entry is TokenCredential & { readonly token: Token } {
  return entry.token !== undefined && entry.hash === undefined
}

const count = allowed<number>({
  allows: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  expected: 'a whole number',
})

const pending = v.strictObject({
  id: name,
  since: at,
  step: v.picklist(rotationSteps, `must be one of ${rotationSteps.join(', ')}`),
  seed: v.boolean('must be true or false'),
  token: v.boolean('must be true or false'),
  overlapMs: count,
})

/** One entry of `peers`. Its name is the key, which the reader checks. */
export const peerSchema = v.strictObject({
  ...codeProfile,
  replay: v.exactOptional(replay),
  signed: v.exactOptional(signed),
  note: v.exactOptional(text),
  createdAt: at,
  seeds,
  tokens,
  pending: v.exactOptional(pending),
})

/** One entry of `canaries`. */
export const canarySchema = v.strictObject({ note: v.exactOptional(text), createdAt: at, tokens })

/** One entry of `removed`: the token is sent once more, so that its hash alone is of no use. */
const removedSchema = v.strictObject({
  name,
  ...codeProfile,
  replay,
  signed,
  removedAt: at,
  seed: v.strictObject({ ...credential, seed }),
  token: v.strictObject({ ...credential, token }),
})

/** An age public key: bech32 in lower case. `age1pq1…` and `age1tag1…` are other kinds of recipients. */
const recipient = allowed<string>({
  allows: (value) =>
    typeof value === 'string' && /^age1(?:(?:pq|tag|tagpq)1)?[02-9ac-hj-np-z]{6,}$/.test(value),
  expected: 'an age recipient, age1…',
})

const entries = v.custom<Readonly<Record<string, unknown>>>(isObject, 'must be an object')

/** The document without what is in its peers and canaries: valibot's `record` drops valid names such as `constructor`. */
export const documentSchema = v.strictObject({
  version: v.literal(1, 'must be 1'),
  serial: v.exactOptional(count),
  recipients: v.exactOptional(v.array(recipient)),
  agent: v.strictObject({ name, url: v.exactOptional(url) }),
  profile: v.strictObject({ ...codeProfile, window: field('window'), header }),
  replay,
  signed: v.exactOptional(signed),
  sharedSeeds: v.exactOptional(seeds),
  peers: entries,
  canaries: v.exactOptional(entries),
  removed: v.exactOptional(v.array(removedSchema)),
})

/** The last instant that was read; at first the one that is zero. */
let last = { text: '1970-01-01T00:00:00Z', ms: 0 }

/**
 * RFC 3339 in UTC, with milliseconds at most: what a `Date` can hold without loss. A peer, its seed and its token were
 * usually made at once, so that two of three instants of a store repeat the one before.
 */
function parseUtc(given: string): Date | undefined {
  if (given === last.text) return new Date(last.ms)
  const at = /^.{10}T.{8}(\.\d{1,3})?Z$/.test(given) ? parseRfc3339(given) : undefined
  if (at) last = { text: given, ms: at.getTime() }
  return at
}
