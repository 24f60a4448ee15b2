import { describe, expect, it } from 'vitest'
import { nameRule } from '../../src/core/name.js'
import { TOTPServerAuthScheme, type TOTPServerAuthSchemeOptions } from '../../src/server/index.js'
import { failureOf } from '../support/failure.js'
import { peers } from '../support/guarded.js'

const delegate = { authenticateToken: () => ({ peer: 'alice' }) }
const peerSeeds = { alice: peers.alice.seed }
const good = { delegate, peerSeeds, replay: 'reuse' }
const weak = 'JBSWY3DPEHPK3PXP'
const ofBob = (set: unknown): object => ({ ...good, peerSeeds: { bob: set } })

/** What a caller without a compiler may hand in. */
const make = (options: object) => () => new TOTPServerAuthScheme(options as TOTPServerAuthSchemeOptions)

describe('the error of refused options says what to change', () => {
  it.each<[what: string, options: object, says: string]>([
    ['both kinds of seeds', { ...good, sharedSeed: peers.bob.seed }, 'peerSeeds and sharedSeed'],
    ['no seeds', { delegate, replay: 'reuse' }, 'pass peerSeeds, or one sharedSeed'],
    ['a peer with an empty set', ofBob({ seeds: [] }), 'peer "bob": it has no seed'],
    ['a peer that is null', ofBob(null), 'peer "bob": it has no seed'],
    ['an empty seed in a list', ofBob({ seeds: [{ seed: '' }] }), 'peer "bob": one of its seeds is empty'],
    ['an unset variable in a list', ofBob({ seeds: [undefined] }), 'peer "bob": one of its seeds is empty'],
    ['null in a list', ofBob({ seeds: [null] }), 'peer "bob": one of its seeds is empty'],
    ['a number for a seed', ofBob({ seeds: [{ seed: 7 }] }), 'peer "bob": a seed must be base32, or a Seed'],
    ['a weak seed', ofBob(weak), 'set allowWeakSeeds'],
    ['a weak seed for all', { delegate, sharedSeed: weak, replay: 'reuse' }, 'peer "(shared)": '],
    [
      'two seeds of one id',
      ofBob({ seeds: ['alice', 'bob'].map((name) => ({ id: 'a', seed: peers[name as 'bob'].seed })) }),
      'ids must be unique',
    ],
    [
      'a seed with a text for its end',
      ofBob({ seeds: [{ seed: peers.bob.seed, expiresAt: '2030-01-01' }] }),
      'expiresAt of a seed must be a valid Date',
    ],
    [
      'once over a state that cannot',
      { ...good, replay: 'once', state: { supports: { once: false } } },
      'replay is "once", which this state does not support',
    ],
    ['proofs without a name', { ...good, signed: 'require' }, 'pass agent, or signed "off"'],
    [
      'proofs without a name where no peer’s are looked at',
      { ...ofBob({ seeds: [{ seed: peers.bob.seed }], signed: 'off' }), signed: 'accept' },
      'pass agent, or signed "off"',
    ],
    ['a name that is none', { ...good, agent: 'bill/ing' }, `agent must be ${nameRule}`],
    ['a prefix with a slash at its end', { ...good, pathPrefix: '/a/' }, 'pathPrefix must be'],
    ['a list of prefixes', { ...good, pathPrefix: ['/a'] }, 'pathPrefix must be'],
  ])('%s', (_, options, says) => {
    expect(failureOf(make(options)).message).toContain(says)
  })

  it('and is passed on as it is where it is not ours', () => {
    const error = new RangeError('the vault is sealed')
    const set = {
      get seeds(): never {
        throw error
      },
    }
    expect(make(ofBob(set))).toThrow(error)
  })
})
