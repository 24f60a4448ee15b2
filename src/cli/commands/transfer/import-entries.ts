import { provisionCanary } from '../../../core/canary.js'
import { TOTPError, isTOTPError, type ErrorCode } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { provisionPeer, type PeerRequest, type ProvisionOptions } from '../../../core/provision.js'
import { findHolder } from '../../../core/credential-match.js'
import {
  canariesOf,
  seedsOf,
  type Canary,
  type Peer,
  type Roster,
  type TokenCredential,
} from '../../../core/roster.js'
import { requireStrongSeed } from '../../../core/seed.js'
import { ownerOf, SeedOwners } from '../../../core/seed-owners.js'
import type { Token } from '../../../core/token.js'
import type { Entry, Labelled } from '../../../import/index.js'

export interface StrengthOptions {
  allowWeakSeed?: true
  allowWeakToken?: true
}

/** Which credentials of a peer are new, because the file had none. */
export interface Made {
  readonly peer: string
  readonly seed: boolean
  readonly token: boolean
}

/** A problem with an entry, and where it is. */
export interface Problem {
  readonly where: string
  readonly problem: string
  readonly code: ErrorCode
}

export interface Admitted {
  /** The entries that were taken. */
  readonly taken: readonly Entry[]
  readonly imported: readonly Peer[]
  readonly canaries: readonly Canary[]
  /** Peers and canaries of the store of which a token is known now, and not only its hash. */
  readonly completed: readonly (Peer | Canary)[]
  readonly made: readonly Made[]
  /** Imported peers with a seed that another peer has. */
  readonly sharing: readonly string[]
  readonly problems: readonly Problem[]
}

/** Separates entries that can be added from those that cannot, as if they were added one by one. */
export function admit(
  roster: Roster,
  entries: readonly Entry[],
  options: StrengthOptions,
  making: ProvisionOptions,
): Admitted {
  const there = [...roster.peers.values(), ...canariesOf(roster)]
  const tokens = new Set(there.flatMap((one) => one.tokens.map(({ token }) => token.hash)))
  const inUse: Taken = { there: new Set(there.map(({ name }) => name)), names: new Set(), tokens }
  const taken: Entry[] = []
  const imported: Peer[] = []
  const canaries: Canary[] = []
  const completed: (Peer | Canary)[] = []
  const made: Made[] = []
  const owners = new SeedOwners(roster, making.at)
  const sharing: string[] = []
  const problems: Problem[] = []
  for (const entry of entries) {
    const { where } = entry
    const take = ({ name, tokens: own }: Peer | Canary): void => {
      inUse.names.add(name)
      for (const { token } of own) tokens.add(token.hash)
    }
    try {
      if ('problem' in entry) throw new TOTPError('ERR_IMPORT_INVALID', entry.problem)
      if ('canary' in entry) {
        refuseTaken(entry.canary, inUse)
        const canary = provisionCanary(entry.canary, making)
        take(canary)
        canaries.push(canary)
        taken.push(entry)
        continue
      }
      const completion = completionOf(roster, entry)
      if (completion) {
        if (inUse.names.has(completion.name)) refuseTaken(completion, inUse)
        inUse.names.add(completion.name)
        completed.push(completion)
        taken.push(entry)
        continue
      }
      if ('nameProblem' in entry)
        throw new TOTPError('ERR_IMPORT_INVALID', `${entry.nameProblem}; ${nameRemedy(entry)}`)
      refuseTaken(entry.request, inUse)
      refuseWeakSeed(entry.request, options)
      const peer = provisionPeer(
        roster,
        entry.client ? withoutUsualPolicy(roster, entry.request) : entry.request,
        making,
      )
      if (entry.request.seed && owners.add(ownerOf(roster, peer))) sharing.push(peer.name)
      take(peer)
      imported.push(peer)
      taken.push(entry)
      const isMade = {
        seed: entry.request.seed === undefined && !roster.sharedSeeds,
        token: entry.request.token === undefined,
      }
      if (isMade.seed || isMade.token) made.push({ peer: peer.name, ...isMade })
    } catch (error) {
      if (!isTOTPError(error)) throw error
      problems.push({ where, problem: error.message, code: error.code })
    }
  }
  return { taken, imported, canaries, completed, made, sharing, problems }
}

const nameRemedy = ({ label, issuer }: Labelled): string =>
  label === undefined && issuer === undefined
    ? 'pass --name NAME if it is the only entry, else import it by itself'
    : `pass --rename ${label === undefined ? 'ISSUER' : 'OLD'}=NEW, or --name NAME for a single entry`

/**
 * Returns the peer or canary that an entry tells the token of, with that token in place of its hash; undefined when the
 * entry is about none, or tells nothing new.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the entry contradicts what is known of the peer
 */
function completionOf(roster: Roster, entry: PeerEntry): Peer | Canary | undefined {
  const { seed, token, name } = entry.request
  if (!token) return undefined
  const guessed = entry.client?.guessed === true && !entry.isNamed
  const known =
    name !== undefined && !guessed && (roster.peers.has(name) || roster.canaries?.has(name))
      ? name
      : undefined
  const found = known ?? findHolder(roster, { seed: seed?.base32, tokenHash: token.hash })
  if (found === undefined || (name !== undefined && !guessed && found !== name)) return undefined
  const peer = roster.peers.get(found)
  const holder: Peer | Canary | undefined = peer ?? roster.canaries?.get(found)
  if (!holder?.tokens.some((one) => one.token.value === undefined)) return undefined
  const matches = ({ token: one }: TokenCredential): boolean =>
    one.value === undefined && one.hash === token.hash
  if (!holder.tokens.some(matches)) {
    if (holder.tokens.some((one) => one.token.hash === token.hash)) return undefined
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `${quoteName(found)} has another token in the store; this one is older or newer`,
    )
  }
  const seeds = peer && seedsOf(roster, peer)
  if (seed && seeds && !seeds.some((one) => one.seed.base32 === seed.base32))
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `${quoteName(found)} has another seed in the store; this one is older or newer`,
    )
  return { ...holder, tokens: holder.tokens.map((one) => (matches(one) ? { ...one, token } : one)) }
}

type PeerEntry = Extract<Entry, { readonly request: unknown }>

/** A policy that is the agent's own is not the peer's: it follows the agent's. */
function withoutUsualPolicy(roster: Roster, request: PeerRequest): PeerRequest {
  const { replay, signed, ...rest } = request
  return {
    ...rest,
    ...(replay !== roster.replay && replay && { replay }),
    ...(signed !== (roster.signed ?? 'off') && signed && { signed }),
  }
}

/** Names and hashes of tokens in use, which no further peer may have. */
interface Taken {
  readonly there: ReadonlySet<string>
  readonly names: Set<string>
  readonly tokens: Set<string>
}

function refuseTaken(
  { name, token }: { readonly name: string; readonly token?: Token | undefined },
  { there, names, tokens }: Taken,
): void {
  if (there.has(name)) throw new TOTPError('ERR_PEER_EXISTS', `a peer ${quoteName(name)} already exists`)
  if (names.has(name)) throw new TOTPError('ERR_IMPORT_INVALID', `the name ${quoteName(name)} is used twice`)
  if (token && tokens.has(token.hash))
    throw new TOTPError('ERR_TOKEN_INVALID', 'another peer has the same token; each peer needs its own')
}

function refuseWeakSeed({ seed }: PeerRequest, { allowWeakSeed }: StrengthOptions): void {
  if (seed) requireStrongSeed(seed, allowWeakSeed ?? false, 'use a longer one, or pass --allow-weak-seed')
}
