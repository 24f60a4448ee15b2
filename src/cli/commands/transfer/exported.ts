import { isTOTPError } from '../../../core/errors.js'
import { seedToHandOut } from '../../../core/live-credentials.js'
import { canariesOf, newestLive, type Roster } from '../../../core/roster.js'
import { newestSeed, sourceFromStore } from '../codes/code-source.js'
import { firstEnd, keyUriOf } from '../peers/credential-rows.js'

/** A peer as `export` prints it and `import` reads it. Secret. */
export interface ExportedPeer {
  readonly name: string
  readonly algorithm: string
  readonly digits: number
  readonly period: number
  readonly replay?: string
  readonly signed?: string
  readonly note?: string
  readonly seed: string
  readonly token?: string
  /** When the first of the two ends. */
  readonly expiresAt?: string
  readonly uri: string
}

/** A canary, likewise. */
export interface ExportedCanary {
  readonly name: string
  readonly note?: string
  readonly token: string
  readonly expiresAt?: string
}

/** The document of `--format json`. */
export interface Export {
  readonly agent: string
  readonly peers: readonly ExportedPeer[]
  readonly canaries?: readonly ExportedCanary[]
}

/** Returns what a store exports: newest credentials, of peers with a live seed and canaries with a known token. */
export function exportOf(roster: Roster, at: Date): Export {
  const canaries = canariesIn(roster, at)
  return {
    agent: roster.agent,
    peers: peersIn(roster, at),
    ...(canaries.length > 0 && { canaries }),
  }
}

function peersIn(roster: Roster, at: Date): ExportedPeer[] {
  return [...roster.peers.values()].flatMap((peer) => {
    const source = sourceOf(roster, peer, at)
    if (!source) return []
    const { algorithm, digits, period } = peer
    const seed = newestSeed(source)
    return {
      name: peer.name,
      algorithm,
      digits,
      period,
      replay: peer.replay,
      signed: peer.signed,
      note: peer.note,
      seed: seed.base32,
      token: source.token?.value,
      expiresAt: endOf(seedToHandOut(roster, peer, at), newestLive(peer.tokens, at)),
      uri: keyUriOf(roster, peer, seed),
    }
  })
}

function canariesIn(roster: Roster, at: Date): ExportedCanary[] {
  return canariesOf(roster).flatMap(({ name, note, tokens }) => {
    const newest = newestLive(tokens, at)
    const token = newest?.token.value
    return token === undefined ? [] : { name, note, token, expiresAt: endOf(newest) }
  })
}

const endOf = (...credentials: Parameters<typeof firstEnd>): string | undefined =>
  firstEnd(...credentials) ?? undefined

function sourceOf(
  ...args: Parameters<typeof sourceFromStore>
): ReturnType<typeof sourceFromStore> | undefined {
  try {
    return sourceFromStore(...args)
  } catch (error) {
    if (isTOTPError(error) && error.code === 'ERR_CREDENTIAL_EXPIRED') return undefined
    throw error
  }
}
