import { describe, expect, it } from 'vitest'
import type { Canary, PendingRotation } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { formatStore, parseStore, serialAtSight } from '../../src/store/store-file.js'
import { failureOf } from '../support/failure.js'
import { canariesNamed, canaryOf } from '../support/known-agent.js'
import { madeAt, peerOf, rosterOf, tokenCredential } from '../support/roster.js'

const alice = peerOf('alice')

/** The text of a store that one piece of another one stands in. */
function textWith(piece: string, other: string, text = formatStore(rosterOf([alice]))): string {
  expect(text).toContain(piece)
  return text.replace(piece, other)
}
function problemOf(text: string): string {
  const { code, message } = failureOf(() => parseStore(text))
  expect(code).toBe('ERR_STORE_INVALID')
  return message
}

describe('the text of the smallest store', () => {
  it('is read as a roster with nothing that it does not have', () => {
    expect(parseStore(formatStore(rosterOf([])))).toStrictEqual({
      recipients: [],
      roster: {
        ...{ agent: 'agent', url: undefined, profile: defaultProfile, replay: 'reuse' },
        ...{ sharedSeeds: undefined, peers: new Map() },
      },
    })
  })

  it('has peers, none of them', () => {
    expect(formatStore(rosterOf([]))).toMatch(/\n {2}"replay": "reuse",\n {2}"peers": \{\}\n\}\n$/)
  })

  it('has the serial and the recipients where there are some', () => {
    const text = formatStore(rosterOf([], { serial: 7 }), ['age1qqqqqqqq', 'age1pppppppp'])
    expect(text).toContain(
      '  "version": 1,\n  "serial": 7,\n  "recipients": [\n    "age1qqqqqqqq",\n    "age1pppppppp"\n  ],\n',
    )
    const { roster, recipients } = parseStore(text)
    expect(roster.serial).toBe(7)
    expect(recipients).toEqual(['age1qqqqqqqq', 'age1pppppppp'])
  })
})

describe('the text of a store with canaries', () => {
  const bait: Canary = { ...canaryOf('bait', 'a2at_bait'), note: 'in the wiki' }
  const lure: Canary = {
    ...canaryOf('lure'),
    tokens: [tokenCredential('t1', 'a2at_lure', new Date('2027-01-01T00:00:00Z'))],
  }
  const text = formatStore(rosterOf([alice], { canaries: canariesNamed(bait, lure) }))

  it('has a line for each of them after the peers', () => {
    expect(text.split('\n').slice(-7)).toEqual([
      '  },',
      '  "canaries": {',
      '    "bait": {"note":"in the wiki","createdAt":"2026-06-01T00:00:00.000Z","tokens":[{"id":"bait-c0","token":"a2at_bait","createdAt":"2026-01-01T00:00:00.000Z"}]},',
      '    "lure": {"createdAt":"2026-06-01T00:00:00.000Z","tokens":[{"id":"t1","token":"a2at_lure","createdAt":"2026-01-01T00:00:00.000Z","expiresAt":"2027-01-01T00:00:00.000Z"}]}',
      '  }',
      '}',
      '',
    ])
  })

  it('gives them back, and is the same text when it is written again', () => {
    const { roster } = parseStore(text)
    expect([...(roster.canaries ?? [])]).toEqual([
      ['bait', bait],
      ['lure', lure],
    ])
    expect(formatStore(roster)).toBe(text)
  })

  it('is that of a store without any where there are none', () => {
    const without = formatStore(rosterOf([alice]))
    expect(formatStore(rosterOf([alice], { canaries: new Map() }))).toBe(without)
    expect(parseStore(without).roster).not.toHaveProperty('canaries')
  })

  it.each([
    ['"bait":', '"-bait":', 'canaries has a canary name that is not allowed; expected a letter or digit'],
    ['"bait":', '"alice":', 'canaries.alice must not have the name of a peer'],
    ['"note":"in the wiki"', '"note":7', 'canaries.bait.note must be a string'],
    ['"note":"in the wiki"', '"seeds":[]', 'canaries.bait.seeds is not known to this version'],
    ['"token":"a2at_lure"', '"token":"a2at_bait"', 'canaries.lure.tokens[0].token must differ'],
    ['"canaries": {', '"canaries": null, "x": {', 'canaries must be an object'],
  ])('is refused with %s changed to %s', (piece, other, words) => {
    expect(problemOf(textWith(piece, other, text))).toContain(`the store is not valid: ${words}`)
  })
})

describe('the text of a store with a rotation that is not finished', () => {
  const pending: PendingRotation = {
    ...{ id: 'r1', since: madeAt, step: 'delivered', seed: true, token: false, overlapMs: 86_400_000 },
  }
  const text = formatStore(rosterOf([peerOf('alice', { pending })]))

  it('says how far it has come, and gives it back', () => {
    expect(text).toContain(
      '"pending":{"id":"r1","since":"2026-01-01T00:00:00.000Z","step":"delivered","seed":true,"token":false,"overlapMs":86400000}}',
    )
    const { roster } = parseStore(text)
    expect(roster.peers.get('alice')?.pending).toEqual(pending)
    expect(formatStore(roster)).toBe(text)
  })

  it.each([
    ['"step":"delivered"', '"step":"done"', 'step must be one of staged, admitted, delivered, proved'],
    ['"seed":true', '"seed":1', 'seed must be true or false'],
    ['"token":false', '"token":null', 'token must be true or false'],
    ['"since":"2026', '"since":"x', 'since must be an RFC 3339 time in UTC'],
    ['"id":"r1"', '"id":""', 'id must be a letter or digit'],
    ['"overlapMs"', '"overlap"', 'overlapMs is missing'],
  ])('is refused with %s changed to %s', (piece, other, words) => {
    expect(problemOf(textWith(piece, other, text))).toContain(`peers.alice.pending.${words}`)
  })
})

describe('a text that is no store', () => {
  it('is refused with a key twice, of which one would be lost at the next change', () => {
    const text = formatStore(rosterOf([alice]))
    const line = /^ {4}"alice": .*$/m.exec(text)?.[0] ?? ''
    expect(problemOf(textWith(line, `${line},\n${line}`))).toMatch(
      /^the store has a key twice: line \d+, column \d+: expected /,
    )
    expect(problemOf(textWith('"replay": "reuse"', '"replay": "reuse", "replay": "once"'))).toMatch(
      /^the store has a key twice: line \d+/,
    )
  })

  it('is refused where it is no JSON, with the place', () => {
    expect(problemOf(textWith('"peers": {', '"peers" {'))).toMatch(
      /^the store is not JSON: line \d+, column 11: expected /,
    )
  })

  it.each(['"2"', 'null', 'true', '[2]'])(
    'is of no newer release when it has %s for a version',
    (version) => {
      expect(problemOf(textWith('"version": 1', `"version": ${version}`))).toBe(
        'the store is not valid: version must be 1',
      )
    },
  )

  it('names the first of several faults', () => {
    const text = textWith('"replay": "reuse"', '"replay": 1, "later": 2')
    expect(problemOf(textWith('"name": "agent"', '"name": 0', text))).toContain('agent.name must be')
  })
})

describe('the serial of a damaged store', () => {
  it.each<[string, number]>([
    ['{"version": 1, "serial": 41, "agent', 41],
    ['{"serial":7}', 7],
    ['{"serial": 0,', 0],
    ['{"serial": 999999999999999,', 999_999_999_999_999],
    // More than can be trusted: the next number would not be exact.
    ['{"serial": 1000000000000000,', 0],
    ['{"serial": 12x', 0],
    ['{"serial": -3,', 0],
    ['{"serial": "3",', 0],
    ['{"serial":  3,', 0],
    ['{"Serial": 3}', 0],
    ['\u0000\u00ff', 0],
    ['', 0],
  ])('in %j is %d', (text, serial) => {
    expect(serialAtSight(Buffer.from(text))).toBe(serial)
  })

  it('is found in what was cut off', () => {
    const text = formatStore(rosterOf([alice], { serial: 1234 }))
    expect(serialAtSight(Buffer.from(text.slice(0, text.length / 2)))).toBe(1234)
  })
})
