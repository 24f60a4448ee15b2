import { describe, expect, it } from 'vitest'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { Clock, headersOf, requestWith, schemeFor, someInstant } from '../support/guarded.js'
import { signed } from '../support/signed-requests.js'

/** A signed request whose content nobody here sees. */
function arriving(body: AuthRequest['body'], method = 'POST'): AuthRequest {
  const { target, headers } = signed({ method })
  return { ...requestWith(Object.fromEntries(headers)), method, target, body }
}

const schemeWith = (policy: 'accept' | 'require' | 'observe') =>
  schemeFor(new Clock(), { agent: 'billing', signed: policy, replay: 'once' })

describe('a signed request whose content is not compared', () => {
  it.each(['POST', 'GET'])('is let in as signed-head where that was asked for: %s', async (method) => {
    for (const body of ['unchecked', 'unchecked-unless-required'] as const) {
      const { scheme, events } = schemeWith('accept')
      const request = arriving(body, method)
      expect(await scheme.authenticate(request)).toMatchObject({
        caller: { peer: 'alice', proof: 'signed-head' },
      })
      expect(await scheme.authenticate(request)).toMatchObject({ refusal: { reason: 'proof-replayed' } })
      expect(events).toMatchObject([{ type: 'authenticated', proof: 'valid' }, { type: 'replayed' }])
    }
  })

  it('is let in for a peer that must sign only where that was asked for too', async () => {
    const { scheme, events } = schemeWith('require')
    expect(scheme.requiresProofs).toBe(true)
    expect(await scheme.authenticate(arriving('unchecked'))).toMatchObject({
      caller: { proof: 'signed-head' },
    })
    expect(await scheme.authenticate(arriving('unchecked-unless-required'))).toMatchObject({
      refusal: { kind: 'unavailable', reason: 'guard-failed' },
    })
    expect(events.at(-1)).toMatchObject({ cause: 'content-unseen' })
  })

  it('is no reason to let a plain request in, nor to call it signed', async () => {
    const plain = (body: AuthRequest['body']): AuthRequest => ({
      ...requestWith(headersOf('alice', someInstant)),
      body,
    })
    expect(await schemeWith('require').scheme.authenticate(plain('unchecked'))).toMatchObject({
      refusal: { reason: 'proof-missing' },
    })
    const { scheme } = schemeWith('accept')
    expect(scheme.requiresProofs).toBe(false)
    expect(await scheme.authenticate(plain('unchecked'))).toMatchObject({ caller: { proof: 'code' } })
  })

  it('is reported and counted as plain under observe', async () => {
    const { scheme, events } = schemeWith('observe')
    expect(await scheme.authenticate(arriving('unchecked'))).toMatchObject({ caller: { proof: 'code' } })
    expect(events).toMatchObject([{ type: 'authenticated', proof: 'valid' }])
  })
})
