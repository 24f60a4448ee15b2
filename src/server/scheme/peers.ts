import { TOTPError } from '../../core/errors.js'
import { guardedPeer, type GuardedPeer, type PeerDefaults } from './peer.js'
import type { SeedInput, TOTPServerAuthSchemeOptions } from './options.js'

/** Those who may call. */
export interface PeerDirectory {
  find(name: string): GuardedPeer | undefined
  /** Whether any peer's codes are good only once. */
  readonly once: boolean
}

/**
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with both kinds of seeds, `ERR_SEED_MISSING` with neither; and what
 *   `guardedPeer` throws.
 */
export function peerDirectory(
  { peerSeeds, sharedSeed }: Pick<TOTPServerAuthSchemeOptions, 'peerSeeds' | 'sharedSeed'>,
  defaults: PeerDefaults,
): PeerDirectory {
  if (peerSeeds !== undefined && sharedSeed !== undefined) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'peerSeeds and sharedSeed exclude each other; give one of them')
  }
  if (peerSeeds !== undefined) return directoryOf(mapOf(peerSeeds), defaults)
  if (sharedSeed !== undefined) return sharedDirectory(sharedSeed, defaults)
  throw new TOTPError('ERR_SEED_MISSING', 'no seeds: give peerSeeds, or one sharedSeed for all')
}

/** An object's own entries as a map, so that a peer may be called `constructor`. */
export function mapOf<V>(
  entries: Readonly<Record<string, V>> | ReadonlyMap<string, V>,
): ReadonlyMap<string, V> {
  return entries instanceof Map ? entries : new Map(Object.entries(entries as Readonly<Record<string, V>>))
}

function directoryOf(seeds: ReadonlyMap<string, SeedInput>, defaults: PeerDefaults): PeerDirectory {
  const peers = new Map([...seeds].map(([name, input]) => [name, guardedPeer(name, input, defaults)]))
  return {
    find: (name) => peers.get(name),
    once: [...peers.values()].some(({ replay }) => replay === 'once'),
  }
}

function sharedDirectory(seed: SeedInput, defaults: PeerDefaults): PeerDirectory {
  const anyone = guardedPeer('(shared)', seed, defaults)
  return { find: (name) => ({ ...anyone, name }), once: anyone.replay === 'once' }
}
