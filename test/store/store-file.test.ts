import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RemovedPeer, Roster } from '../../src/core/roster.js'
import { algorithms, digitCounts, replayPolicies } from '../../src/core/profile.js'
import { signedPolicies } from '../../src/core/proof/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token, TokenHash } from '../../src/core/token.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { anyCharacter } from '../support/arbitraries.js'
import { madeAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'
import { errorOf } from '../support/store-folder.js'

const secretSeed = 'NBSWY3DPEB3W64TMMQXC4LQ'
const secretToken = 'a2at_this-must-never-be-shown'

/** A valid document that a test may spoil. */
function documentOf(): Record<string, never> {
  const seeds = [{ ...seedCredential('s1', 1), seed: Seed.fromBase32(secretSeed) }]
  const tokens = [tokenCredential('t1', secretToken)]
  return JSON.parse(formatStore(rosterOf([peerOf('alice', { seeds, tokens })]))) as Record<string, never>
}

/** The document with the value at a path replaced; `undefined` takes it away. */
function spoiled(path: string, value: unknown, document: Record<string, unknown> = documentOf()): string {
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let parent: Record<string, unknown> = document
  for (const key of keys) parent = parent[key] as Record<string, unknown>
  parent[last] = value
  return JSON.stringify(document)
}

const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const dates = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59Z'),
  noInvalidDate: true,
})
const credential = { id: names, createdAt: dates, expiresAt: dates }
const seeds = fc.uniqueArray(
  fc.record(
    {
      ...credential,
      seed: fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Seed.fromBytes(bytes)),
    },
    { requiredKeys: ['id', 'createdAt', 'seed'] },
  ),
  { minLength: 1, maxLength: 3, selector: ({ id }) => id },
)
const tokenIds = fc.uniqueArray(fc.record(credential, { requiredKeys: ['id', 'createdAt'] }), {
  minLength: 1,
  maxLength: 3,
  selector: ({ id }) => id,
})
const codeProfile = {
  algorithm: fc.constantFrom(...algorithms),
  digits: fc.constantFrom(...digitCounts),
  period: fc.integer({ min: 10, max: 120 }),
}
const replay = fc.constantFrom(...replayPolicies)
const signed = fc.constantFrom(...signedPolicies)
const peers = fc.dictionary(
  names,
  fc.record(
    {
      ...codeProfile,
      replay,
      signed,
      note: fc.string({ unit: anyCharacter }),
      createdAt: dates,
      seeds,
      tokens: tokenIds,
    },
    { requiredKeys: ['algorithm', 'digits', 'period', 'createdAt', 'seeds', 'tokens'] },
  ),
  { maxKeys: 5 },
)
const removed = fc.array(
  fc
    .record({ name: names, ...codeProfile, replay, signed, removedAt: dates, seeds, tokens: tokenIds })
    .map(({ seeds: [seed], tokens: [token], ...peer }) => ({
      ...peer,
      seed: seed ?? seedCredential('s', 1),
      token: { ...(token ?? { id: 't', createdAt: madeAt }), token: Token.parse(`${peer.name}.removed`) },
    })),
  { minLength: 1, maxLength: 3 },
)
const rosters: fc.Arbitrary<Roster> = fc
  .record(
    {
      agent: names,
      url: fc.webUrl(),
      profile: fc.record({ ...codeProfile, window: fc.nat(2), header: fc.constantFrom('X-TOTP', 'X-Code') }),
      replay,
      signed,
      sharedSeeds: seeds,
      peers,
      removed,
    },
    { requiredKeys: ['agent', 'profile', 'replay', 'peers'] },
  )
  .map(({ peers: entries, ...roster }) => ({
    ...roster,
    peers: new Map(
      Object.entries(entries).map(([name, peer]) => [
        name,
        {
          ...peer,
          name,
          seeds: roster.sharedSeeds ? [] : peer.seeds,
          tokens: peer.tokens.map((token) => ({ ...token, token: Token.parse(`${name}.${token.id}`) })),
        },
      ]),
    ),
  }))

const removedText = ({ seed, token, ...peer }: RemovedPeer): string =>
  JSON.stringify([peer, { ...seed, seed: seed.seed.base32 }, { ...token, token: token.token.value }])

describe('the text of a store', () => {
  it('is the documented JSON, a line for each peer, with dates in UTC and a newline at the end', () => {
    const roster = rosterOf(
      [
        peerOf('alice', {
          replay: 'once',
          note: 'from billing',
          seeds: [seedCredential('s1', 0, new Date('2026-06-01T00:00:00Z'))],
          tokens: [tokenCredential('t1', 'a2at_x')],
        }),
      ],
      { url: 'https://agent.example' },
    )
    expect(formatStore(roster)).toBe(`{
  "version": 1,
  "agent": {
    "name": "agent",
    "url": "https://agent.example"
  },
  "profile": {
    "algorithm": "SHA1",
    "digits": 6,
    "period": 30,
    "window": 1,
    "header": "X-TOTP"
  },
  "replay": "reuse",
  "peers": {
    "alice": {"algorithm":"SHA1","digits":6,"period":30,"replay":"once","note":"from billing","createdAt":"2026-01-01T00:00:00.000Z","seeds":[{"id":"s1","seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","createdAt":"2026-01-01T00:00:00.000Z","expiresAt":"2026-06-01T00:00:00.000Z"}],"tokens":[{"id":"t1","token":"a2at_x","createdAt":"2026-01-01T00:00:00.000Z"}]}
  }
}
`)
  })

  it('gives every roster back, and is the same text when it is written again', () => {
    fc.assert(
      fc.property(rosters, (roster) => {
        const text = formatStore(roster)
        const read = parseStore(text).roster
        expect(formatStore(read)).toBe(text)
        const others = { peers: undefined, sharedSeeds: undefined, removed: undefined }
        expect({ ...read, ...others }).toEqual({ ...roster, ...others })
        expect(read.removed?.map(removedText)).toEqual(roster.removed?.map(removedText))
        expect(new Set(read.peers.keys())).toEqual(new Set(roster.peers.keys()))
        for (const [name, { seeds: given, tokens, ...peer }] of roster.peers) {
          const { seeds: readSeeds, tokens: readTokens, ...readPeer } = read.peers.get(name) ?? peerOf('none')
          expect(readPeer).toEqual(peer)
          expect(readSeeds.map(({ seed }) => seed.base32)).toEqual(given.map(({ seed }) => seed.base32))
          expect(readTokens.map(({ token }) => token.value)).toEqual(tokens.map(({ token }) => token.value))
        }
      }),
    )
  })

  it('has the policies for proofs only where they are set, so that a store of before stays the same', () => {
    const text = formatStore(rosterOf([peerOf('alice'), peerOf('bob', { signed: 'require' })]))
    expect(text.match(/"signed"/g)).toHaveLength(1)
    expect(text).toContain('"period":30,"signed":"require","createdAt"')
    const before = formatStore(rosterOf([peerOf('alice', { replay: 'once' })]))
    expect(before).not.toContain('signed')
    expect(formatStore(parseStore(before).roster)).toBe(before)
    expect(formatStore(rosterOf([], { signed: 'off' }))).toContain('"replay": "reuse",\n  "signed": "off",\n')
  })

  it('takes the names of what every object has for peers like any others', () => {
    const all = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '123']
    const { roster } = parseStore(formatStore(rosterOf(all.map((name) => peerOf(name)))))
    expect([...roster.peers.keys()].sort()).toEqual([...all].sort())
    expect(roster.peers.get('constructor')?.name).toBe('constructor')
  })

  it('is not written for a roster that could not be read back', () => {
    const without = rosterOf([peerOf('alice', { tokens: [] })])
    expect(errorOf(() => formatStore(without))).toMatchObject({ code: 'ERR_STORE_INVALID' })
    for (const at of [new Date('+010000-01-01T00:00:00Z'), new Date('-000001-12-31T23:59:59.999Z')]) {
      for (const [path, peer] of [
        ['createdAt', { createdAt: at }],
        ['seeds[0].expiresAt', { seeds: [seedCredential('s', 1, at)] }],
        ['tokens[0].expiresAt', { tokens: [tokenCredential('t', 'a2at_token', at)] }],
      ] as const) {
        const error = errorOf(() => formatStore(rosterOf([peerOf('alice', peer)])))
        expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
        expect(String(error)).toContain(`peers.alice.${path} must be in the years 0000 to 9999`)
      }
    }
    const undated = rosterOf([peerOf('alice', { createdAt: new Date(Number.NaN) })])
    expect(() => formatStore(undated)).toThrow(RangeError)
  })
})

describe('a store with removed peers', () => {
  const {
    algorithm,
    digits,
    period,
    seeds: [seed],
    tokens: [token],
  } = peerOf('bob')
  if (!seed || !token) throw new Error('it has both')
  const bob: RemovedPeer = {
    ...{ name: 'bob', algorithm, digits, period, replay: 'reuse', signed: 'off', removedAt: madeAt },
    ...{ seed, token },
  }
  const text = formatStore(rosterOf([peerOf('alice')], { removed: [bob, { ...bob, name: 'carol' }] }))

  it('has a line for each of them after the peers, and none if there are none', () => {
    expect(text.split('\n').slice(-7)).toEqual([
      '  },',
      '  "removed": [',
      expect.stringMatching(/^ {4}\{"name":"bob",.*"token":"a2at_token-of-bob".*\},$/) as string,
      expect.stringMatching(/^ {4}\{"name":"carol",.*\}$/) as string,
      '  ]',
      '}',
      '',
    ])
    expect(formatStore(rosterOf([peerOf('alice')], { removed: [] }))).toBe(
      formatStore(rosterOf([peerOf('alice')])),
    )
  })

  it('may have removed a peer that is there again, with the same credentials', () => {
    const again = formatStore(rosterOf([peerOf('bob')], { removed: [bob, bob] }))
    expect(formatStore(parseStore(again).roster)).toBe(again)
  })

  it.each([
    ['removed', {}, 'removed must be a list'],
    ['removed.0', null, 'removed[0] must be an object'],
    ['removed.1.name', 'a b', 'removed[1].name must be a letter or digit'],
    ['removed.0.signed', undefined, 'removed[0].signed is missing'],
    ['removed.0.removedAt', 'yesterday', 'removed[0].removedAt must be an RFC 3339 time in UTC'],
    ['removed.0.seed', null, 'removed[0].seed must be an object'],
    ['removed.0.seed.seed', `${secretSeed}!`, 'removed[0].seed.seed must be a seed in base32'],
    ['removed.0.token.token', `${secretToken} x`, 'removed[0].token.token must be an RFC 6750'],
    ['removed.0.token.hash', secretToken, 'removed[0].token.hash is not known'],
  ])('is refused with a bad %s', (path, value, words) => {
    const error = errorOf(() => parseStore(spoiled(path, value, JSON.parse(text) as Record<string, unknown>)))
    expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
    expect(String(error)).toContain(words)
    expect(String(error)).not.toContain(secretSeed)
    expect(String(error)).not.toContain(secretToken)
  })

  it('is not written with what could not be read back', () => {
    const hash = TokenHash.parse(`sha256:${'0'.repeat(64)}`)
    const known = { ...bob, token: { ...token, token: hash } }
    for (const [removedPeer, words] of [
      [known, 'removed[0].token.token is missing'],
      [{ ...bob, name: 'a b' }, 'removed[0].name must be'],
      [{ ...bob, removedAt: new Date(8.64e15) }, 'removed[0].removedAt must be in the years'],
    ] as const) {
      const error = errorOf(() => formatStore(rosterOf([], { removed: [removedPeer] })))
      expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
      expect(String(error)).toContain(words)
    }
  })
})

describe('a bad store', () => {
  it.each([
    ['', 'not JSON'],
    ['{"version":1,', 'not JSON'],
    ['null', 'the document must be an object'],
    ['[]', 'version is missing'],
    ['"age-encryption.org/v1"', 'the document must be an object'],
  ])('%j is refused', (text, words) => {
    const error = errorOf(() => parseStore(text))
    expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
    expect(String(error)).toContain(words)
  })

  it.each(
    (
      [
        ['version', undefined, 'version is missing'],
        ['version', '1', 'version must be 1'],
        ['version', 0, 'version must be 1'],
        ['agent', 'agent', 'agent must be an object'],
        ['agent.name', '-x', 'agent.name must be a letter or digit'],
        ['agent.url', 'agent.example', 'agent.url must be an absolute http or https URL'],
        ['agent.url', 'file:///etc/passwd', 'agent.url must be an absolute http or https URL'],
        ['profile.window', 3, 'profile.window must be 0, 1 or 2'],
        ['profile.header', 'Content-Type', 'profile.header must be an RFC 9110 token'],
        ['profile.header', 'Authorization', 'profile.header must be an RFC 9110 token'],
        ['replay', 'maybe', 'replay must be once or reuse'],
        ['signed', 'maybe', 'signed must be one of off, observe, accept, require'],
        ['peers.alice.signed', true, 'peers.alice.signed must be one of off, observe, accept, require'],
        ['peers', [], 'peers must be an object'],
        ['peers', undefined, 'peers is missing'],
        ['peers.alice', null, 'peers.alice must be an object'],
        ['peers.alice.digits', 9, 'peers.alice.digits must be one of 6, 7, 8'],
        ['peers.alice.period', '30', 'peers.alice.period must be a whole number'],
        ['peers.alice.note', 7, 'peers.alice.note must be a string'],
        [
          'peers.alice.createdAt',
          '2026-02-31T00:00:00Z',
          'peers.alice.createdAt must be an RFC 3339 time in UTC',
        ],
        [
          'peers.alice.createdAt',
          '2026-01-01T00:00:00+01:00',
          'peers.alice.createdAt must be an RFC 3339 time',
        ],
        ['peers.alice.createdAt', '2026-13-01T00:00:00Z', 'peers.alice.createdAt must be an RFC 3339 time'],
        ['peers.alice.seeds', {}, 'peers.alice.seeds must be a list'],
        ['peers.alice.seeds', [], 'peers.alice.seeds must not be empty'],
        ['peers.alice.tokens', [], 'peers.alice.tokens must not be empty'],
        ['peers.alice.seeds.0.seed', `${secretSeed}!`, 'peers.alice.seeds[0].seed must be a seed in base32'],
        ['peers.alice.seeds.0.seed', undefined, 'peers.alice.seeds[0].seed is missing'],
        ['peers.alice.seeds.0.id', 'a b', 'peers.alice.seeds[0].id must be a letter or digit'],
        ['peers.alice.tokens.0.token', `${secretToken} x`, 'peers.alice.tokens[0].token must be an RFC 6750'],
        ['peers.alice.tokens.0.expiresAt', null, 'peers.alice.tokens[0].expiresAt must be a string'],
        [
          'peers.alice.tokens.0.hash',
          secretToken,
          'peers.alice.tokens[0].hash must be sha256: and 64 hex digits',
        ],
        [
          'peers.alice.tokens.0.hash',
          `sha256:${'0'.repeat(64)}`,
          'peers.alice.tokens[0] must have a token, or its hash, and not both',
        ],
        ['peers.alice.tokens.0.staged', false, 'peers.alice.tokens[0].staged must be true'],
        ['peers.alice.pending', {}, 'peers.alice.pending.id is missing'],
        ['serial', -1, 'serial must be a whole number'],
        ['extra', secretToken, 'extra is not known to this version'],
        [secretToken, 1, '(a key that is not shown) is not known to this version'],
        [`peers.${secretSeed} `, {}, 'peers has a peer name that is not allowed'],
        ['peers.__proto__x', {}, 'peers has a peer name that is not allowed'],
        [`peers.${secretSeed}`, {}, 'peers.(a key that is not shown).algorithm is missing'],
      ] as const
    ).map(([path, value, words]) => ({ path, value, words })),
  )('says: $words', ({ path, value, words }) => {
    const error = errorOf(() => parseStore(spoiled(path, value)))
    expect(error).toMatchObject({ code: 'ERR_STORE_INVALID' })
    expect(String(error)).toContain(words)
    expect(String(error)).not.toContain(secretSeed)
    expect(String(error)).not.toContain(secretToken)
  })

  it('of a newer version asks for a newer release', () => {
    for (const version of [2, 1.5, 99]) {
      const error = errorOf(() => parseStore(spoiled('version', version)))
      expect(error).toMatchObject({ code: 'ERR_STORE_VERSION' })
    }
  })

  it('never has a part of itself in the error, wherever it was damaged', () => {
    const text = JSON.stringify(documentOf())
    const unseen = [secretSeed, secretToken].flatMap((secret) => [secret.slice(0, 8), secret.slice(-8)])
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('', '"', '\\', '!', '{', '\n', '\u0000'),
        (at, put) => {
          let shown = ''
          try {
            parseStore(text.slice(0, at) + put + text.slice(at + 1))
          } catch (error) {
            shown = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`
          }
          for (const part of unseen) expect(shown).not.toContain(part)
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    ['seeds', [seedCredential('same', 1), seedCredential('same', 2)], 'peers.alice.seeds[1].id must differ'],
    [
      'tokens',
      [tokenCredential('same', 'a2at_1'), tokenCredential('same', 'a2at_2')],
      'peers.alice.tokens[1].id must differ',
    ],
    [
      'tokens',
      [tokenCredential('one', 'a2at_1'), tokenCredential('two', 'a2at_1')],
      'peers.alice.tokens[1].token must differ',
    ],
  ])('with two %s that cannot be told apart is refused', (list, credentials, words) => {
    const entries = credentials.map(({ id, ...rest }) => ({
      id,
      createdAt: madeAt,
      ...('seed' in rest ? { seed: rest.seed.base32 } : { token: rest.token.value }),
    }))
    expect(String(errorOf(() => parseStore(spoiled(`peers.alice.${list}`, entries))))).toContain(words)
  })

  it('with one token for two peers is refused: it would not tell who calls', () => {
    const tokens = [tokenCredential('t', 'a2at_1')]
    const error = errorOf(() =>
      formatStore(rosterOf([peerOf('alice', { tokens }), peerOf('bob', { tokens })])),
    )
    expect(String(error)).toContain('peers.bob.tokens[0].token must differ from every other token')
  })

  it('with shared seeds and seeds of peers, or with an empty list of shared ones, is refused', () => {
    const shared = [{ id: 's', seed: secretSeed, createdAt: madeAt }]
    expect(String(errorOf(() => parseStore(spoiled('sharedSeeds', shared))))).toContain(
      'peers.alice.seeds must be empty',
    )
    expect(String(errorOf(() => parseStore(spoiled('sharedSeeds', []))))).toContain(
      'sharedSeeds must not be empty',
    )
  })
})
