import { describe, expect, it } from 'vitest'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import type { AuthRequest, BodyExpectation } from '../../src/server/scheme/request.js'
import { Clock, headersOf, requestWith, schemeFor, someInstant } from '../support/guarded.js'
import { received, signed, signedOptions, unseen, type Sent } from '../support/signed.js'

const schemeWith = (policy: 'observe' | 'accept' | 'require') => schemeFor(new Clock(), signedOptions(policy))
const shown = ({ caller, refusal }: AuthOutcome): string =>
  caller ? `${caller.peer} ${caller.proof}` : `${refusal.kind} ${refusal.reason}`

const withBody = (body: AuthRequest['body'], sent: Sent = signed()): AuthRequest => ({
  ...received(sent).request,
  body,
})

describe('a content that somebody else has read already', () => {
  it.each(['POST', 'GET'])('cannot be compared, whatever the method: %s', async (method) => {
    const { scheme } = schemeWith('accept')
    const request = withBody('unseen', signed({ method, body: '' }))
    const { refusal } = await scheme.authenticate(request)
    expect(refusal).toMatchObject({ kind: 'unavailable', failure: { cause: 'content-unseen' } })
  })

  it('is reported under observe, where the request is let in', async () => {
    const { scheme, events } = schemeWith('observe')
    expect(shown(await scheme.authenticate(withBody('unseen')))).toBe('alice code')
    expect(events).toMatchObject([
      { type: 'authenticated' },
      { type: 'proof_observed', proofReason: 'content-unseen' },
    ])
  })
})

describe('a view of the content', () => {
  it.each(['observe', 'accept'] as const)('is asked under %s for its digest by SHA-256', async (policy) => {
    const asked: string[] = []
    const body: BodyExpectation = {
      expectDigest: (algorithm) => {
        asked.push(`expect ${algorithm}`)
        return true
      },
      observeDigest: (algorithm) => void asked.push(`observe ${algorithm}`),
    }
    await schemeWith(policy).scheme.authenticate(withBody(body))
    expect(asked).toEqual([policy === 'observe' ? 'observe sha-256' : 'expect sha-256'])
  })

  it('that can only compare is asked nothing under observe, and nothing is reported', async () => {
    const { scheme, events } = schemeWith('observe')
    const body = { expectDigest: () => expect.unreachable('it would withhold the content') }
    expect(shown(await scheme.authenticate(withBody(body)))).toBe('alice code')
    expect(events).toMatchObject([{ type: 'authenticated', proof: 'valid' }])
  })

  it('that can only compare learns under observe that it need not', async () => {
    const asked: string[] = []
    const body: BodyExpectation = {
      expectDigest: () => expect.unreachable('it would withhold the content'),
      ignoreDigest: () => void asked.push('ignore'),
    }
    await schemeWith('observe').scheme.authenticate(withBody(body))
    expect(asked).toEqual(['ignore'])
  })

  it('that cannot be told so does not disturb a plain request', async () => {
    const { scheme } = schemeWith('accept')
    const body = { expectDigest: () => expect.unreachable('there is no proof') }
    const plain = requestWith(headersOf('alice', someInstant))
    expect(shown(await scheme.authenticate({ ...plain, body }))).toBe('alice code')
  })
})

describe('under observe, a request whose method has no content', () => {
  const observed = async (sent: Sent) => {
    const { scheme, events } = schemeWith('observe')
    expect(shown(await scheme.authenticate(unseen(received(sent).request)))).toBe('alice code')
    return events.filter(({ type }) => type === 'proof_observed')
  }

  it('is compared without a view of it', async () => {
    expect(await observed(signed({ method: 'GET', body: '' }))).toEqual([])
    expect(await observed(signed({ method: 'GET', body: 'x' }))).toMatchObject([
      { peer: 'alice', proof: 'invalid', proofReason: 'proof-digest' },
    ])
  })
})
