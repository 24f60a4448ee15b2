import { refuseTaken, seedCredential, tokenCredential, type ProvisionOptions } from './provision.js'
import type { Canary, Peer, Roster } from './roster.js'
import { makeSeed } from './seed.js'
import { makeToken, type Token } from './token.js'

/** What a new canary is made from. A missing token is created. */
export interface CanaryRequest {
  readonly name: string
  readonly note?: string | undefined
  readonly token?: Token | undefined
  readonly expiresAt?: Date | undefined
}

/** Creates a canary: a token, and no seed. It does not add the canary to the roster. */
export function provisionCanary(
  { name, note, token, expiresAt }: CanaryRequest,
  options: ProvisionOptions,
): Canary {
  return {
    name,
    ...(note ? { note } : {}),
    createdAt: options.at,
    tokens: [
      { ...tokenCredential(token ?? makeToken(options.random), options), ...(expiresAt && { expiresAt }) },
    ],
  }
}

/**
 * Returns the roster with canaries added: all of them or none.
 *
 * @throws {TOTPError} `ERR_PEER_EXISTS` when a peer or a canary has one of the names; `ERR_TOKEN_INVALID` when one has one
 *   of the tokens
 */
export function withCanaries(roster: Roster, added: readonly Canary[]): Roster {
  refuseTaken(roster, added)
  return withReplaced(roster, added)
}

/** Returns the roster with these canaries in place of those of the same names. */
export function withReplaced(roster: Roster, canaries: readonly Canary[]): Roster {
  const all = new Map([
    ...(roster.canaries ?? []),
    ...canaries.map((canary) => [canary.name, canary] as const),
  ])
  return { ...roster, canaries: all }
}

/**
 * Returns a canary as if it were a peer, for files that are planted as bait: with its token, and with a seed that is
 * made up, belongs to nobody and is not kept. The roster that is returned has no other secrets, so that none gets into
 * the bait, not even a shared seed.
 */
export function asBait(
  { agent, url, profile, replay, signed }: Roster,
  { name, createdAt, tokens }: Canary,
  { random }: Pick<ProvisionOptions, 'random'>,
): { roster: Roster; peer: Peer } {
  const { algorithm, digits, period } = profile
  const seeds = [seedCredential(makeSeed(algorithm, random), { at: createdAt, random })]
  const peer: Peer = { name, algorithm, digits, period, createdAt, seeds, tokens }
  const policies = { replay, ...(signed && { signed }) }
  return { roster: { agent, url, profile, ...policies, peers: new Map([[name, peer]]) }, peer }
}
