import { TOTPError } from '../../../core/errors.js'
import { requireKnown, tokenExpired } from '../../../core/live-credentials.js'
import { isLive, newestLive, signedOf, type Peer, type Roster } from '../../../core/roster.js'
import type { TOTPProfile } from '../../../core/profile.js'
import { parseSigned, type SignedPolicy } from '../../../core/proof/profile.js'
import { peerNamed } from '../../../core/provision.js'
import { Seed } from '../../../core/seed.js'
import { Token } from '../../../core/token.js'
import type { ProbeOptions } from '../../../probe/index.js'
import type { Env } from '../../../programs/environment.js'
import type { CliContext } from '../../context.js'
import {
  findCodeSource,
  fromVariable,
  newestSeed,
  sourceFromStore,
  type CodeSource,
} from '../codes/code-source.js'

/** The variables that the command line names, if they are not the standard ones. */
interface NamedVariables {
  readonly tokenEnv?: string
  readonly seedEnv?: string
}

/** A peer of the store, with another token or seed where a variable for it is named. */
export function storeSource(
  { env, now }: CliContext,
  { tokenEnv, seedEnv }: NamedVariables,
  roster: Roster,
  name: string,
): CodeSource {
  const { A2A_TOTP_TOKEN: token = '', A2A_TOTP_SEED: seed = '' } = renamedEnv(env, {
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
    ...(seedEnv === undefined ? {} : { seedEnv }),
  })
  return {
    ...sourceFromStore(roster, peerNamed(roster, name), now()),
    ...(tokenEnv === undefined ? {} : { token: fromVariable(tokenEnv, token, (text) => Token.parse(text)) }),
    ...(seedEnv === undefined
      ? {}
      : { seeds: [fromVariable(seedEnv, seed, (text) => Seed.fromBase32(text))] }),
  }
}

/** The credentials of the environment, under the standard names or those that were given. */
export async function environmentSource(
  context: CliContext,
  { tokenEnv, seedEnv }: NamedVariables,
): Promise<CodeSource> {
  const env = renamedEnv(context.env, {
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
    ...(seedEnv === undefined ? {} : { seedEnv }),
  })
  if (!env['A2A_TOTP_SEED']) {
    throw new TOTPError(
      'ERR_SEED_MISSING',
      'no credentials: name a peer of the store, or set $A2A_TOTP_TOKEN and $A2A_TOTP_SEED',
    )
  }
  return findCodeSource({ store: context.store, output: context.output, now: context.now, env }, undefined)
}

/**
 * Credentials under other names, for `probe --token-env VAR --seed-env VAR`: the same as the standard
 * variables, read elsewhere.
 */
function renamedEnv(env: Env, { tokenEnv, seedEnv }: NamedVariables): Env {
  const read = (option: string, name: string | undefined, standard: string): string | undefined => {
    if (name === undefined) return env[standard]
    const value = env[name]
    if (value) return value
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `${option} names a variable that is not set, or is empty; set it, or omit ${option} to use $${standard}`,
    )
  }
  return {
    ...env,
    A2A_TOTP_TOKEN: read('--token-env', tokenEnv, 'A2A_TOTP_TOKEN'),
    A2A_TOTP_SEED: read('--seed-env', seedEnv, 'A2A_TOTP_SEED'),
  }
}

/** @throws {TOTPError} `ERR_TOKEN_MISSING` or `ERR_CREDENTIAL_EXPIRED`: a code alone shows nothing. */
export function credentialsOf(
  source: CodeSource,
): { token: Token; seed: Seed; peer?: string; agent?: string } & TOTPProfile {
  const { token, profile, peer, agent } = source
  if (!token) {
    if (peer !== undefined) throw tokenExpired(peer)
    throw new TOTPError(
      'ERR_TOKEN_MISSING',
      'no token to probe with; name a peer of the store, or set $A2A_TOTP_TOKEN',
    )
  }
  return {
    ...profile,
    token: requireKnown(token, peer ?? 'the peer'),
    seed: newestSeed(source),
    ...(peer ? { peer } : {}),
    ...(agent ? { agent } : {}),
  }
}

/** The policy on proofs as it was handed out; it is left out where it was `off`, so without it nothing is known. */
export function signedIn({ A2A_TOTP_SIGNED: signed }: Env): { signed?: SignedPolicy } {
  if (signed === undefined || signed === '') return {}
  return { signed: fromVariable('A2A_TOTP_SIGNED', signed, parseSigned) }
}

/** The peer whose code is tried with our token: the one asked for, else any other of the store with a live seed. */
export async function findOtherPeer(
  context: CliContext,
  roster: Roster | undefined,
  source: CodeSource,
  { asked, isolates }: { readonly asked: string | undefined; readonly isolates: boolean },
): Promise<ProbeOptions['otherPeer']> {
  const known = roster ?? (asked === undefined ? undefined : await context.store.read())
  if (!known || known.sharedSeeds) return undefined
  const at = context.now()
  const other = asked === undefined ? otherPeerOf(known, source.peer, at, isolates) : peerNamed(known, asked)
  if (!other) return undefined
  const found = sourceFromStore(known, other, at)
  const { algorithm, digits, period } = found.profile
  return {
    ...{ algorithm, digits, period, seed: newestSeed(found), signed: signedOf(known, other) },
    // Of a token that is known by its hash alone nothing can be sent: isolation then has no other peer.
    ...(found.token?.value === undefined ? {} : { token: found.token }),
  }
}

/** One with codes of the same length if there is one: others may be refused for their form alone. Isolation asks as it. */
function otherPeerOf(
  roster: Roster,
  peer: string | undefined,
  at: Date,
  withToken: boolean,
): Peer | undefined {
  const own = peer === undefined ? undefined : roster.peers.get(peer)
  if (!own) return undefined
  const others = [...roster.peers.values()]
    .filter(({ name }) => name !== peer)
    .filter(({ tokens }) => !withToken || newestLive(tokens, at)?.token.value !== undefined)
    .filter(({ seeds }) => seeds.some((seed) => isLive(seed, at)))
  return others.find(({ digits }) => digits === own.digits) ?? others[0]
}
