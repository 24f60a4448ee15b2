import { describe, expect, it } from 'vitest'
import type { ParsedProof } from '../../src/core/proof/profile.js'
import { comparedPeer, refusedProof, usedProof, type CheckedProof } from '../../src/server/scheme/proofs.js'
import type { SchemePeer } from '../../src/server/scheme/peers.js'
import { Clock, peers, schemeFor } from '../support/guarded.js'
import { received, signed, signedOptions, stripped, type Sent } from '../support/signed.js'

const schemeWith = (policy: 'accept' | 'require', pathPrefix?: string) =>
  schemeFor(new Clock(), { ...signedOptions(policy), ...(pathPrefix !== undefined && { pathPrefix }) }).scheme

const shownBy = async (scheme: ReturnType<typeof schemeWith>, sent: Sent): Promise<string> => {
  const { caller, refusal } = await scheme.authenticate(received(sent, { early: true }).request)
  return caller ? caller.proof : refusal.reason
}

describe('a signature that somebody else’s program made', () => {
  const bytes = Buffer.alloc(64, 1).toString('base64')
  const plain = stripped(signed())
  const others: Sent = {
    ...plain,
    fields: {
      ...plain.fields,
      'signature-input': 'sig1=("@method");created=1800000015;keyid="other";tag="other-protocol"',
      signature: `sig1=:${bytes}:`,
    },
  }

  it('is no proof: where none is needed, the code is enough', async () => {
    expect(await shownBy(schemeWith('accept'), others)).toBe('code')
  })

  it('is no proof: the event of its caller says that there is none', async () => {
    const { scheme, events } = schemeFor(new Clock(), signedOptions('observe'))
    await scheme.authenticate(received(others).request)
    expect(events).toMatchObject([{ type: 'authenticated', peer: 'alice', proof: 'absent' }])
  })

  it('is no proof: where one is needed, it is missing', async () => {
    expect(await shownBy(schemeWith('require'), others)).toBe('proof-missing')
  })
})

describe('a proof that cannot be read', () => {
  it.each(['signature-input', 'signature', 'content-digest'])(
    'is malformed rather than missing, so that it is refused: %s throws',
    async (field) => {
      const { request } = received(signed())
      const header = (name: string): readonly string[] => {
        if (name === field) throw new TypeError('no such field')
        return request.header(name)
      }
      const { refusal } = await schemeWith('accept').authenticate({ ...request, header })
      expect(refusal).toMatchObject({ kind: 'unauthenticated', reason: 'proof-malformed' })
    },
  )
})

describe('the path that a proxy takes away', () => {
  it('is put back for HTTP only: a method of gRPC has no path before it', async () => {
    const target = '/lf.a2a.v1.A2AService/SendMessage'
    const scheme = schemeWith('require', '/agents/billing')
    expect(await shownBy(scheme, signed({ binding: 'grpc', target }))).toBe('signed')
    expect(await shownBy(scheme, signed({ target }))).toBe('proof-mac')
  })
})

describe('where no proof was looked at', () => {
  it.each(['off', 'observe', 'accept'] as const)('%s refuses nobody and uses none', (policy) => {
    expect(refusedProof(policy, undefined)).toBeUndefined()
    expect(usedProof(policy, undefined)).toBeUndefined()
  })

  it('require refuses everybody', () => {
    expect(refusedProof('require', undefined)).toBe('proof-missing')
    expect(usedProof('require', undefined)).toBeUndefined()
  })
})

describe('the seeds whose codes are compared', () => {
  const seedOf = (id: string, { seed } = peers.alice): SchemePeer['seeds'][number] => ({
    id,
    seed,
    expiresAt: undefined,
    book: undefined,
    digest: undefined,
    proofKey: undefined,
  })
  const seeds = [seedOf('one'), seedOf('other', peers.bob)] as const
  const peerWith = (signed: SchemePeer['signed']) =>
    ({ name: 'alice', signed, seeds }) as unknown as SchemePeer
  const proofs: Record<CheckedProof['kind'], CheckedProof> = {
    invalid: { kind: 'invalid', reason: 'proof-mac' },
    absent: { kind: 'absent' },
    valid: { kind: 'valid', seed: seeds[1], proof: {} as ParsedProof },
  }
  const [all, own] = [['one', 'other'], ['other']]

  it.each<[policy: SchemePeer['signed'], proof: CheckedProof['kind'], ids: readonly string[] | undefined]>([
    ['off', 'valid', all],
    ['off', 'invalid', all],
    ['observe', 'valid', all],
    ['observe', 'invalid', all],
    ['accept', 'valid', own],
    ['accept', 'absent', all],
    ['accept', 'invalid', undefined],
    ['require', 'valid', own],
    ['require', 'absent', undefined],
    ['require', 'invalid', undefined],
  ])('under %s with a proof that is %s are %j', (policy, proof, ids) => {
    expect(comparedPeer(peerWith(policy), proofs[proof])?.seeds.map(({ id }) => id)).toEqual(ids)
  })
})
