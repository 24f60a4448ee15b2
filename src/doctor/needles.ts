import { isLive, type Roster } from '../core/roster.js'
import { seedSpellings, tokenSpellings } from '../core/spellings.js'
import { hashToken } from '../core/token.js'
import { isPublished } from './published-seeds.js'
import { isPublishedToken } from './published-tokens.js'
import { tokenWords } from './token-words.js'

/** A shorter text can stand in a file by accident. */
const shortest = 16

/** The owner of a shared seed, in a finding. */
export const allPeers = 'all peers'

/** A live credential in the spellings in which a file may hold it. */
export interface Needle {
  /** The peer, or {@link allPeers}. */
  readonly peer: string
  readonly kind: 'seed' | 'token'
  /** The credential's id, which may be shown. */
  readonly id: string
}

/** As a finding names it. */
export const nameOf = ({ kind, id, peer }: Needle): string => `the ${kind} ${id} of ${peer}`

/** The live credentials of a store, to be searched for. Secret. */
export interface Needles {
  readonly count: number
  /** By the first characters, so that a file is read once for all of them. */
  readonly byStart: ReadonlyMap<number, readonly Spelling[]>
  readonly starts: Uint8Array
  /** Tokens that are known by their hash alone. */
  readonly byHash: ReadonlyMap<string, Needle>
  /** Whether some are too short to be searched for. */
  readonly incomplete: boolean
}

interface Spelling {
  readonly bytes: Buffer
  readonly needle: Needle
}

/** The live seeds and tokens of a store. What is published stands in files that have nothing to do with it. */
export function needlesOf(roster: Roster, at: Date): Needles {
  const byStart = new Map<number, Spelling[]>()
  const starts = new Uint8Array(1 << 16)
  const byHash = new Map<string, Needle>()
  let count = 0
  let incomplete = false
  const add = (needle: Needle, spellings: readonly string[]): void => {
    count++
    // The first is how a store spells it.
    if ((spellings[0] ?? '').length < shortest) incomplete = true
    for (const spelling of spellings) {
      if (spelling.length < shortest) continue
      const bytes = Buffer.from(spelling)
      const start = bytes.readUInt32BE(0)
      byStart.set(start, [...(byStart.get(start) ?? []), { bytes, needle }])
      starts[start >>> 16] = 1
    }
  }
  for (const { id, seed, expiresAt } of roster.sharedSeeds ?? []) {
    if (isLive({ expiresAt }, at) && !isPublished(seed))
      add({ peer: allPeers, kind: 'seed', id }, seedSpellings(seed))
  }
  for (const peer of roster.peers.values()) {
    for (const { id, seed, expiresAt } of peer.seeds) {
      if (isLive({ expiresAt }, at) && !isPublished(seed))
        add({ peer: peer.name, kind: 'seed', id }, seedSpellings(seed))
    }
    for (const { id, token, expiresAt } of peer.tokens) {
      if (!isLive({ expiresAt }, at) || isPublishedToken(token)) continue
      const needle: Needle = { peer: peer.name, kind: 'token', id }
      const { value } = token
      if (value === undefined) byHash.set(token.hash, needle)
      else add(needle, tokenSpellings(value))
    }
  }
  return { count: count + byHash.size, byStart, starts, byHash, incomplete }
}

/** The credentials that bytes hold, as text in any of their spellings, whitespace, dashes and NULs between them or not; and those tokens that are known by their hash alone. */
export function heldIn(needles: Needles, content: Uint8Array): Needle[] {
  const found = new Set<Needle>()
  for (const bytes of [content, without(content, isGap), without(content, isGapOrDash)])
    collect(needles, bytes, found)
  if (needles.byHash.size > 0) collectHashed(needles, content, found)
  return [...found]
}

/** Whether bytes hold any credential. */
export const holdsAny = (needles: Needles, content: Uint8Array): boolean =>
  heldIn(needles, content).length > 0

function collect({ byStart, starts }: Needles, bytes: Uint8Array, found: Set<Needle>): void {
  for (let at = 0; at + shortest <= bytes.length; at++) {
    const one = bytes[at] ?? 0
    const two = bytes[at + 1] ?? 0
    if (starts[one * 256 + two] !== 1) continue
    const start = one * 0x1000000 + two * 0x10000 + (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0)
    for (const { bytes: spelling, needle } of byStart.get(start) ?? []) {
      const end = at + spelling.length
      if (end <= bytes.length && spelling.compare(bytes, at, end) === 0) found.add(needle)
    }
  }
}

function collectHashed({ byHash }: Needles, content: Uint8Array, found: Set<Needle>): void {
  for (const word of tokenWords(content)) {
    const needle = byHash.get(hashToken(word))
    if (needle) found.add(needle)
  }
}

/** Whitespace; NULs are every other byte of UTF-16. */
const isGap = (byte: number): boolean => byte <= 0x20
const isGapOrDash = (byte: number): boolean => byte <= 0x20 || byte === 0x2d

function without(bytes: Uint8Array, gap: (byte: number) => boolean): Uint8Array {
  const kept = new Uint8Array(bytes.length)
  let length = 0
  for (const byte of bytes) if (!gap(byte)) kept[length++] = byte
  return kept.subarray(0, length)
}
