import { describe, expect, it } from 'vitest'
import { isTOTPError, verifyProof, type AuthRequest, type ProofRequest } from '../../../src/server/index.js'
import { forge, proofNow, proofOptions, proofSeed, seenAs, withField } from '../../support/proofs.js'

const request = forge({ headers: [['Content-Type', 'application/json']] })
const valid = { verdict: 'valid', keyid: 'billing/43wWxVif' }
const { binding, method, target } = request

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isTOTPError(error)) return error.code
  }
  return 'no TOTPError'
}

describe('verifyProof', () => {
  it('takes seeds as text, as bytes and as they are, and tries them all', () => {
    for (const seed of [proofSeed, proofSeed.base32, proofSeed.bytes]) {
      expect(verifyProof(request, { ...proofOptions, seeds: ['GEZDGNBVGY3TQOJQ', seed] })).toEqual(valid)
    }
  })

  it('takes the instant as a Date or in unix seconds, and the field in any case', () => {
    expect(
      verifyProof(request, { ...proofOptions, now: new Date(proofNow * 1000), header: 'x-totp' }),
    ).toEqual(valid)
    expect(verifyProof(request, { ...proofOptions, header: 'X-tOTP' })).toEqual(valid)
  })

  it('has the usual profile where none is given', () => {
    expect(verifyProof(request, { seeds: [proofSeed], agent: 'billing', now: proofNow })).toEqual(valid)
  })

  it('takes a request of HTTP whose binding is not given', () => {
    const { headers, body } = request
    expect(verifyProof({ method, target, headers, body }, proofOptions)).toEqual(valid)
  })

  it('takes a text as its UTF-8', () => {
    const text = forge({ body: '{"name":"Zoë"}' })
    expect(verifyProof({ ...text, body: '{"name":"Zoë"}' }, proofOptions)).toEqual(valid)
    expect(verifyProof({ ...text, body: '{"name":"Zoe"}' }, proofOptions)).toMatchObject({
      reason: 'proof-digest',
    })
  })

  it('takes no content for an empty one, so that a proof over any other is refused', () => {
    const empty = forge({ body: '', method: 'GET' })
    for (const body of [undefined, null, '', new Uint8Array(), new ArrayBuffer(0)]) {
      expect(verifyProof({ ...empty, body }, proofOptions)).toEqual(valid)
      expect(verifyProof({ ...request, body }, proofOptions)).toEqual({
        verdict: 'refused',
        reason: 'proof-digest',
        keyid: 'billing/43wWxVif',
      })
    }
  })

  it('asks a comparison, and says of the head alone what it cannot tell at once', async () => {
    const told: [string, string][] = []
    const withAnswer = (answer: boolean | Promise<boolean> | undefined): AuthRequest => ({
      ...seenAs(request),
      body: {
        expectDigest: (algorithm, digest) => {
          told.push([algorithm, Buffer.from(digest).toString('base64')])
          return answer
        },
      },
    })
    expect(verifyProof(withAnswer(true), proofOptions)).toEqual(valid)
    expect(verifyProof(withAnswer(undefined), proofOptions)).toEqual(valid)
    expect(verifyProof(withAnswer(Promise.reject(new Error('gone'))), proofOptions)).toEqual(valid)
    expect(verifyProof(withAnswer(false), proofOptions)).toMatchObject({ reason: 'proof-digest' })
    const [, digest] = request.headers.find(([name]) => name === 'Content-Digest') ?? []
    expect(new Set(told.map(([algorithm, value]) => `${algorithm}=:${value}:`))).toEqual(new Set([digest]))
    await new Promise(setImmediate)
  })

  it('cannot be refused by a comparison later: it has returned', () => {
    const body = { expectDigest: (_: string, __: Uint8Array, refuse: () => never) => refuse() }
    const verify = (): unknown => verifyProof({ ...request, body }, proofOptions)
    expect(codeOf(verify)).toBe('ERR_CONFIG_INVALID')
    expect(verify).toThrow('verifyProof has returned')
  })

  it('asks no comparison where the head is refused', () => {
    const body = {
      expectDigest: () => {
        throw new Error('asked')
      },
    }
    const stripped = withField(request, 'Signature', [])
    expect(verifyProof({ ...stripped, body }, proofOptions)).toMatchObject({ reason: 'proof-malformed' })
  })

  it('keeps no state: the same request is valid as often as it is asked about', () => {
    expect(Array.from({ length: 3 }, () => verifyProof(request, proofOptions))).toEqual([valid, valid, valid])
  })

  it('has the key id of a proof that is refused, once it could be read', () => {
    const other = { ...proofOptions, agent: 'other' }
    expect(verifyProof(request, other)).toEqual({
      verdict: 'refused',
      reason: 'proof-key',
      keyid: valid.keyid,
    })
  })

  it.each<[what: string, named: string, change: object, options: object]>([
    ['no seeds', 'seeds', {}, { seeds: undefined }],
    ['one seed in place of a list', 'seeds', {}, { seeds: proofSeed.base32 }],
    ['no agent', 'agent', {}, { agent: undefined }],
    ['an empty agent', 'agent', {}, { agent: '' }],
    ['an empty header', 'header', {}, { header: '' }],
    ['a number as the header', 'header', {}, { header: 7 }],
    ['a period of zero', 'period', {}, { period: 0 }],
    ['a window below zero', 'window', {}, { window: -1 }],
    ['a window as text', 'window', {}, { window: '1' }],
    ['no instant', 'now', {}, { now: undefined }],
    ['an invalid Date', 'now', {}, { now: new Date(Number.NaN) }],
    ['no method', 'method', { method: undefined }, {}],
    ['no target', 'target', { target: undefined }, {}],
    ['another binding', 'binding', { binding: 'websocket' }, {}],
    ['neither header nor headers', 'headers', { headers: undefined }, {}],
    ['null as headers', 'headers', { headers: null }, {}],
    ['a record of headers', 'headers', { headers: { 'x-totp': '1' } }, {}],
    ['a number as the body', 'body', { body: 7 }, {}],
    ['an object as the body', 'body', { body: { id: 7 } }, {}],
  ])('throws ERR_CONFIG_INVALID for %s, and says that it is %s', (_, named, change, options) => {
    const given = { ...request, ...change } as ProofRequest
    const verify = (): unknown => verifyProof(given, { ...proofOptions, ...options })
    expect(codeOf(verify)).toBe('ERR_CONFIG_INVALID')
    expect(verify).toThrow(named)
  })

  it.each([['not base32'], [7], [new Uint8Array()], [null], [{ seed: 'GEZDGNBVGY3TQOJQ' }]])(
    'throws ERR_SEED_INVALID for %j as a seed',
    (seed) => {
      const seeds = [seed as string]
      expect(codeOf(() => verifyProof(request, { ...proofOptions, seeds }))).toBe('ERR_SEED_INVALID')
    },
  )

  it('says nothing of a seed in its errors', () => {
    const seeds = ['ZLWB7MXUZEY3Q4UFAIATM4A6QKSDN4Y!']
    expect(() => verifyProof({ binding, method, target, headers: [] }, { ...proofOptions, seeds })).toThrow(
      /^(?!.*ZLWB)/,
    )
  })
})
