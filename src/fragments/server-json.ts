import { liveOf, liveSharedSeedsOf } from '../core/live-credentials.js'
import {
  canariesOf,
  policiesOf,
  type Peer,
  type Roster,
  type SeedCredential,
  type TokenCredential,
} from '../core/roster.js'
import type { CodeProfile } from '../core/profile.js'
import { usesProofs } from '../core/proof/profile.js'
import {
  serverFileVersion,
  type ServerFile,
  type ServerFileCanary,
  type ServerFilePeer,
  type ServerFileRequirement,
  type ServerFileSeed,
  type ServerFileToken,
} from '../core/server-file.js'
import type { Fragment, ServerInput } from './fragment.js'
import { leftOut, peersWithSeed } from './live.js'

/** The server file. */
export const serverJson: Fragment<ServerInput> = {
  kind: 'json',
  summary: 'the server file, which the agent reads from A2A_TOTP_SERVER_FILE',
  secret: true,
  warnings: leftOut,
  make: makeServerFile,
}

/**
 * Returns what the agent has to know: all live seeds, and the hashes of all live tokens, those of canaries too.
 *
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when there is a shared seed and it has expired
 */
export function makeServerFile(input: ServerInput): ServerFile {
  const { roster, at } = input
  const sharedSeeds = liveSharedSeedsOf(roster, at)
  const peers = peersWithSeed(input).map((peer): [string, ServerFilePeer] => [
    peer.name,
    {
      ...policiesOf(roster, peer),
      ...ownProfile(roster, peer),
      ...(sharedSeeds ? {} : { seeds: liveOf(peer.seeds, at).map(seedEntry) }),
      tokens: liveOf(peer.tokens, at).map(tokenEntry),
    },
  ])
  return {
    version: serverFileVersion,
    requires: requirementsOf(roster),
    agent: roster.agent,
    serial: roster.serial ?? 0,
    profile: roster.profile,
    signed: roster.signed === 'off' ? undefined : roster.signed,
    sharedSeeds: sharedSeeds?.map(seedEntry),
    peers: Object.fromEntries(peers),
    canaries: canaryEntries(input),
  }
}

/** The agent's own replay policy counts too: it is that of the next peer. */
function requirementsOf(roster: Roster): ServerFileRequirement[] | undefined {
  const policies = Array.from(roster.peers.values(), (peer) => policiesOf(roster, peer))
  const once = [roster, ...policies].some(({ replay }) => replay === 'once')
  const words: ServerFileRequirement[] = [
    ...(once ? (['once'] as const) : []),
    ...(policies.some(({ signed }) => usesProofs(signed)) ? (['signed'] as const) : []),
    ...(roster.sharedSeeds ? (['shared-seed'] as const) : []),
  ]
  return words.length === 0 ? undefined : words
}

function canaryEntries({ roster, at }: ServerInput): ServerFileCanary[] | undefined {
  const entries = canariesOf(roster).flatMap(({ name, tokens }) =>
    liveOf(tokens, at).map(({ id, token }) => ({ name, id, hash: token.hash })),
  )
  return entries.length === 0 ? undefined : entries
}

/** Where a peer differs from the agent's profile. */
function ownProfile({ profile }: Roster, { algorithm, digits, period }: Peer): Partial<CodeProfile> {
  return {
    algorithm: algorithm === profile.algorithm ? undefined : algorithm,
    digits: digits === profile.digits ? undefined : digits,
    period: period === profile.period ? undefined : period,
  }
}

function seedEntry({ id, seed, expiresAt }: SeedCredential): ServerFileSeed {
  return { id, seed: seed.base32, expiresAt: expiresAt?.toISOString() }
}

function tokenEntry({ id, token, expiresAt }: TokenCredential): ServerFileToken {
  return { id, hash: token.hash, expiresAt: expiresAt?.toISOString() }
}
