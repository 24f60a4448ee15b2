import { newestLive, type SeedCredential } from '../core/peer.js'
import type { Fragment, ServerInput } from './fragment.js'
import { leftOut, liveOf, liveSharedSeeds, peersWithSeed } from './live.js'

/** The dictionaries of the original design, for servers that are configured by hand. */
export const serverMaps: Fragment<ServerInput> = {
  kind: 'json',
  summary: 'plain maps of seeds and tokens, for agents configured by hand',
  secret: true,
  warnings: (input) => [
    'maps cannot hold an overlap: each peer has only its newest seed here, and no expiry; prefer --format json',
    ...leftOut(input),
  ],
  make: (input) => {
    const { at } = input
    const peers = peersWithSeed(input)
    const tokens = peers.flatMap((peer) =>
      liveOf(peer.tokens, at).map(({ token }) => [token.value, peer.name] as const),
    )
    const shared = newest(liveSharedSeeds(input), at)
    return {
      ...(shared
        ? { shared_seed: shared }
        : { peer_seeds: Object.fromEntries(peers.map((peer) => [peer.name, newest(peer.seeds, at)])) }),
      token_to_peer: Object.fromEntries(tokens),
    }
  },
}

function newest(seeds: readonly SeedCredential[] | undefined, at: Date): string | undefined {
  return seeds && newestLive(seeds, at)?.seed.base32
}
