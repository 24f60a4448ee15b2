import { isName } from '../core/name.js'
import type { Credential, Peer } from '../core/roster.js'
import {
  profileRules,
  replayPolicies,
  type Algorithm,
  type Digits,
  type ReplayPolicy,
} from '../core/profile.js'
import { Seed } from '../core/seed.js'
import { Token } from '../core/token.js'
import { isObject, orNothing, parseInstant } from './schema.js'

/**
 * Reads peers whose entries are just as this release writes them, at about twice the speed of the schema: a
 * store of ten thousand is read for every code. Of any other entry the schema says what it means, or what is wrong.
 */
export class UsualPeers {
  // The credentials of a peer, and of those added with it, are all of one instant.
  #text: string | undefined
  #instant = new Date(NaN)

  /** The peer that an entry of `peers` means, or none where the schema has to be asked. */
  read(name: string, entry: unknown): Peer | undefined {
    if (!isObject(entry)) return undefined
    const { algorithm, digits, period, replay, note } = entry
    const createdAt = this.#instantOf(entry['createdAt'])
    const seeds = this.#credentials(entry['seeds'], 'seed', seedOf)
    const tokens = this.#credentials(entry['tokens'], 'token', tokenOf)
    if (!profileRules.algorithm.allows(algorithm) || !profileRules.digits.allows(digits)) return undefined
    if (!profileRules.period.allows(period)) return undefined
    if (!createdAt || !seeds || !tokens) return undefined
    if (replay !== undefined && !isReplayPolicy(replay)) return undefined
    if (note !== undefined && typeof note !== 'string') return undefined
    if (fieldsOf(entry) !== 6 + given(replay) + given(note)) return undefined
    const peer: Writable<Peer> = {
      name,
      algorithm: algorithm as Algorithm,
      digits: digits as Digits,
      period: period as number,
      createdAt,
      seeds,
      tokens,
    }
    if (replay !== undefined) peer.replay = replay
    if (note !== undefined) peer.note = note
    return peer
  }

  #credentials<Kind extends string, Value>(
    list: unknown,
    kind: Kind,
    parse: (text: string) => Value | undefined,
  ): (Credential & Record<Kind, Value>)[] | undefined {
    if (!Array.isArray(list)) return undefined
    const credentials: (Credential & Record<Kind, Value>)[] = []
    for (const entry of list as unknown[]) {
      if (!isObject(entry)) return undefined
      const { id, [kind]: text } = entry
      const createdAt = this.#instantOf(entry['createdAt'])
      const expiresAt = entry['expiresAt'] === undefined ? undefined : this.#instantOf(entry['expiresAt'])
      if (typeof id !== 'string' || !isName(id) || typeof text !== 'string') return undefined
      const value = parse(text)
      if (!createdAt || value === undefined || fieldsOf(entry) !== 3 + given(expiresAt)) return undefined
      const credential = { id, createdAt, [kind]: value } as Writable<Credential> & Record<Kind, Value>
      if (expiresAt) credential.expiresAt = expiresAt
      credentials.push(credential)
    }
    return credentials
  }

  #instantOf(text: unknown): Date | undefined {
    if (typeof text !== 'string') return undefined
    if (text !== this.#text) {
      const instant = parseInstant(text)
      if (!instant) return undefined
      this.#text = text
      this.#instant = instant
    }
    return this.#instant
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const seedOf = (text: string): Seed | undefined => orNothing(() => Seed.fromBase32(text))

const tokenOf = (text: string): Token | undefined => orNothing(() => Token.parse(text))

const isReplayPolicy = (value: unknown): value is ReplayPolicy =>
  replayPolicies.some((policy) => policy === value)

const given = (value: unknown): number => (value === undefined ? 0 : 1)

const fieldsOf = (entry: object): number => Object.keys(entry).length
