import { randomBytes, randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, it, vi } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { hashToken } from '../../src/core/token.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { tallyEvents } from '../../src/doctor/event-tally.js'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import { schemeOptions } from '../../src/server/scheme/from-file.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { digestOf } from '../../src/core/proof/digest.js'
import { memoryState } from '../../src/state/index.js'
import { makeAgentFolder } from '../support/agent-folder.js'
import { runBinary } from '../support/cli.js'
import { secondLooks } from '../support/guarded.js'
import { proofOf } from '../support/proof-of.js'
import { describeWith, pythonTests, runPython } from '../support/python.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

const { own } = vectors.files
const { alice, bob, carol, dave } = own.peers
const start = 1_780_332_007_000

const file = {
  ...own,
  signed: 'accept',
  canaries: [
    { name: 'bait', id: 'k1', hash: hashToken('token-of-bait') },
    { name: 'lure', id: 'k2', hash: hashToken('token-of-lure') },
  ],
  peers: {
    alice: { ...alice, replay: 'once', signed: 'accept' },
    bob: { ...bob, signed: 'require' },
    carol: { ...carol, signed: 'observe' },
    dave: { ...dave, signed: 'off' },
  },
}

interface Told {
  readonly at: number
  readonly fields: readonly (readonly [string, string])[]
  readonly source: string
  readonly target: string
  readonly body: string
}

const pick = <T>(choices: readonly T[]): T => choices[randomInt(choices.length)] as T
const sources = [
  '192.0.2.1',
  '192.0.2.2',
  '::ffff:192.0.2.1',
  '2001:db8::1',
  '',
  'a\n::error::b\u202e',
  '##[x]',
]

interface FilePeer {
  readonly seeds: readonly { readonly seed: string }[]
  readonly algorithm?: 'SHA1'
  readonly digits?: 6
  readonly period?: number
}

/**
 * Right requests, wrong and late codes, spent ones from elsewhere, jumping clocks, bait, and proofs of every kind; a day
 * later guesses past the limit.
 */
function* requests(many: number): Generator<Told> {
  let at = start
  const sent: Told[] = []
  const drifts = new Map<string, number>()
  for (let number = 0; number < many; number++) {
    at += number < 3 ? 0 : pick([0, 0, 10, 700, 5000, 31_000, 31_000, 61_000])
    // The first three make sure of a jump, which takes two codes of one moment, and of another body under `observe`.
    const fixed = number < 3
    if (!fixed && randomInt(5) === 0) {
      yield { ...pick(sent.slice(-3)), at, source: pick(sources) }
      continue
    }
    const name = fixed ? 'carol' : pick(['alice', 'alice', 'bob', 'carol', 'dave'] as const)
    const { seeds, algorithm, digits, period = 30 } = file.peers[name] as FilePeer
    const seed = Seed.fromBase32((fixed ? seeds.at(-1) : pick(seeds))?.seed ?? '')
    const profile = { ...own.profile, algorithm: algorithm ?? 'SHA1', digits: digits ?? 6, period } as const
    if (randomInt(30) === 0) drifts.set(name, pick([-1, 0, 1]))
    const drift = fixed
      ? number === 0
        ? -1
        : 1
      : randomInt(8) === 0
        ? pick([-40, -5, 3, 4, 5, 50])
        : (drifts.get(name) ?? 0)
    const code = generateCodeOfStep(seed, profile, Math.floor(at / 1000 / period) + drift)
    const token =
      !fixed && randomInt(8) === 0
        ? pick(['token-of-bait', 'token-of-lure', 'nobody'])
        : `a2at_vector-token-of-${name}`
    const headers: Record<string, string> = { authorization: `Bearer ${token}` }
    if (fixed || randomInt(15) > 0)
      headers['x-totp'] = !fixed && randomInt(10) === 0 ? pick(['000001', '000002', '12345', 'abcdef']) : code
    const target = '/a2a?x=1'
    const body = '{"hello":1}'
    const proof =
      number !== 2 && (randomInt(2) === 0 || headers['x-totp'] === undefined)
        ? {}
        : proofOf({
            seed,
            agent: fixed ? own.agent : pick([own.agent, own.agent, 'other']),
            target,
            headers,
            body,
            at: new Date(at),
            created: fixed ? 0 : pick([0, 0, 0, -400]),
            life: 60,
            nonce: randomBytes(16),
          })
    const told = {
      at,
      source: pick(sources),
      target: !fixed && randomInt(12) === 0 ? '/other' : target,
      body: fixed || randomInt(name === 'carol' ? 3 : 12) === 0 ? 'other' : body,
      fields: Object.entries<string>({ ...headers, ...proof }),
    }
    sent.push(told)
    yield told
  }
  // Whatever was guessed before is forgotten by then, and these are more than the limit of a moment.
  at += 86_400_000
  const authorization = 'Bearer a2at_vector-token-of-alice'
  for (let guess = 100_001; guess <= 100_008; guess++) {
    const fields = Object.entries({ authorization, 'x-totp': String(guess) })
    yield { at, fields, source: '192.0.2.1', target: '/a2a?x=1', body: '' }
  }
}

/** The events of each request, as JSON has them; at last those of closing the scheme. */
async function ourEvents(told: readonly Told[]): Promise<unknown[][]> {
  let now = start
  const events: AuthEvent[] = []
  const scheme = new TOTPServerAuthScheme({
    ...schemeOptions(JSON.stringify(file), {}),
    state: memoryState({ since: new Date(start) }),
    now: () => new Date(now),
    onEvent: (event) => events.push(event),
  })
  const all: unknown[][] = []
  const take = (): void => void all.push(JSON.parse(JSON.stringify(events.splice(0))) as unknown[])
  for (const { at, fields, source, target, body } of told) {
    now = at
    const header = (wanted: string): string[] =>
      fields.flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []))
    const digest = digestOf('http', Buffer.from(body))
    await scheme.authenticate({
      binding: 'http',
      method: 'POST',
      target,
      header,
      ...(source !== '' && { source }),
      body: {
        expectDigest: (_, expected) => digest.equals(expected),
        observeDigest: (_, expected, mismatch) => {
          if (!digest.equals(expected)) mismatch()
        },
      },
    })
    await secondLooks()
    await new Promise((done) => setImmediate(done))
    take()
  }
  scheme.close()
  take()
  return all
}

const path = fileURLToPath(new URL('../../python/src', import.meta.url))

function theirEvents(told: readonly Told[]): unknown[][] {
  const input = JSON.stringify({ file, since: start, requests: told })
  const printed = runPython('a2a-1', [`${pythonTests}scheme_events.py`], { path, input })
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown[])
}

/** The order of two that are reported after an answer is not fixed. */
const sorted = (events: readonly unknown[]): string[] => events.map((event) => JSON.stringify(event)).sort()

describeWith('a2a-1', 'the events of Python', () => {
  // What is held back for a second of this machine would come at any request.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    return () => vi.useRealTimers()
  })

  it('are read by doctor, with the same findings as those of TypeScript', async () => {
    const told = [...requests(300)]
    const text = (events: readonly unknown[][]): string =>
      events
        .flat()
        .map((event) => `${JSON.stringify(event)}\n`)
        .join('')
    const names = new Set(Object.keys(file.peers))
    const tally = (events: readonly unknown[][]) =>
      tallyEvents(Readable.from([Buffer.from(text(events))]), names)
    const [ours, theirs] = [await ourEvents(told), theirEvents(told)]
    const found = await tally(theirs)
    expect(found).toEqual(await tally(ours))
    expect(found).toMatchObject({ unknown: 0, foreign: 0 })
    expect(found.counted).toBeGreaterThan(20)

    vi.useRealTimers()
    const cwd = await makeAgentFolder()
    await runBinary(['set', 'alice', '--signed', 'observe'], { cwd })
    const isSigned = (event: unknown): boolean => {
      const { type, proof } = event as { type: string; proof?: string }
      return type === 'authenticated' && proof === 'valid'
    }
    const signed = { ...(theirs.flat().find(isSigned) as object), peer: 'alice' }
    writeFileSync(join(cwd, 'events.ndjson'), `${JSON.stringify(signed)}\n`)
    const run = await runBinary(['doctor', '--events', 'events.ndjson', '--json'], { cwd })
    expect(run.stdout).toContain('signed-ready')
  })

  it('are those of TypeScript: the same keys, in the same order, with the same values', async () => {
    const seen = new Set<string>()
    for (let run = 0; run < 4; run++) {
      const told = [...requests(300)]
      const [ours, theirs] = [await ourEvents(told), theirEvents(told)]
      expect(theirs).toHaveLength(ours.length)
      for (const [index, events] of ours.entries()) {
        expect(sorted(theirs[index] ?? []), JSON.stringify(told[index])).toEqual(sorted(events))
        for (const { type } of events as { type: string }[]) seen.add(type)
      }
    }
    expect([...seen].sort()).toEqual([
      ...['authenticated', 'canary_used', 'clock_jumped', 'code_from_two_sources', 'code_stale'],
      ...['proof_observed', 'refused', 'replayed', 'throttled', 'token_compromise_suspected'],
    ])
  })
})
