import { formatKeyUri } from '../../../core/key-uri.js'
import { seedsOf, type Peer, type Roster } from '../../../core/roster.js'
import type { Seed } from '../../../core/seed.js'
import type { CliContext } from '../../context.js'

/** What `add-peer` and `rotate` print for each peer with new credentials. */
export interface CredentialRow {
  readonly name: string
  readonly seedId: string | null
  readonly tokenId: string | null
  readonly expiresAt: string | null
  readonly seed?: string
  readonly token?: string
  readonly uri?: string
}

/** The ids of a peer's newest credentials; with `reveal` also the credentials. */
export function credentialsOf(roster: Roster, peer: Peer, reveal: boolean): CredentialRow {
  const seed = seedsOf(roster, peer).at(-1)
  const token = peer.tokens.at(-1)
  return {
    name: peer.name,
    seedId: seed?.id ?? null,
    tokenId: token?.id ?? null,
    expiresAt: seed?.expiresAt?.toISOString() ?? null,
    ...(reveal && seed && token
      ? { seed: seed.seed.base32, token: token.token.value, uri: keyUriOf(roster, peer, seed.seed) }
      : {}),
  }
}

export function textOf({ name, seedId, tokenId, seed, token, uri }: CredentialRow): string {
  const line = `${name}  seed ${seedId ?? '-'}  token ${tokenId ?? '-'}`
  return uri
    ? [line, `  seed   ${seed ?? ''}`, `  token  ${token ?? ''}`, `  uri    ${uri}`].join('\n')
    : line
}

/** The key URI of a peer, with one of its seeds. */
export const keyUriOf = ({ agent }: Roster, { name, algorithm, digits, period }: Peer, seed: Seed): string =>
  formatKeyUri({ agent, peer: name, seed, profile: { algorithm, digits, period } })

/** Shows the key URI of each peer as a QR code, on a terminal. */
export async function showQrs(context: CliContext, roster: Roster, added: readonly Peer[]): Promise<void> {
  const { showQr } = await import('../../io/qr.js')
  for (const peer of added) {
    const seed = seedsOf(roster, peer).at(-1)?.seed
    if (seed) showQr(context.output, keyUriOf(roster, peer, seed))
  }
}
