import { provisionCanary, withCanaries } from '../../../core/canary.js'
import { TOTPError } from '../../../core/errors.js'
import { parseNewName } from '../../../core/name.js'
import type { Canary, Peer, Roster } from '../../../core/roster.js'
import type { CodeProfile, ReplayPolicy } from '../../../core/profile.js'
import { signedBrought } from '../../../core/policies.js'
import type { SignedPolicy } from '../../../core/proof/profile.js'
import { ownerOf, repeatedSeedWarning, SeedOwners } from '../../../core/seed-owners.js'
import { provisionPeer, withPeers, type PeerRequest } from '../../../core/provision.js'
import { requireStrongSeed, Seed } from '../../../core/seed.js'
import { requireStrongToken, Token } from '../../../core/token.js'
import { inContext, type CliContext } from '../../context.js'
import { configClientOf, configServer, configServerAgain } from '../config-commands.js'
import { credentialsOf, showQrs, textOf } from './credential-rows.js'
import {
  codeOptions,
  deadline,
  refuseTogether,
  replayOption,
  signedOption,
  type Deadline,
} from '../../options.js'
import { readSecret } from '../../io/given-file.js'

interface AddPeerOptions extends Partial<CodeProfile> {
  canary?: true
  replay?: ReplayPolicy
  signed?: SignedPolicy
  note?: string
  seedFile?: string
  tokenFile?: string
  allowWeakSeed?: true
  allowWeakToken?: true
  expires?: Deadline
  ifMissing?: true
  qr?: true
  reveal?: true
}

export const define = inContext((command, context) =>
  signedOption(replayOption(codeOptions(command.argument('<names...>', 'the names; all are added, or none'))))
    .option('--canary', 'a token without a seed, to plant as bait: the agent refuses it and reports its use')
    .option('--note <text>', 'a remark, kept in the store')
    .option('--seed-file <path>', 'use this base32 seed instead of a new one; - is standard input')
    .option('--token-file <path>', 'use this bearer token instead of a new one; - is standard input')
    .option('--allow-weak-seed', 'accept a seed of less than 128 bits (forbidden by RFC 4226 R6)')
    .option('--allow-weak-token', 'accept a token of less than 128 bits')
    .option(
      ...deadline('--expires <time>', 'when the seed and the token end: RFC 3339, unix seconds, or 90d'),
    )
    .option('--if-missing', 'skip peers that already exist, and succeed')
    .option('--qr', 'show the key URI as a QR code, on a terminal')
    .option('--reveal', 'print the seed, the token and the key URI')
    .addHelpText(
      'after',
      `
Prints no secrets without --reveal or --qr. Without --replay and --signed a peer follows the agent. Print a peer's configuration with \`a2a-totp config client NAME\`.

Examples:
  $ a2a-totp add-peer alice bob
  $ a2a-totp add-peer ci-probe --digits 8 --note "the probe in CI"
  $ pass show agents/carol | a2a-totp add-peer carol --seed-file -
  $ a2a-totp add-peer contractor --expires 90d
  $ a2a-totp add-peer backup-sync --canary --note "in the old wiki"   # then: config client backup-sync`,
    )
    .action(async (names: string[], options: AddPeerOptions) => {
      if (options.canary) refuseForCanaries(options)
      const requests = await peerRequests(context, names, options)
      const { added, roster, sharing } = await add(context, requests, options)
      report(context, roster, names, added, options)
      if (sharing) context.output.warn(repeatedSeedWarning(names))
      if (options.qr) await showQrs(context, roster, added)
    }),
)

/** A canary has no codes. @throws {TOTPError} `ERR_USAGE` for an option that decides about codes */
function refuseForCanaries(options: AddPeerOptions): void {
  const { seedFile, allowWeakSeed, algorithm, digits, period, replay, signed, qr } = options
  const ofCodes = {
    '--seed-file': seedFile,
    '--allow-weak-seed': allowWeakSeed,
    '--algorithm': algorithm,
    '--digits': digits,
    '--period': period,
    '--replay': replay,
    '--signed': signed,
    '--qr': qr,
  }
  for (const [option, value] of Object.entries(ofCodes)) refuseTogether({ '--canary': true, [option]: value })
}

async function peerRequests(
  context: CliContext,
  names: string[],
  options: AddPeerOptions,
): Promise<PeerRequest[]> {
  const { algorithm, digits, period, replay, signed, note, seedFile, tokenFile, allowWeakSeed } = options
  const expiresAt = options.expires?.(context.now())
  for (const name of names) parseNewName(name, 'peer')
  if (new Set(names).size !== names.length)
    throw new TOTPError('ERR_USAGE', 'a name is repeated; name each peer once')
  if ((seedFile ?? tokenFile) !== undefined && names.length > 1) {
    throw new TOTPError('ERR_USAGE', '--seed-file and --token-file are for one peer; name only one')
  }
  if (seedFile === '-' && tokenFile === '-') {
    throw new TOTPError(
      'ERR_USAGE',
      'standard input cannot be both the seed and the token; put one of them in a file',
    )
  }
  const seed =
    seedFile === undefined ? undefined : Seed.fromBase32(await readSecret(context, '--seed-file', seedFile))
  if (seed) requireStrongSeed(seed, allowWeakSeed ?? false, 'use a longer one, or pass --allow-weak-seed')
  const token =
    tokenFile === undefined ? undefined : Token.parse(await readSecret(context, '--token-file', tokenFile))
  if (token)
    requireStrongToken(token, options.allowWeakToken ?? false, 'use a longer one, or pass --allow-weak-token')
  const shared = { algorithm, digits, period, replay, signed, note, seed, token, expiresAt }
  const given = Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined))
  return names.map((name) => ({ ...given, name }))
}

async function add(
  { store, now, random }: CliContext,
  requests: readonly PeerRequest[],
  { ifMissing, canary }: AddPeerOptions,
): Promise<{ added: (Peer | Canary)[]; roster: Roster; sharing: boolean }> {
  let added: (Peer | Canary)[] = []
  let sharing = false
  const making = { at: now(), random }
  const roster = await store.update((current) => {
    const there = canary ? current.canaries : current.peers
    const missing = ifMissing ? requests.filter(({ name }) => !there?.has(name)) : requests
    if (missing.length === 0) return current
    if (canary) {
      const canaries = missing.map((request) => provisionCanary(request, making))
      added = canaries
      return withCanaries(current, canaries)
    }
    const peers = missing.map((request) => {
      const signed = request.signed ?? signedBrought(request, undefined, current.signed)
      return provisionPeer(current, { ...request, ...(signed && { signed }) }, making)
    })
    added = peers
    const after = withPeers(current, peers)
    // A new seed is nobody else's.
    if (missing.some(({ seed }) => seed)) sharing = haveSeedsOfOthers(current, peers, making.at)
    return after
  })
  return { added, roster, sharing }
}

/** @throws {TOTPError} `ERR_SEED_INVALID` where an agent would refuse that */
function haveSeedsOfOthers(roster: Roster, peers: readonly Peer[], at: Date): boolean {
  const owners = new SeedOwners(roster, at)
  return peers.filter((peer) => owners.add(ownerOf(roster, peer))).length > 0
}

function report(
  { output }: CliContext,
  roster: Roster,
  names: readonly string[],
  added: readonly (Peer | Canary)[],
  { reveal, canary, replay, signed }: AddPeerOptions,
): void {
  const rows = added.map((peer) => credentialsOf(roster, peer, reveal ?? false))
  output.result(rows.map(textOf).join('\n'), { peers: rows })
  const present = names.filter((name) => !added.some((peer) => peer.name === name))
  if (present.length > 0) output.say(`already exists, not changed: ${present.join(', ')}`)
  const [first] = added
  if (!first) return
  // With peers that were there before, the agent has a server file already.
  const hadPeers = roster.peers.size > added.filter((peer) => 'seeds' in peer).length
  const server = hadPeers ? configServerAgain : configServer
  if (replay === 'once' && signed === undefined && 'signed' in first && first.signed)
    output.say(`--replay once brings --signed ${first.signed}; pass --signed for another policy`)
  output.say(
    canary
      ? `next: ${server} for the agent, and ${configClientOf([first.name])} for a file to plant`
      : `next: ${server}, then ${configClientOf(added.map(({ name }) => name))}`,
  )
}
