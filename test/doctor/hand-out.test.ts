import { describe, expect, it } from 'vitest'
import { auditRoster } from '../../src/doctor/roster-audit.js'
import type { PendingRotation, Peer } from '../../src/core/roster.js'
import { hashToken, TokenHash } from '../../src/core/token.js'
import { lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const hours = (count: number): Date => new Date(lookAt.getTime() - count * 3_600_000)

const rotating = (since: Date, more: Partial<PendingRotation> = {}): Peer =>
  peerOf('alice', {
    seeds: [seedCredential('old', 1), { ...seedCredential('new', 2), staged: true }],
    tokens: [tokenCredential('t', 'a2at_one'), { ...tokenCredential('u', 'a2at_two'), staged: true }],
    pending: { id: 'r', since, step: 'staged', seed: true, token: true, overlapMs: 0, ...more },
  })

const found = (peer: Peer, id: string) => auditRoster(rosterOf([peer]), lookAt).filter((one) => one.id === id)

describe('doctor on what cannot be handed out', () => {
  it('notes a rotation that is not finished, and warns after a day', () => {
    expect(found(rotating(hours(23)), 'rotation-pending')).toMatchObject([
      { severity: 'note', subject: 'alice', fix: 'a2a-totp rotate alice --resume' },
    ])
    expect(found(rotating(hours(25), { step: 'proved' }), 'rotation-pending')).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('the old ones are still valid') as string },
    ])
  })

  it('takes what is staged for no overlap, and advises to finish the rotation', () => {
    const peer = rotating(hours(1))
    for (const id of ['seed-overlap', 'token-overlap']) expect(found(peer, id)).toEqual([])
    expect(found(peer, 'guesses')[0]?.fix).toContain('a2a-totp rotate alice --resume')
  })

  it('notes a token that is known by its hash alone, and judges it by that', () => {
    const hashed = (value: string) => ({
      ...tokenCredential('t', 'x'),
      token: TokenHash.parse(hashToken(value)),
    })
    const peer = peerOf('alice', { tokens: [hashed('changeme')] })
    expect(found(peer, 'token-hash-only')).toMatchObject([
      { severity: 'note', fix: 'a2a-totp rotate alice --token' },
    ])
    expect(found(peer, 'token-published')).toHaveLength(1)
    expect(found(peer, 'token-weak')).toEqual([])
    const known = { ...peer, tokens: [hashed('one'), tokenCredential('u', 'two')] }
    expect(found(known, 'token-hash-only')).toEqual([])
  })
})
