import { describe, expect, it } from 'vitest'
import { Clock, peers, schemeFor, someInstant, wrongCodeOf } from '../support/guarded.js'
import { received, signed, signedOptions, stripped, type Sent } from '../support/signed.js'

const otherPath = (): Sent => ({ ...signed(), target: '/other' })

/** What a scheme says of the proofs of these requests. */
async function shownOf(
  policy: 'off' | 'observe' | 'accept' | 'require',
  requests: readonly Sent[],
  isKept = true,
) {
  const { scheme } = schemeFor(new Clock(), signedOptions(policy))
  if (isKept) scheme.keepShown()
  const shown = []
  for (const sent of requests) shown.push(scheme.shownIn(await scheme.authenticate(received(sent).request)))
  scheme.close()
  return shown
}

describe('what a scheme says of the proof of an outcome', () => {
  const requests = [
    signed(),
    otherPath(),
    stripped(signed()),
    signed({ code: wrongCodeOf(someInstant) }),
    signed({ token: 'nobody' }),
  ]

  it('is under observe what its event says, though it decided nothing', async () => {
    expect(await shownOf('observe', requests)).toEqual([
      { proof: 'valid' },
      { proof: 'invalid', proofReason: 'proof-mac' },
      { proof: 'absent' },
      { proof: 'valid' },
      {},
    ])
  })

  it('is why it was refused', async () => {
    expect(await shownOf('require', [otherPath(), stripped(signed())])).toEqual([
      { proof: 'invalid', proofReason: 'proof-mac' },
      { proof: 'absent' },
    ])
  })

  it('is nothing under off', async () => {
    expect(await shownOf('off', requests)).toEqual([{}, {}, {}, {}, {}])
  })

  it('is nothing of a peer with off, though the proofs of another one are looked at', async () => {
    const peerSeeds = {
      alice: { signed: 'off', seeds: [{ seed: peers.alice.seed }] },
      bob: { signed: 'accept', seeds: [{ seed: peers.bob.seed }] },
    } as const
    const { scheme, events } = schemeFor(new Clock(), { ...signedOptions('off'), peerSeeds })
    scheme.keepShown()
    const shown = []
    for (const peer of ['alice', 'bob'] as const)
      shown.push(scheme.shownIn(await scheme.authenticate(received(signed({ peer })).request)))
    scheme.close()
    expect(shown).toEqual([{}, { proof: 'valid' }])
    expect(events[0]).not.toHaveProperty('proof')
    expect(events[1]).toMatchObject({ proof: 'valid' })
  })

  it('is nothing but why it was refused where the scheme was not asked to keep it', async () => {
    expect(await shownOf('accept', [signed(), otherPath()], false)).toEqual([
      {},
      { proof: 'invalid', proofReason: 'proof-mac' },
    ])
  })

  it('is still known when the scheme is asked to keep it once more, as by a second guard', async () => {
    const { scheme } = schemeFor(new Clock(), signedOptions('accept'))
    scheme.keepShown()
    const outcome = await scheme.authenticate(received(signed()).request)
    scheme.keepShown()
    expect(scheme.shownIn(outcome)).toEqual({ proof: 'valid' })
    scheme.close()
  })
})
