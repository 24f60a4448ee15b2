import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/core/roster.js'
import type { MeshEdge } from '../../src/mesh/file/mesh.js'
import { rotationDue, type RotationDue } from '../../src/mesh/plan/rotation-due.js'
import { lookAt, madeAt, past, peerOf, seedCredential, tokenCredential } from '../support/roster.js'

const day = 86_400_000
const after = (days: number): Date => new Date(lookAt.getTime() + days * day)
const due = (edge: Partial<MeshEdge>, peer: Partial<Peer> = {}, yes = true): RotationDue =>
  rotationDue(
    { peer: 'alice', agent: 'billing', overlapMs: day, line: 1, ...edge },
    peerOf('alice', peer),
    lookAt,
    yes,
  )

describe('a rotation', () => {
  it('is not due where codes are as the file names them', () => {
    expect(due({ algorithm: 'SHA1', digits: 6, period: 30 })).toEqual({ due: 'no' })
  })

  it('has in its profile what differs alone', () => {
    expect(due({ algorithm: 'SHA1', digits: 8, period: 30 })).toEqual({
      due: 'yes',
      rotation: { seed: true, token: true, overlapMs: day, profile: { digits: 8 } },
    })
    expect(due({ digits: 8 }, {}, false)).toEqual({ due: 'no' })
  })

  it.each([
    ['seed', { seeds: [seedCredential('s', 1, past)] }],
    ['token', { tokens: [tokenCredential('t', 'a2at_t', past)] }],
  ])('is not made for a %s that has expired, unless the file says that it should be valid', (kind, peer) => {
    expect(due({}, peer)).toEqual({ due: 'expired' })
    expect(due({ expires: 'never' }, peer)).toEqual({
      due: 'yes',
      rotation: { seed: kind === 'seed', token: kind === 'token', overlapMs: day },
    })
  })

  it('waits for the first of two live seeds to end', () => {
    const seeds = [seedCredential('old', 1, after(2)), seedCredential('new', 2, after(9))]
    expect(due({ rotateAfterMs: day }, { seeds })).toEqual({ due: 'later', until: after(2) })
  })

  it.each([
    ['for other codes', { digits: 8 } as const, undefined],
    ['for what has expired', { expires: 'never' } as const, past],
  ])('renews all credentials without an overlap while another is not finished, %s', (_, edge, end) => {
    const pending = {
      id: 'x',
      since: madeAt,
      step: 'staged',
      seed: false,
      token: true,
      overlapMs: day,
    } as const
    const staged = { ...tokenCredential('t2', 'a2at_2', end), staged: true as const }
    const tokens = [tokenCredential('t1', 'a2at_1', end), staged]
    expect(due(edge, { pending, tokens })).toMatchObject({
      due: 'yes',
      rotation: { seed: true, token: true, overlapMs: 0 },
    })
  })
})
