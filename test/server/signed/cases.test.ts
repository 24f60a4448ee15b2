import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryState } from '../../../src/state/memory-state.js'
import type { State } from '../../../src/state/state.js'
import { bearerOf, Clock, schemeFor, someInstant, wrongCodeOf } from '../../support/guarded.js'
import { agent } from '../../support/proof-of.js'
import { changed, signed, without, type SentRequest } from '../../support/signed-requests.js'
import { signedServers, type Seen, type SignedServer } from '../../support/signed-servers.js'

const megabyte = Buffer.alloc(1024 * 1024, 'x')

const withBody = (request: SentRequest, body: string | Buffer): SentRequest => ({
  ...request,
  body: Buffer.from(body),
})

function oneByteOff(body: Buffer): Buffer {
  const off = Buffer.from(body)
  off.writeUInt8(off.readUInt8(off.length >> 1) ^ 1, off.length >> 1)
  return off
}

interface Case {
  readonly make: () => SentRequest | readonly SentRequest[]
  /** The reasons of the requests that are refused, in order; none if all are let in. */
  readonly refused?: readonly string[]
  /** How many are let in. */
  readonly letIn?: number
  /** A `Request` of the web cannot be made so. */
  readonly onlyOnServers?: true
}

const refusedFor = (make: Case['make'], reason: string, more: Partial<Case> = {}): Case => ({
  make,
  refused: [reason],
  ...more,
})

/** What everyone who guards requests has to decide, whatever the framework. */
const cases: Readonly<Record<string, Case>> = {
  'a good request': { make: () => signed() },
  'a replay': {
    make: () => {
      const one = signed()
      return [one, one, one]
    },
    letIn: 1,
    refused: ['proof-replayed', 'proof-replayed'],
  },
  'a changed body': refusedFor(() => withBody(signed(), '{"hello":"there"}'), 'proof-digest'),
  'an appended body': refusedFor(() => withBody(signed(), '{"hello":"world"} '), 'proof-digest'),
  'a body that was cut': refusedFor(() => withBody(signed(), '{"hello":"worl'), 'proof-digest'),
  'an emptied body': refusedFor(() => withBody(signed(), ''), 'proof-digest'),
  'a body that was not there': refusedFor(() => withBody(signed({ body: '' }), 'x'), 'proof-digest'),
  'no body': { make: () => signed({ body: '' }) },
  'a megabyte': { make: () => signed({ body: megabyte }) },
  'a megabyte with one byte changed': refusedFor(
    () => withBody(signed({ body: megabyte }), oneByteOff(megabyte)),
    'proof-digest',
  ),
  'a chunked body': { make: () => signed({ chunked: true }) },
  'a chunked body that was changed': refusedFor(
    () => withBody(signed({ chunked: true }), '{"hello":"there"}'),
    'proof-digest',
  ),
  'a chunked body that was emptied': refusedFor(
    () => withBody(signed({ chunked: true }), ''),
    'proof-digest',
  ),
  'another path': refusedFor(() => ({ ...signed(), target: '/a2b?x=1' }), 'proof-mac'),
  'another query': refusedFor(() => ({ ...signed(), target: '/a2a?x=2' }), 'proof-mac'),
  'another method': refusedFor(() => ({ ...signed(), method: 'PUT' }), 'proof-mac'),
  'a stale proof': refusedFor(() => signed({ created: -61 }), 'proof-stale'),
  'a proof of the future': refusedFor(() => signed({ created: 61 }), 'proof-stale'),
  'another token': refusedFor(() => changed(signed(), 'authorization', () => bearerOf('bob')), 'proof-key'),
  'another code': refusedFor(() => changed(signed(), 'x-totp', () => wrongCodeOf(someInstant)), 'proof-mac'),
  'another agent': refusedFor(() => signed({ agent: 'other' }), 'proof-key'),
  'our label twice': refusedFor(
    () => changed(signed(), 'signature-input', (value) => `${value}, ${value}`),
    'proof-malformed',
  ),
  'two signatures of ours': refusedFor(
    () => changed(signed(), 'signature-input', (value) => `${value}, two${value.slice(8)}`),
    'proof-malformed',
  ),
  'a foreign signature beside ours': {
    make: () =>
      changed(
        changed(signed(), 'signature-input', (value) => `sig1=("@method");created=1;keyid="k", ${value}`),
        'signature',
        (value) => `sig1=:AAAA:, ${value}`,
      ),
  },
  'half a pair': refusedFor(() => without(signed(), 'signature'), 'proof-malformed'),
  'the other half': refusedFor(() => without(signed(), 'signature-input'), 'proof-malformed'),
  'no proof': refusedFor(() => without(signed(), 'signature', 'signature-input'), 'proof-missing'),
  'no digest': refusedFor(() => without(signed(), 'content-digest'), 'proof-uncovered'),
  'a field that was not covered': refusedFor(() => {
    const request = signed()
    return { ...request, headers: [...request.headers, ['A2A-Version', '1.0'] as const] }
  }, 'proof-uncovered'),
  'a compressed body': refusedFor(() => {
    const request = signed()
    return { ...request, headers: [...request.headers, ['Content-Encoding', 'gzip'] as const] }
  }, 'proof-digest'),
  'a good GET': { make: () => signed({ method: 'GET', body: '' }) },
  'a good DELETE': { make: () => signed({ method: 'DELETE', body: '' }) },
  'a DELETE with a body': { make: () => signed({ method: 'DELETE' }) },
  'a DELETE whose body was changed': refusedFor(
    () => withBody(signed({ method: 'DELETE' }), '{}'),
    'proof-digest',
  ),
  'a DELETE with a megabyte, chunked': {
    make: () => signed({ method: 'DELETE', body: megabyte, chunked: true }),
  },
  'a DELETE with more than a megabyte': refusedFor(
    () => signed({ method: 'DELETE', body: Buffer.concat([megabyte, megabyte]), chunked: true }),
    'proof-digest',
  ),
  'a GET with a body that was appended': refusedFor(
    () => withBody(signed({ method: 'GET', body: '' }), 'x'),
    'proof-digest',
    { onlyOnServers: true },
  ),
}

/** A memory that takes its time. */
function slowly(ms: number): State {
  const state = memoryState({ since: new Date(0) })
  const { supports } = state
  return {
    supports,
    decide: (attempt) => new Promise((done) => setTimeout(done, ms)).then(() => state.decide(attempt)),
  }
}

let server: SignedServer | undefined
// Hono prints what handlers throw, as where the body that they read fails.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined))
afterEach(() => {
  vi.restoreAllMocks()
  return server?.close()
})

describe.each(Object.entries(signedServers))('%s', (framework, serve) => {
  describe.each([0, 20])('with a state that takes %i ms', (ms) => {
    it.each(Object.entries(cases))('decides about %s', async (_, { make, onlyOnServers, ...expected }) => {
      const { letIn = expected.refused ? 0 : 1, refused = [] } = expected
      if (onlyOnServers && framework.startsWith('Hono elsewhere')) return
      if (onlyOnServers && /Request and Response|without arguments/.test(framework)) return
      const clock = new Clock()
      const { scheme, events } = schemeFor(clock, {
        replay: 'once',
        signed: 'require',
        agent,
        ...(ms > 0 && { state: slowly(ms) }),
      })
      const seen: Seen = { started: 0, ended: 0 }
      server = await serve(scheme, seen)
      const requests = [make()].flat()
      const answers = []
      for (const request of requests) {
        answers.push(await server.send(request))
        // Refused proofs are at most one event a second.
        clock.advance(1)
      }
      expect(answers.map(({ status }) => status)).toEqual([
        ...Array<number>(letIn).fill(200),
        ...refused.map(() => 401),
      ])
      for (const { status, body } of answers) {
        const whole = { peer: 'alice', length: requests[0]?.body.length }
        expect(JSON.parse(body)).toMatchObject(status === 200 ? whole : { error: { code: 401 } })
      }
      expect(seen.ended).toBe(letIn)
      const reasons = events.flatMap((event) => ('reason' in event ? [event.reason] : []))
      expect(reasons).toEqual(refused)
      // Only a content that comes in pieces can be seen to be another one after its handler has begun.
      if (!refused.includes('proof-digest')) expect(seen.started).toBe(letIn)
    })
  })
})
