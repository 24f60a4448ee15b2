import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TOTPServerAuthScheme, type AuthEvent, type ServerFileEvent } from '../../src/server/index.js'
import { JWTAuth } from '../../src/server/jwt.js'
import { emit, eventsOf } from '../../src/server/scheme/events.js'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import { warningListener } from '../../src/server/scheme/warnings.js'
import { formatCall } from '../../src/service/call-log.js'
import { temporaryFolder } from '../support/folder.js'
import { bearerOf, codeOf, headersOf, peers, requestWith, someInstant } from '../support/guarded.js'
import { serverFile } from '../support/server-file.js'

/** Every C0 and C1 control, among them U+0085 and CSI; bidi overrides; line separators; what CI runners obey. */
const marks = [
  ...Array.from({ length: 32 }, (_, n) => String.fromCharCode(n)),
  ...Array.from({ length: 33 }, (_, n) => String.fromCharCode(0x7f + n)),
  ...[
    '\u200b',
    '\u200e',
    '\u200f',
    '\u202a',
    '\u202e',
    '\u2028',
    '\u2029',
    '\u2066',
    '\u2069',
    '\ufeff',
    '\u{e0041}',
  ],
  ...['::error::', '::', '##[group]', '##vso[task.setvariable]', '##teamcity[x]', '#', ':', '[', '[::1]'],
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...marks), fc.string({ maxLength: 5 })), { maxLength: 12 })
  .map((parts) => parts.join(''))
const everyMark = marks.join('a')

const controls = /[\p{C}\p{Zl}\p{Zp}]/u
const obeyed = /::|##\w*\[/
/** Addresses keep their colons; nothing else in them can be obeyed. */
const withoutAddresses = (text: string): string => text.replace(/\[[\da-f.]*(:[\da-f.]*)+\]/gi, '')

function expectHarmless(value: unknown): void {
  if (typeof value === 'string') {
    expect(value).not.toMatch(controls)
    if (!/^[\da-f.:]{2,45}$/i.test(value)) expect(withoutAddresses(value)).not.toMatch(obeyed)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    for (const one of Object.values(value)) expectHarmless(one)
  }
}

/** What a listener gets. */
function heard<E extends object>(events: readonly E[]): E[] {
  const got: E[] = []
  for (const event of events) emit((one: E) => got.push(one), event)
  expect(got).toHaveLength(events.length)
  return got
}

/** The process warnings about events. */
function warned(events: readonly (AuthEvent | ServerFileEvent)[]): string[] {
  const messages: string[] = []
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error) => void messages.push(String(warning))
  try {
    const listener = warningListener()
    for (const event of events) emit(listener, event)
  } finally {
    process.emitWarning = emitWarning
  }
  return messages
}

describe('text from outside in events', () => {
  it('is harmless in every field of every event, in warnings, and in the log of calls', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (source, peer, seedId, other) => {
        const request = { ...requestWith({}), source }
        const refusal = {
          peer,
          challenges: [],
          failure: { cause: other, advice: other },
        }
        const outcomes = [
          { caller: { peer, seedId, timeStep: 1, drift: 0, claims: { [other]: other } } },
          { refusal: { ...refusal, kind: 'unauthenticated', reason: 'code-wrong' } },
          { refusal: { ...refusal, kind: 'unavailable', reason: 'guard-failed' } },
          { refusal: { ...refusal, kind: 'unavailable', reason: 'delegate-failed' } },
        ] as AuthOutcome[]
        const file = { at: someInstant, path: other, message: other }
        const events: (AuthEvent | ServerFileEvent)[] = [
          ...outcomes.flatMap((outcome) => eventsOf(outcome, request, someInstant)),
          { type: 'canary_used', at: someInstant, binding: 'http', source, canary: peer },
          { type: 'clock_jumped', at: someInstant, binding: 'http', peer, seedId, drifts: [1, -1] },
          {
            type: 'code_from_two_sources',
            at: someInstant,
            binding: 'http',
            peer,
            seedId,
            sources: [source, other],
          },
          { type: 'token_compromise_suspected', at: someInstant, binding: 'http', peer, advice: other },
          { type: 'server_file_exposed', ...file },
          { type: 'server_file_refused', code: 'ERR_CONFIG_INVALID', ...file },
          { type: 'server_file_loaded', at: someInstant, path: other },
          // Fields of events to come, at any depth.
          { type: 'refused', sources: [other, { deep: [other] }] } as never,
        ]
        for (const event of heard(events)) expectHarmless(event)
        const messages = warned(events)
        expect(messages.length).toBeGreaterThanOrEqual(8)
        for (const message of messages) expectHarmless(message)
        for (const outcome of outcomes)
          expectHarmless(formatCall({ outcome, method: other, path: other, status: other, durationMs: 1 }))
      }),
      {
        examples: [
          [everyMark, everyMark, everyMark, everyMark],
          ['::', '::', '::', '::'],
          ['2001:db8::2', 'a', 'b', '::1'],
        ],
      },
    )
  })

  it.each(['192.0.2.1', '::1', '2001:db8::2', '::ffff:127.0.0.1'])(
    'leaves the address %s as it is',
    (source) => {
      const outcome = {
        refusal: { kind: 'unauthenticated', reason: 'token-missing', challenges: [] },
      } as const
      const [event] = heard(eventsOf(outcome, { ...requestWith({}), source }, someInstant))
      expect(event?.source).toBe(source)
    },
  )

  it('is harmless as the subject of a JWT, under a shared seed, where it names the peer', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const delegate = new JWTAuth({
      key: await exportJWK(publicKey),
      issuer: 'i',
      audience: 'a',
      algorithms: ['ES256'],
    })
    const token = await new SignJWT({ sub: everyMark })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('i')
      .setAudience('a')
      .setExpirationTime(someInstant.getTime() / 1000 + 300)
      .sign(privateKey)
    const events: AuthEvent[] = []
    const scheme = new TOTPServerAuthScheme({
      delegate,
      sharedSeed: peers.alice.seed,
      replay: 'reuse',
      now: () => someInstant,
      onEvent: (event) => events.push(event),
    })
    const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf('alice', someInstant) }
    const { caller } = await scheme.authenticate(requestWith(fields, everyMark))
    await scheme.authenticate(requestWith({ ...fields, 'X-TOTP': '000000' }, everyMark))
    // Who called is not changed, only what is logged of it.
    expect(caller?.peer).toBe(everyMark)
    expect(events.length).toBeGreaterThanOrEqual(2)
    for (const event of events) {
      expect(event).toHaveProperty('peer')
      expectHarmless(event)
    }
  })

  it('is harmless as the path of a server file, and in the errors about it', async () => {
    // A file system takes neither a slash nor NUL.
    const name = `${marks.slice(1, 60).join('a')}\u202e::error::##[x]`.replaceAll('/', '')
    const folder = join(temporaryFolder(), name)
    mkdirSync(folder)
    const path = join(folder, 'server.json')
    writeFileSync(path, 'no JSON', { mode: 0o644 })
    const start = (): TOTPServerAuthScheme =>
      TOTPServerAuthScheme.fromFile(path, { onEvent: (event) => events.push(event), now: () => someInstant })
    const events: (AuthEvent | ServerFileEvent)[] = []
    expect(() => start()).toThrow()
    try {
      start()
    } catch (error) {
      expectHarmless((error as Error).message)
    }
    writeFileSync(path, JSON.stringify(serverFile()))
    const scheme = start()
    onTestFinished(() => scheme.close())
    writeFileSync(path, '{}')
    const types = (): string[] => events.map(({ type }) => type)
    await expect.poll(types).toContain('server_file_refused')
    expect(types()).toContain('server_file_exposed')
    writeFileSync(path, JSON.stringify(serverFile()))
    await expect.poll(types).toContain('server_file_loaded')
    for (const event of events) expectHarmless(event)
  })

  it('is harmless as the id of a seed', async () => {
    const events: AuthEvent[] = []
    const scheme = new TOTPServerAuthScheme({
      peerSeeds: { alice: { seeds: [{ id: everyMark, seed: peers.alice.seed }] } },
      tokenToPeer: { [bearerOf('alice').slice(7)]: 'alice' },
      replay: 'reuse',
      now: () => someInstant,
      onEvent: (event) => events.push(event),
    })
    await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
    expect(events).toMatchObject([{ type: 'authenticated' }])
    expectHarmless(events[0])
  })
})
