import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/core/proof/digest.js'
import { ProofKey } from '../../../src/core/proof/key.js'
import type { SignedRequest } from '../../../src/core/proof/profile.js'
import { signRequest, type SignedFields } from '../../../src/core/proof/sign.js'
import { verifyProof, type ProofOptions, type ProofRequest } from '../../../src/server/index.js'
import { anyName, anySeed } from '../../support/arbitraries.js'

const anyValue = fc.stringMatching(/^[\t\x20-\x7e]{0,40}$/)
const anyLines = fc.array(anyValue, { maxLength: 3 })

const anySigned = fc.record({
  seed: anySeed,
  agent: anyName,
  codeField: fc.constantFrom('X-TOTP', 'x-totp', 'X-Second-Factor', 'Otp'),
  binding: fc.constantFrom('http' as const, 'grpc' as const),
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH', 'M-SEARCH'),
  target: fc.stringMatching(/^\/[\x21-\x7e]{0,60}$/),
  body: fc.uint8Array({ maxLength: 300 }),
  contentType: anyLines,
  version: anyLines,
  extensions: anyLines,
  token: anyValue,
  code: anyValue,
  period: fc.integer({ min: 10, max: 120 }),
  window: fc.integer({ min: 0, max: 2 }),
  created: fc.integer({ min: 0, max: 10_000_000_000 }),
  nonce: fc.uint8Array({ minLength: 16, maxLength: 48 }),
})
type Signed = typeof anySigned extends fc.Arbitrary<infer T> ? T : never

function signed(one: Signed): { request: ProofRequest; options: ProofOptions; fields: SignedFields } {
  const { seed, agent, codeField, binding, method, target, body, period, window, created, nonce } = one
  const headers: [string, string][] = [
    ['Authorization', one.token],
    [codeField, one.code],
    ...one.contentType.map((value): [string, string] => ['Content-Type', value]),
    ...one.version.map((value): [string, string] => ['A2A-Version', value]),
    ...one.extensions.map((value): [string, string] => ['A2A-Extensions', value]),
  ]
  const header: SignedRequest['header'] = (name) =>
    headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []))
  const expires = created + (window + 1) * period
  const digest = digestOf(binding, body)
  const key = new ProofKey(seed, agent)
  const fields = signRequest(
    { binding, method, target, header },
    { key, header: codeField, digest, created, expires, nonce },
  )
  return {
    request: { binding, method, target, headers: [...headers, ...Object.entries(fields.fields)], body },
    options: { seeds: [seed], agent, header: codeField, period, window, now: created },
    fields,
  }
}

const verdictOf = (request: ProofRequest, options: ProofOptions): string => {
  const { verdict, reason } = verifyProof(request, options)
  return reason ?? verdict
}

describe('what is signed here', () => {
  it('is valid for the same seed, agent, field, period and window, from the first to the last second', () => {
    fc.assert(
      fc.property(anySigned, (one) => {
        const { request, options } = signed(one)
        const life = (one.window + 1) * one.period
        for (const now of [one.created - life, one.created, one.created + life]) {
          expect(verdictOf(request, { ...options, now })).toBe('valid')
          expect(verdictOf(request, { ...options, now: new Date(now * 1000 + 999) })).toBe('valid')
        }
        expect(verdictOf(request, { ...options, now: one.created - life - 1 })).toBe('proof-stale')
        expect(verdictOf(request, { ...options, now: one.created + life + 1 })).toBe('proof-stale')
      }),
    )
  })

  it('is refused for another seed, agent, field, period or window', () => {
    fc.assert(
      fc.property(anySigned, anySeed, anyName, (one, seed, agent) => {
        const { request, options } = signed(one)
        const otherSeed = seed.base32 === one.seed.base32 ? 'valid' : 'proof-key'
        expect(verdictOf(request, { ...options, seeds: [seed] })).toBe(otherSeed)
        expect(verdictOf(request, { ...options, seeds: [seed, one.seed.base32] })).toBe('valid')
        expect(verdictOf(request, { ...options, seeds: [] })).toBe('proof-key')
        expect(verdictOf(request, { ...options, agent })).toBe(agent === one.agent ? 'valid' : 'proof-key')
        expect(verdictOf(request, { ...options, header: 'X-Other' })).toBe('proof-uncovered')
        expect(verdictOf(request, { ...options, period: one.period - 1 })).toBe('proof-malformed')
        if (one.window > 0)
          expect(verdictOf(request, { ...options, window: one.window - 1 })).toBe('proof-malformed')
      }),
    )
  })

  it('is refused for another method, target, content or covered field', () => {
    fc.assert(
      fc.property(anySigned, (one) => {
        const { request, options } = signed(one)
        const refusedAs = (reason: string, change: Partial<ProofRequest>): void =>
          expect(verdictOf({ ...request, ...change }, options)).toBe(reason)
        const headers = [...(request.headers ?? [])]
        const without = (name: string): typeof headers =>
          headers.filter(([field]) => field.toLowerCase() !== name.toLowerCase())
        refusedAs('proof-mac', { method: `${one.method}X` })
        refusedAs('proof-mac', { target: `${one.target}x` })
        refusedAs('proof-digest', { body: Buffer.concat([one.body, Buffer.alloc(1)]) })
        refusedAs('proof-mac', { headers: [...without(one.codeField), [one.codeField, `${one.code}1`]] })
        refusedAs('proof-mac', { headers: [...headers, ['authorization', '']] })
        refusedAs(one.version.length > 0 ? 'proof-mac' : 'proof-uncovered', {
          headers: [...headers, ['a2a-version', '9']],
        })
        for (const name of ['Authorization', one.codeField, 'Content-Digest'])
          refusedAs('proof-uncovered', { headers: without(name) })
      }),
    )
  })
})
