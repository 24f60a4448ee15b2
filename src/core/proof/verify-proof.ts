import { TOTPError } from '../errors.js'
import { defaultProfile } from '../profile.js'
import { Seed } from '../seed.js'
import { ProofKey } from './key.js'
import type { ProofReason, ProofRules } from './profile.js'
import { mayHaveDigest, readRequest, type ProofRequest } from './proof-request.js'
import { verifyHead } from './verify.js'

/** What the verifier knows beside the request. */
export interface ProofOptions {
  /** The live seeds of the peer: in base32, or as bytes. */
  readonly seeds: readonly (Seed | string | Uint8Array)[]
  /** The agent's name in its store. */
  readonly agent: string
  /** The field that carries the code, in any case. Default `X-TOTP`. */
  readonly header?: string | undefined
  /** In seconds. Default 30. */
  readonly period?: number | undefined
  /** In time steps. Default 1. */
  readonly window?: number | undefined
  /** A number is in unix seconds. */
  readonly now: Date | number
}

/** `unsigned`: there is no proof of this profile, which policy `require` refuses as `proof-missing`. */
export type ProofVerdict =
  | { readonly verdict: 'valid'; readonly reason?: undefined; readonly keyid: string }
  | { readonly verdict: 'unsigned'; readonly reason?: undefined; readonly keyid?: undefined }
  /** `keyid` as it was sent, where the proof has the form of the profile. */
  | { readonly verdict: 'refused'; readonly reason: ProofReason; readonly keyid?: string | undefined }

/** Only takes as long as a key; nothing that matches it is let in. */
const decoy = new ProofKey(Seed.fromBytes(new Uint8Array(20)), 'decoy')

/**
 * Verifies the proof of one request: form, coverage, key, MAC, time and content (docs/wire.md). It keeps no state: token,
 * code, and whether the nonce was used before, are still to be checked. Nothing that a caller sent makes it throw.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for options or a request of another shape, `ERR_SEED_INVALID` for a seed that
 *   is none
 */
export function verifyProof(request: ProofRequest, options: ProofOptions): ProofVerdict {
  const { keys, rules, at } = readOptions(options)
  const head = verifyHead(readRequest(request), rules, keys, decoy, at)
  if (head.verdict !== 'valid') return head
  const { keyid, digest } = head.proof
  return mayHaveDigest(request, digest)
    ? { verdict: 'valid', keyid }
    : { verdict: 'refused', reason: 'proof-digest', keyid }
}

interface Read {
  readonly keys: readonly ProofKey[]
  readonly rules: ProofRules
  readonly at: Date
}

function readOptions({ seeds, agent, now, ...profile }: ProofOptions): Read {
  const {
    header = defaultProfile.header,
    period = defaultProfile.period,
    window = defaultProfile.window,
  } = profile
  requireThat(Array.isArray(seeds), 'seeds must be a list of base32 texts, seeds or bytes')
  requireThat(typeof agent === 'string' && agent !== '', 'agent must be the name of the agent')
  requireThat(typeof header === 'string' && header !== '', 'header must be the name of a field')
  requireThat(Number.isInteger(period) && period > 0, 'period must be a number of seconds')
  requireThat(Number.isInteger(window) && window >= 0, 'window must be a number of time steps')
  const at = now instanceof Date ? now : new Date(now * 1000)
  requireThat(!Number.isNaN(at.getTime()), 'now must be a Date or unix seconds')
  return {
    keys: seeds.map((seed) => new ProofKey(seedOf(seed), agent)),
    rules: { agent, header: header.toLowerCase(), period, window },
    at,
  }
}

function seedOf(seed: Seed | string | Uint8Array): Seed {
  if (typeof seed === 'string') return Seed.fromBase32(seed)
  if (seed instanceof Uint8Array) return Seed.fromBytes(seed)
  // Not `instanceof`: another copy of this package may have made it.
  if (typeof (seed as Partial<Seed> | null)?.base32 === 'string') return seed
  throw new TOTPError('ERR_SEED_INVALID', 'a seed must be base32, a Seed or bytes')
}

function requireThat(right: boolean, message: string): void {
  if (!right) throw new TOTPError('ERR_CONFIG_INVALID', message)
}
