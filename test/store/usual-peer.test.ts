import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/core/roster.js'
import { peerSchema } from '../../src/store/schema.js'
import { formatStore } from '../../src/store/store-file.js'
import { UsualPeers } from '../../src/store/usual-peer.js'
import { peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

type Entry = Record<string, unknown>

/** What the schema makes of an entry, or none. */
function bySchema(entry: unknown): Peer | undefined {
  const result = v.safeParse(peerSchema, entry)
  return result.success ? { name: 'alice', ...result.output } : undefined
}

const textOf = (peer: Peer): string => formatStore(rosterOf([peer]))

function entryOf(changes: Parameters<typeof peerOf>[1] = {}): Entry {
  const document = JSON.parse(textOf(peerOf('alice', changes))) as { peers: { alice: Entry } }
  return document.peers.alice
}

const full = (): Entry =>
  entryOf({
    replay: 'once',
    note: 'from billing',
    seeds: [seedCredential('s1', 0, new Date('2026-06-01T00:00:00Z')), seedCredential('s2', 1)],
    tokens: [tokenCredential('t1', 'a2at_x')],
  })

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      true,
      '',
      'once',
      'SHA1',
      'sha1',
      6,
      6.5,
      30,
      0,
      -1,
      121,
      [],
      {},
      [{}],
      '2026-02-31T00:00:00Z',
    ],
    ...[
      '2026-01-01T00:00:00Z',
      '2026-01-01',
      'JBSWY3DP',
      'jbsw y3dp',
      'A',
      'x y',
      'a2at_y',
      ' a2at_y ',
      'constructor',
    ],
  ),
  fc.json().map((text): unknown => JSON.parse(text)),
)

const keys = [
  'algorithm',
  'digits',
  'period',
  'replay',
  'note',
  'createdAt',
  'seeds',
  'tokens',
  'id',
  'seed',
] as const
const places = [[], ['seeds', 0], ['seeds', 1], ['tokens', 0]] as const

describe('the quick way to read a peer', () => {
  it('takes what this release writes', () => {
    for (const entry of [full(), entryOf()]) {
      const peer = new UsualPeers().read('alice', entry)
      expect(peer && textOf(peer)).toBe(textOf(bySchema(entry) ?? peerOf('nobody')))
    }
  })

  it('takes no empty text for an instant, not even before it has read any', () => {
    expect(new UsualPeers().read('alice', { ...full(), createdAt: '' })).toBeUndefined()
  })

  it('says the same as the schema of every entry, or nothing', () => {
    const change = fc.tuple(
      fc.constantFrom(...places),
      fc.oneof(fc.constantFrom(...keys, 'token', 'expiresAt', '__proto__', 'other'), fc.string()),
      odd,
    )
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const entry = full()
        for (const [place, key, value] of changes) {
          const target = place.reduce<unknown>((parent, step) => (parent as Entry | undefined)?.[step], entry)
          if (typeof target !== 'object' || target === null) continue
          // A copy: a list or an object of the table above would be changed for all later runs, or put into itself.
          const copy: unknown = structuredClone(value)
          Object.defineProperty(target, key, {
            value: copy,
            enumerable: true,
            writable: true,
            configurable: true,
          })
        }
        // As it comes off the disk.
        const given: unknown = JSON.parse(JSON.stringify(entry))
        const quick = new UsualPeers().read('alice', given)
        if (quick === undefined) return
        const slow = bySchema(given)
        expect(slow).toBeDefined()
        expect(describePeer(quick)).toEqual(describePeer(slow ?? peerOf('nobody')))
      }),
      { numRuns: 3000 },
    )
  })
})

/** Everything a peer holds, its secrets too; not by `formatStore`, which refuses a peer without a token. */
function describePeer({ seeds, tokens, ...peer }: Peer): unknown {
  return {
    ...peer,
    seeds: seeds.map(({ seed, ...credential }) => ({ ...credential, base32: seed.base32 })),
    tokens: tokens.map(({ token, ...credential }) => ({ ...credential, value: token.value })),
  }
}
