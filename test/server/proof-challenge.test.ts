import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { challenges } from '../../src/core/challenge.js'
import { signedPolicies, type SignedPolicy } from '../../src/core/proof/profile.js'
import { httpAnswer, grpcAnswer } from '../../src/server/scheme/refusal.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { totpGuard } from '../../src/server/node.js'
import { Clock, peers, requestWith, schemeFor, someInstant, wrongCodeOf } from '../support/guarded.js'
import { received, signed, signedOptions, stripped, without } from '../support/signed.js'

const totp = 'TOTP realm="a2a", header="X-TOTP"'
const accepted =
  'a2a-totp=("@method" "@path" "@query" "content-digest" "authorization" "x-totp");created;expires;tag="a2a-totp/proof/v1"'

/** Whatever a thief of a token sends: with a live token, and with one of nobody. */
const attempts = [peers.alice.token, 'nobody'].flatMap((token): AuthRequest[] => {
  const sent = signed({ token })
  return [
    sent,
    stripped(sent),
    without(stripped(sent), 'x-totp'),
    without(sent, 'signature'),
    without(sent, 'content-digest'),
    { ...sent, target: '/other' },
    signed({ token, seed: peers.bob.seed }),
    signed({ token, agent: 'shipping' }),
    signed({ token, created: -1000 }),
    signed({ token, code: wrongCodeOf(someInstant) }),
    signed({ token, code: '12345x' }),
    { ...signed({ token }), body: 'another' },
    without(sent, 'content-digest', 'signature'),
  ].map((one) => received(one, { early: true }).request)
})

describe('the challenge of a refusal', () => {
  it.each(['accept', 'require'] as const)(
    'is the same bytes whatever was wrong, with a live token and with one of nobody: %s',
    async (policy) => {
      const { scheme } = schemeFor(new Clock(), signedOptions(policy))
      const reasons = new Set<string>()
      const answers = new Set<string>()
      // Twice, so that what was served is refused as spent.
      for (const attempt of [...attempts, ...attempts]) {
        const { refusal } = await scheme.authenticate(attempt)
        if (!refusal) continue
        reasons.add(refusal.reason)
        answers.add(JSON.stringify([httpAnswer(refusal), grpcAnswer(refusal)]))
      }
      expect([...reasons]).toEqual(
        expect.arrayContaining(
          ['replayed', 'malformed', 'uncovered', 'mac', 'key', 'stale'].map((reason) => `proof-${reason}`),
        ),
      )
      expect(reasons).toContain('token-refused')
      expect([...answers]).toHaveLength(1)
    },
  )

  it.each(signedPolicies)('announces proofs under require alone, to whoever asks: %s', async (policy) => {
    const { scheme } = schemeFor(new Clock(), {
      ...signedOptions(policy),
      peerSeeds: {
        alice: { seeds: [{ seed: peers.alice.seed }], signed: 'require' },
        bob: { seeds: [{ seed: peers.bob.seed }], signed: 'off' },
      },
    })
    const refused = [
      requestWith({}),
      requestWith({ authorization: 'Bearer nobody' }),
      requestWith({ authorization: `Bearer ${peers.alice.token}` }),
      requestWith({ authorization: `Bearer ${peers.bob.token}` }),
    ]
    for (const request of refused) {
      const { refusal } = await scheme.authenticate(request)
      if (!refusal) throw new Error('let in')
      const required = policy === 'require'
      const challenge = required ? `${totp}, proof="required"` : totp
      expect(refusal.challenges[1]).toBe(challenge)
      const { headers } = httpAnswer(refusal)
      expect(headers.filter(([name]) => name === 'Accept-Signature')).toEqual(
        required ? [['Accept-Signature', accepted]] : [],
      )
      const { trailers } = grpcAnswer(refusal)
      expect(trailers).toContainEqual(['www-authenticate', challenge])
      expect(trailers.filter(([key]) => key === 'accept-signature')).toEqual(
        required ? [['accept-signature', accepted]] : [],
      )
    }
  })

  it('names the field of the agent’s profile, in lower case where it is covered', async () => {
    const { scheme } = schemeFor(new Clock(), {
      ...signedOptions('require'),
      profile: { header: 'X-Code' },
    })
    const { refusal } = await scheme.authenticate(requestWith({}))
    expect(refusal?.challenges[1]).toBe('TOTP realm="a2a", header="X-Code", proof="required"')
    expect(refusal?.acceptSignature).toContain('"authorization" "x-code")')
  })

  it('is none where the answer is 503 or 429', async () => {
    const { scheme } = schemeFor(new Clock(), {
      ...signedOptions('require'),
      state: {
        supports: { once: true, proofs: true },
        decide: () => ({ kind: 'full', retryAfter: 7 }) as const,
      },
    })
    const { refusal } = await scheme.authenticate(received(signed()).request)
    expect(refusal).toMatchObject({ kind: 'unavailable', challenges: [], retryAfter: 7 })
    expect(refusal).not.toHaveProperty('acceptSignature')
  })

  it('of a spent nonce has no Retry-After', async () => {
    const { scheme } = schemeFor(new Clock(), signedOptions('accept', 'once'))
    const sent = signed()
    await scheme.authenticate(received(sent).request)
    const { refusal } = await scheme.authenticate(received(sent).request)
    expect(refusal).toMatchObject({ kind: 'unauthenticated', reason: 'proof-replayed' })
    expect(refusal).not.toHaveProperty('retryAfter')
  })

  it('is what challenges() returns', () => {
    expect(challenges('X-TOTP', true)[1]).toBe(totp)
    expect(challenges('X-TOTP', true, false)[1]).toBe(totp)
    expect(challenges('X-TOTP', true, true)[1]).toBe(`${totp}, proof="required"`)
  })

  it.each<SignedPolicy>(['accept', 'require'])('comes over a socket: %s', async (policy) => {
    const { scheme } = schemeFor(new Clock(), signedOptions(policy))
    const server = createServer(totpGuard(scheme, (_, res) => res.end())).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const [response] = (await once(
      httpRequest({ port, host: '127.0.0.1', agent: false }).end(),
      'response',
    )) as [{ rawHeaders: string[]; statusCode: number; resume: () => void }]
    response.resume()
    expect(response.statusCode).toBe(401)
    expect(response.rawHeaders.includes('Accept-Signature')).toBe(policy === 'require')
    expect(response.rawHeaders).toContain(policy === 'require' ? `${totp}, proof="required"` : totp)
  })
})
