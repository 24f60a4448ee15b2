import { describe, expect, it, vi } from 'vitest'
import type { Roster } from '../../src/core/roster.js'
import { Token } from '../../src/core/token.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { failureOf } from '../support/failure.js'
import { peerOf, rosterOf } from '../support/roster.js'

/** The text of a valid store with the value at a path replaced; `undefined` takes it away. */
function textWith(path: string, value: unknown): string {
  const document = JSON.parse(formatStore(rosterOf([peerOf('alice')]))) as Record<string, unknown>
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let parent = document
  for (const key of keys) parent = parent[key] as Record<string, unknown>
  parent[last] = value
  return JSON.stringify(document)
}
const rosterWith = (path: string, value: unknown): Roster => parseStore(textWith(path, value)).roster
function problemWith(path: string, value: unknown): string {
  const { code, message } = failureOf(() => parseStore(textWith(path, value)))
  expect(code).toBe('ERR_STORE_INVALID')
  return message.replace(/^the store is not valid: /, '')
}

describe('a value of a store', () => {
  // What would be one of the allowed texts if it were turned into text.
  it.each<[string, unknown, string]>([
    ['agent.name', 7, 'agent.name must be a letter or digit'],
    ['agent.name', ['agent'], 'agent.name must be a letter or digit'],
    ['agent.url', ['https://agent.example'], 'agent.url must be an absolute http or https URL'],
    ['peers.alice.tokens.0.id', 7, 'peers.alice.tokens[0].id must be a letter or digit'],
    ['profile.header', ['X-TOTP'], 'profile.header must be an RFC 9110 token'],
    ['profile.header', 7, 'profile.header must be an RFC 9110 token'],
    ['recipients', [['age1qqqqqqqq']], 'recipients[0] must be an age recipient, age1…'],
    ['serial', '7', 'serial must be a whole number'],
  ])('is not turned into text: %s of %j', (path, value, problem) => {
    expect(problemWith(path, value)).toContain(problem)
  })

  it('may be a field for the code that an earlier version took, so that another one can be set', () => {
    for (const header of ['X-TOTP', 'Content-Code', 'Priority', 'Signature-Code']) {
      expect(rosterWith('profile.header', header).profile.header).toBe(header)
    }
    for (const header of ['Content-Type', 'Host', 'a b', '']) {
      expect(problemWith('profile.header', header)).toContain('profile.header must be an RFC 9110 token')
    }
  })

  it('may be a count of zero, but of nothing less, and no part of one', () => {
    const pending = { id: 'r', since: '2026-01-01T00:00:00Z', step: 'staged', seed: true, token: true }
    expect(rosterWith('serial', 0).serial).toBe(0)
    const roster = rosterWith('peers.alice.pending', { ...pending, overlapMs: 0 })
    expect(roster.peers.get('alice')?.pending?.overlapMs).toBe(0)
    for (const count of [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, null]) {
      expect(problemWith('serial', count)).toBe('serial must be a whole number')
      expect(problemWith('peers.alice.pending', { ...pending, overlapMs: count })).toBe(
        'peers.alice.pending.overlapMs must be a whole number',
      )
    }
  })
})

describe('an instant of a store', () => {
  const instantOf = (text: string): Date | undefined =>
    rosterWith('peers.alice.createdAt', text).peers.get('alice')?.createdAt

  it.each([
    ['2026-11-23T22:45:01Z', '2026-11-23T22:45:01.000Z'],
    ['2026-11-23T22:45:01.9Z', '2026-11-23T22:45:01.900Z'],
    ['2026-11-23T22:45:01.98Z', '2026-11-23T22:45:01.980Z'],
    ['2026-11-23T22:45:01.987Z', '2026-11-23T22:45:01.987Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ])('may be %s', (text, iso) => {
    expect(instantOf(text)?.toISOString()).toBe(iso)
  })

  it.each([
    '2026-11-23T22:45:01.9876Z',
    '2026-11-23T22:45:01.Z',
    '2026-11-23T22:45:01+00:00',
    '2026-11-23T22:45:01z',
    '2026-11-23t22:45:01Z',
    '2026-11-23 22:45:01Z',
    '2026-11-23T22:45Z',
    ' 2026-11-23T22:45:01Z',
    '2026-11-23T22:45:01Z\n',
    '2026-11-23T24:00:00Z',
    '2026-11-31T22:45:01Z',
    '',
  ])('is not %j', (text) => {
    expect(problemWith('peers.alice.createdAt', text)).toBe(
      'peers.alice.createdAt must be an RFC 3339 time in UTC, like 2026-11-23T22:45:01Z',
    )
  })

  it('is not empty either where it is the first one that a process reads', async () => {
    vi.resetModules()
    const fresh = await import('../../src/store/store-file.js')
    expect(() => fresh.parseStore(textWith('peers.alice.createdAt', ''))).toThrow(
      'peers.alice.createdAt must be an RFC 3339 time in UTC',
    )
  })

  it('is a date of its own for each place, also where the texts are the same', () => {
    const alice = rosterWith('peers.alice.createdAt', '2026-01-01T00:00:00.000Z').peers.get('alice')
    const [seed, token] = [alice?.seeds[0]?.createdAt, alice?.tokens[0]?.createdAt]
    expect(seed).toEqual(token)
    token?.setUTCFullYear(1999)
    expect([alice?.createdAt, seed].map((at) => at?.toISOString())).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
    ])
  })
})

describe('a token of a store', () => {
  const entry = {
    id: 't1',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: '2027-01-01T00:00:00Z',
    staged: true,
  }
  const { hash } = Token.parse('a2at_token-of-alice')

  it('may be known by its hash alone, and is written with it again', () => {
    const roster = rosterWith('peers.alice.tokens', [{ ...entry, hash }])
    const [token] = roster.peers.get('alice')?.tokens ?? []
    expect(token).toMatchObject({ id: 't1', staged: true, token: { hash, value: undefined } })
    expect(token?.expiresAt).toEqual(new Date(entry.expiresAt))
    expect(formatStore(roster)).toContain(
      `"tokens":[{"id":"t1","hash":"${hash}","createdAt":"2026-01-01T00:00:00.000Z","expiresAt":"2027-01-01T00:00:00.000Z","staged":true}]`,
    )
    expect(formatStore(parseStore(formatStore(roster)).roster)).toBe(formatStore(roster))
  })

  it.each([
    ['neither of them', entry],
    ['both', { ...entry, token: 'a2at_token-of-alice', hash }],
  ])('does not have %s', (_what, both) => {
    expect(problemWith('peers.alice.tokens', [both])).toBe(
      'peers.alice.tokens[0] must have a token, or its hash, and not both',
    )
  })
})

describe('a recipient of a store', () => {
  const key = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

  it.each([`age1${key}`, 'age1qqqqqq', `age1pq1${key}`, `age1tag1${key}`, `age1tagpq1${key}`])(
    'may be %s',
    (one) => {
      expect(parseStore(textWith('recipients', [one])).recipients).toEqual([one])
    },
  )

  it.each([
    `xage1${key}`,
    `age1${key}x!`,
    `age1${key}\n`,
    'age1qqqqq',
    `age1${key}b`,
    `age1${key.toUpperCase()}`,
    `age1yubikey1${key}`,
    `AGE-SECRET-KEY-1${key}`,
    'ssh-ed25519 AAAA',
    '',
  ])('is not %j', (one) => {
    expect(problemWith('recipients', [`age1${key}`, one])).toBe(
      'recipients[1] must be an age recipient, age1…',
    )
  })
})
