import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { hashToken } from '../../src/core/token.js'
import { budgetsFor, defaultBudgets } from '../../src/state/budgets.js'
import { memoryState } from '../../src/state/memory-state.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { inStep, rightCode, signed, someStep, wrongCode } from '../state/attempts.js'
import { bearerOf, Clock, codeOf, headersOf, requestWith, schemeFor } from '../support/guarded.js'
import { bytesHeld, heapUsed } from '../support/memory.js'

const million = 1_000_000
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const longAgo = new Date(0)
const digestOf = (n: number): Buffer => createHash('sha256').update(String(n)).digest()

/** Memory that is held after some work, and what for. Whatever the work made stays reachable through `held`. */
async function heldBy(
  what: string,
  held: unknown,
  work: () => void | Promise<void>,
  measure = heapUsed,
): Promise<number> {
  const before = measure()
  await work()
  const bytes = measure() - before
  expect(held).toBeDefined()
  console.log(`memory: ${what}: ${megabytes(bytes)}`)
  return bytes
}

describe('the memory of memoryState', () => {
  const peers = 100_000
  const seedOf = (n: number): string => `seed-${String(n).padStart(17, '0')}`
  const tokens = Array.from({ length: peers }, (_, n) => hashToken(String(n)))

  it(`holds the claims of ${peers} peers in less than 300 bytes each`, async () => {
    const state = memoryState({ since: longAgo })
    const bytes = await heldBy(`${peers} claims`, state, () => {
      for (let n = 0; n < peers; n++) state.decide(rightCode(someStep, { seeds: [seedOf(n)] }))
    })
    expect(bytes / peers).toBeLessThan(300)
    expect(state.decide(rightCode(someStep, { seeds: [seedOf(0)] })).kind).toBe('replayed')
  })

  it(`holds five guesses at each of ${peers} peers, all of them under attack, in less than 1.5 kB each`, async () => {
    const state = memoryState({ since: longAgo })
    const guess = (n: number, code: string): string =>
      state.decide(
        wrongCode(code, inStep(someStep), {
          seeds: [seedOf(n)],
          token: tokens[n] ?? '',
          budgets: defaultBudgets,
        }),
      ).kind
    const bytes = await heldBy(`${peers} full budgets of 6 digits`, state, () => {
      for (let n = 0; n < peers; n++) for (const code of ['1', '2', '3', '4', '5']) guess(n, code)
    })
    expect(bytes / peers).toBeLessThan(1500)
    expect(guess(0, '6')).toBe('throttled')
  })

  it('is bounded for one peer of 8 digits, whatever its guesser does for a day', async () => {
    const state = memoryState({ since: longAgo })
    const budgets = budgetsFor(8, defaultBudgets)
    const bytes = await heldBy(`${million} guesses at 8 digits`, state, () => {
      for (let n = 0; n < million; n++) {
        const at = new Date(inStep(someStep).getTime() + n * 86)
        state.decide(wrongCode(String(n), at, { budgets }))
      }
    })
    expect(bytes).toBeLessThan(1_000_000)
  })
})

describe('the nonces of memoryState', () => {
  const perSeed = 120_000
  const atBound = { mostNonces: perSeed }
  /** As a parser gets it: a piece of a longer text, which must not stay in memory for it. */
  const pieceOf = (nonce: string): string => `${'x'.repeat(200)} nonce="${nonce}"`.slice(208, -1)

  it.each([16, 48])('take at most 130 bytes each, with %i bytes of randomness', async (size) => {
    const state = memoryState({ since: longAgo, ...atBound })
    const bytes = await heldBy(`${perSeed} nonces of ${size} bytes`, state, () => {
      for (let n = 0; n < perSeed; n++) {
        const nonce = pieceOf(randomBytes(size).toString('base64url'))
        // As they come in half a minute.
        const at = new Date(inStep(someStep, 0).getTime() + (n * 30_000) / perSeed)
        const { kind } = state.decide(signed(someStep, { at, nonce }))
        if (kind !== 'accepted') throw new Error(kind)
      }
    })
    console.log(`memory: a nonce of ${size} bytes: ${(bytes / perSeed).toFixed(0)} B`)
    expect(bytes / perSeed).toBeLessThan(130)
    expect(state.decide(signed(someStep)).kind).toBe('full')
  })

  it('take no more than the bounds, whatever their peers send for as long as they like', async () => {
    const state = memoryState({ since: longAgo })
    const bytes = await heldBy('a million signed requests of 10 peers at once', state, () => {
      for (let n = 0; n < million; n++) {
        const nonce = randomBytes(16).toString('base64url')
        state.decide(signed(someStep, { seeds: [`seed-${n % 10}`], nonce }))
      }
    })
    expect(bytes).toBeLessThan(130 * 480_000)
  })
})

describe('the memory of a scheme', () => {
  it('is less than 2 kB for each of 100,000 peers, once all of them have called', async () => {
    const clock = new Clock()
    const peers = 100_000
    // As one piece: text that was put together holds its parts until it is read, and the scheme would seem to free them.
    const seedOf = (n: number): string =>
      Buffer.from(Seed.fromBytes(digestOf(n).subarray(0, 20)).base32).toString()
    const options = {
      delegate: new PeerTokenAuth(
        new Map(Array.from({ length: peers }, (_, n) => [`token-${n}`, `peer-${n}`])),
      ),
      peerSeeds: new Map(Array.from({ length: peers }, (_, n) => [`peer-${n}`, seedOf(n)])),
      onEvent: () => undefined,
    }
    const held: TOTPServerAuthScheme[] = []
    const ask = (n: number): Promise<AuthOutcome | undefined> =>
      Promise.resolve(
        held[0]?.authenticate(requestWith({ Authorization: `Bearer token-${n}`, 'X-TOTP': '12345x' })),
      )
    const bytes = await heldBy(
      `${peers} peers, all of whom have called`,
      held,
      async () => {
        held.push(schemeFor(clock, options).scheme)
        for (let n = 0; n < peers; n++) await ask(n)
      },
      bytesHeld,
    )
    expect(bytes / peers).toBeLessThan(2000)
    expect((await ask(peers - 1))?.refusal?.reason).toBe('code-malformed')
  })

  it('is bounded, whatever a million requests of strangers hold, and its peers are served as before', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { onEvent: () => undefined })
    const address = (n: number): string => `2001:db8::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`
    await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
    const bytes = await heldBy(`${million} strangers with a token and an address each`, scheme, async () => {
      for (let n = 0; n < million; n++) {
        const headers = { Authorization: `Bearer stranger-${n}`, 'X-TOTP': String(n).padStart(6, '0') }
        await scheme.authenticate(requestWith(headers, address(n)))
      }
    })
    expect(bytes).toBeLessThan(8_000_000)
    expect((await scheme.authenticate(requestWith(headersOf('alice', clock.at)))).caller?.peer).toBe('alice')
  })

  it('is bounded, whatever a million codes with a live token are, and the other peer is served as before', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { onEvent: () => undefined })
    const bytes = await heldBy(`${million} requests with a live token`, scheme, async () => {
      for (let n = 0; n < million; n++) {
        if (n % 1000 === 0) clock.advance(86)
        await scheme.authenticate(
          requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': String(n).padStart(6, '0') }),
        )
      }
    })
    expect(bytes).toBeLessThan(1_000_000)
    const right = requestWith({ Authorization: bearerOf('bob'), 'X-TOTP': codeOf('bob', clock.at) })
    expect((await scheme.authenticate(right)).caller?.peer).toBe('bob')
  })
})
