import { encodingOfMisread, wrongEncoding } from '../../../core/encoding.js'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { liveOf, liveSeedsOf, seedToHandOut } from '../../../core/live-credentials.js'
import {
  newestLive,
  seedsOf,
  signedOf,
  type Peer,
  type Roster,
  type SeedCredential,
} from '../../../core/roster.js'
import { quoteName } from '../../../core/name.js'
import { profileFromVariables } from '../../../core/profile-variables.js'
import { parseProfile, type TOTPProfile } from '../../../core/profile.js'
import { peerNamed } from '../../../core/provision.js'
import { minimumSeedBits, Seed } from '../../../core/seed.js'
import { Token, type TokenHash } from '../../../core/token.js'
import type { Env } from '../../../programs/environment.js'
import type { CliContext } from '../../context.js'

/** The peer whose codes a command generates or checks, from the store or the environment. */
export interface CodeSource {
  /** The peer's name; undefined if the credentials come from the environment. */
  readonly peer?: string
  readonly agent?: string
  readonly url?: string
  readonly profile: TOTPProfile
  /** The window of the agent; undefined if it is not known, and then that of the profile is the default. */
  readonly window?: number
  /** Every live seed; last the one to generate codes with. */
  readonly seeds: readonly [Seed, ...Seed[]]
  /** When the seed to generate codes with ends, if it does. */
  readonly seedEnd?: Date
  /** The newest live token; undefined if only a seed is known. */
  readonly token?: Token | TokenHash
  /** Whether the agent refuses requests of the peer without a proof. */
  readonly mustSign: boolean
}

/** The seed to generate codes with. */
export function newestSeed({ seeds }: CodeSource): Seed {
  return seeds[seeds.length - 1] ?? seeds[0]
}

/**
 * Finds the peer of a command: by name in the store; without a name by `$A2A_TOTP_SEED`, else the store's only peer.
 *
 * @param at when its credentials are to be live; by default now. When they were created does not matter
 * @throws {TOTPError} `ERR_USAGE` if the peer is ambiguous, `ERR_PEER_UNKNOWN`,
 *   `ERR_CREDENTIAL_EXPIRED`, `ERR_CONFIG_INVALID` for a bad variable, or `ERR_STORE_*`.
 */
export async function findCodeSource(
  { env, store, output, now }: Pick<CliContext, 'env' | 'store' | 'output' | 'now'>,
  name: string | undefined,
  at?: Date,
): Promise<CodeSource> {
  const source =
    name === undefined && env['A2A_TOTP_SEED']
      ? sourceFromEnvironment(env)
      : sourceAt(...(await namedOrOnly(store, name)), at, now())
  warnOfWeakSeed(output, newestSeed(source))
  return source
}

/**
 * Returns what the store has of the same peer now; its seeds may have ended or been rotated since.
 *
 * @throws {TOTPError} as {@link findCodeSource}
 */
export async function findAgain(
  { store, now }: Pick<CliContext, 'store' | 'now'>,
  source: CodeSource,
): Promise<CodeSource> {
  if (source.peer === undefined) return source
  return sourceFromStore(...(await namedOrOnly(store, source.peer)), now())
}

/** Warns of a seed that is too short. It is used nevertheless: somebody else may have issued it. */
export function warnOfWeakSeed(output: CliContext['output'], { bits, strong }: Seed): void {
  if (strong) return
  output.warn(`this seed has ${bits} bits; RFC 4226 requires at least ${minimumSeedBits}; replace it`)
}

async function namedOrOnly(store: CliContext['store'], name: string | undefined): Promise<[Roster, Peer]> {
  if (name !== undefined) {
    const roster = await store.read()
    return [roster, peerNamed(roster, name)]
  }
  if (store.isMissing()) {
    throw new TOTPError(
      'ERR_USAGE',
      'no peer named, $A2A_TOTP_SEED is not set and there is no store; pass NAME',
    )
  }
  const roster = await store.read()
  const [only, second] = roster.peers.values()
  if (only && !second) return [roster, only]
  throw new TOTPError(
    'ERR_USAGE',
    only
      ? `the store has ${roster.peers.size} peers; pass NAME`
      : 'the store has no peers yet; run `a2a-totp add-peer NAME` first',
  )
}

function sourceAt(roster: Roster, peer: Peer, at: Date | undefined, now: Date): CodeSource {
  const liveAt = at !== undefined && liveOf(seedsOf(roster, peer), at).length > 0
  if (at === undefined || at <= now || liveAt) return sourceFromStore(roster, peer, at ?? now)
  // What has expired already is said first.
  liveSeedsOf(roster, peer, now)
  throw new TOTPError(
    'ERR_CREDENTIAL_EXPIRED',
    `every seed of ${quoteName(peer.name)} will have expired at ${at.toISOString()}; pass an earlier time`,
  )
}

/** @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when none of the peer's seeds is live. */
export function sourceFromStore(roster: Roster, peer: Peer, at: Date): CodeSource {
  const inUse = seedToHandOut(roster, peer, at)
  const others = liveSeedsOf(roster, peer, at).filter((one) => one !== inUse)
  const token = newestLive(peer.tokens, at)?.token
  const { algorithm, digits, period } = peer
  return {
    peer: peer.name,
    agent: roster.agent,
    url: roster.url,
    profile: { ...roster.profile, algorithm, digits, period },
    window: roster.profile.window,
    seeds: inOrder(others, inUse),
    ...(inUse.expiresAt && { seedEnd: inUse.expiresAt }),
    token,
    mustSign: signedOf(roster, peer) === 'require',
  }
}

function inOrder(others: readonly SeedCredential[], last: SeedCredential): [Seed, ...Seed[]] {
  const [first, ...more] = others.map(({ seed }) => seed)
  return first ? [first, ...more, last.seed] : [last.seed]
}

/** An empty variable counts as missing. */
function sourceFromEnvironment(env: Env): CodeSource {
  const { A2A_TOTP_AGENT: agent, A2A_TOTP_URL: url, A2A_TOTP_SEED: seed = '', A2A_TOTP_TOKEN: token } = env
  const given = profileFromVariables(env)
  const { window } = given
  return {
    ...(agent ? { agent } : {}),
    ...(url ? { url } : {}),
    ...(window === undefined ? {} : { window }),
    seeds: [fromVariable('A2A_TOTP_SEED', seed, (text) => Seed.fromBase32(text))],
    profile: parseProfile(given),
    mustSign: env['A2A_TOTP_SIGNED'] === 'require',
    ...(token ? { token: fromVariable('A2A_TOTP_TOKEN', token, (text) => Token.parse(text)) } : {}),
  }
}

/** @throws {TOTPError} `ERR_CONFIG_INVALID`, with the variable's name, if it cannot be parsed. */
export function fromVariable<T>(name: string, value: string, parse: (value: string) => T): T {
  try {
    return parse(value)
  } catch (error) {
    if (!isTOTPError(error)) throw error
    const encoding = encodingOfMisread(value)
    if (encoding !== undefined) throw new TOTPError('ERR_CONFIG_INVALID', wrongEncoding(`$${name}`, encoding))
    throw new TOTPError('ERR_CONFIG_INVALID', `$${name}: ${error.message}`)
  }
}
