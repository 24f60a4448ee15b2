import { formatKeyUri } from '../../../core/key-uri.js'
import { seedsOf, type Canary, type Credential, type Peer, type Roster } from '../../../core/roster.js'
import type { Seed } from '../../../core/seed.js'
import type { CliContext } from '../../context.js'

/** What `add-peer` and `rotate` print for each peer with new credentials. */
export interface CredentialRow {
  readonly name: string
  readonly seedId: string | null
  readonly tokenId: string | null
  readonly expiresAt: string | null
  readonly canary?: true
  readonly seed?: string
  readonly token?: string
  readonly uri?: string
}

/** The ids of the newest credentials of a peer or a canary; with `reveal` also the credentials. */
export function credentialsOf(roster: Roster, peer: Peer | Canary, reveal: boolean): CredentialRow {
  if (!('seeds' in peer)) return tokenOf(peer, reveal)
  const seed = seedsOf(roster, peer).at(-1)
  const token = peer.tokens.at(-1)
  return {
    name: peer.name,
    seedId: seed?.id ?? null,
    tokenId: token?.id ?? null,
    expiresAt: firstEnd(seed, token),
    ...(reveal && seed && token
      ? { seed: seed.seed.base32, token: token.token.value, uri: keyUriOf(roster, peer, seed.seed) }
      : {}),
  }
}

/** When the first of these expires: RFC 3339, or null. */
export function firstEnd(...credentials: (Credential | undefined)[]): string | null {
  const ends = credentials.flatMap((one) => (one?.expiresAt ? [one.expiresAt.getTime()] : []))
  return ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString()
}

function tokenOf({ name, tokens }: Canary, reveal: boolean): CredentialRow {
  const token = tokens.at(-1)
  const ids = {
    name,
    seedId: null,
    tokenId: token?.id ?? null,
    expiresAt: firstEnd(token),
    canary: true,
  } as const
  return { ...ids, ...(reveal && token ? { token: token.token.value } : {}) }
}

export function textOf({ name, seedId, tokenId, canary, seed, token, uri }: CredentialRow): string {
  if (canary)
    return [`${name}  canary  token ${tokenId ?? '-'}`, ...(token ? [`  token  ${token}`] : [])].join('\n')
  const line = `${name}  seed ${seedId ?? '-'}  token ${tokenId ?? '-'}`
  return uri
    ? [line, `  seed   ${seed ?? ''}`, `  token  ${token ?? ''}`, `  uri    ${uri}`].join('\n')
    : line
}

/** The key URI of a peer, with one of its seeds. */
export const keyUriOf = ({ agent }: Roster, { name, algorithm, digits, period }: Peer, seed: Seed): string =>
  formatKeyUri({ agent, peer: name, seed, profile: { algorithm, digits, period } })

/** Shows the key URI of each peer as a QR code, on a terminal. A canary has none. */
export async function showQrs(
  context: CliContext,
  roster: Roster,
  added: readonly (Peer | Canary)[],
): Promise<void> {
  const { showQr } = await import('../../io/qr.js')
  for (const peer of added) {
    if (!('seeds' in peer)) continue
    const seed = seedsOf(roster, peer).at(-1)?.seed
    if (seed) showQr(context.output, context.env, keyUriOf(roster, peer, seed))
  }
}
