import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import {
  differingFields,
  withKnownAgent,
  type KnownAgent,
  type KnownPeer,
  type Rebuilt,
} from '../../src/core/rebuild.js'
import type { Roster } from '../../src/core/roster.js'
import { codeOf, failureOf } from '../support/failure.js'
import { canariesNamed, canaryOf, hashesOf, knownAgent, knownPeer } from '../support/known-agent.js'
import { future, lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const take = (roster: Roster, file: KnownAgent): Rebuilt => withKnownAgent(roster, file, false)

const [alice, bob] = [peerOf('alice', { note: 'nightly' }), peerOf('bob')]
const [empty, store] = [rosterOf([]), rosterOf([alice, bob])]
const mail = {
  agent: 'mail',
  profile: { ...defaultProfile, window: 2, header: 'X-Code' },
  serial: 7,
} as const
const trap = canaryOf('trap', 'a2at_bait')

describe('a store without peers', () => {
  it('takes the name, profile and serial of the agent, its peers and canaries', () => {
    const peers = [alice, bob].map((one) => knownPeer(one))
    const { roster, added, completed, conflicts } = take(
      empty,
      knownAgent(peers, { ...mail, canaries: [trap] }),
    )
    expect(roster).toMatchObject(mail)
    expect(roster.canaries).toEqual(canariesNamed(trap))
    expect([added, completed, conflicts]).toEqual([['trap', 'alice', 'bob'], [], []])
    expect([...roster.peers.values()]).toEqual([
      { ...peerOf('alice'), tokens: hashesOf(alice.tokens), signed: undefined },
      { ...bob, tokens: hashesOf(bob.tokens), signed: undefined },
    ])
  })

  it('has no canaries where the file has none', () => {
    expect(take(empty, knownAgent([])).roster.canaries).toBeUndefined()
  })

  it('takes the later serial', () => {
    const serialOf = (serial: number | undefined, file: number): number | undefined =>
      take({ ...empty, ...(serial !== undefined && { serial }) }, knownAgent([], { serial: file })).roster
        .serial
    expect([serialOf(undefined, 7), serialOf(3, 7), serialOf(9, 7)]).toEqual([7, 7, 9])
  })

  it('takes the policy for proofs, and has none where the agent has none', () => {
    const signedAfter = (file: KnownAgent['signed']): unknown =>
      take({ ...empty, signed: 'accept' }, knownAgent([], { signed: file })).roster.signed
    expect([signedAfter('require'), signedAfter('off')]).toEqual(['require', undefined])
  })

  it.each<
    [peers: KnownPeer['replay'][], requiresOnce: boolean, before: Roster['replay'], after: Roster['replay']]
  >([
    [['once', 'once'], true, 'reuse', 'once'],
    [['reuse'], false, 'once', 'reuse'],
    [['reuse', 'once'], true, 'once', 'once'],
    [['reuse', 'once'], true, 'reuse', 'reuse'],
    [['once', 'reuse'], true, 'reuse', 'reuse'],
    [[], true, 'reuse', 'once'],
    [[], false, 'reuse', 'reuse'],
    [[], false, 'once', 'once'],
  ])(
    'takes the replay policy that all peers have: %j, requires once %j, was %s: %s',
    (all, requiresOnce, replay, after) => {
      const peers = all.map((one, index) =>
        knownPeer(peerOf(`p${index}`, { tokens: [tokenCredential(`t${index}`, `a2at_${index}`)] }), {
          replay: one,
        }),
      )
      expect(take({ ...empty, replay }, knownAgent(peers, { requiresOnce })).roster.replay).toBe(after)
    },
  )

  it('notes a policy with a peer only where it is not the agent’s', () => {
    const file = knownAgent(
      [
        knownPeer(alice, { replay: 'once', signed: 'accept' }),
        knownPeer(bob, { replay: 'reuse', signed: 'require' }),
      ],
      { signed: 'accept' },
    )
    const policies = [...take(empty, file).roster.peers.values()].map((one) => [one.replay, one.signed])
    expect(policies).toEqual([
      ['once', undefined],
      [undefined, 'require'],
    ])
    expect(take(empty, knownAgent([knownPeer(alice)])).roster.peers.get('alice')).not.toHaveProperty('signed')
  })

  it('gives up a shared seed that it was made with', () => {
    const made = { ...empty, sharedSeeds: [seedCredential('own', 1)] }
    const sharedSeeds = [seedCredential('file', 2)]
    expect(take(made, knownAgent([], { sharedSeeds })).roster.sharedSeeds).toEqual(sharedSeeds)
    expect(take(empty, knownAgent([], { sharedSeeds })).roster.sharedSeeds).toEqual(sharedSeeds)
    expect(take(made, knownAgent([knownPeer(alice)])).roster).toMatchObject({ sharedSeeds: undefined })
  })
})

describe('a store with peers', () => {
  it('refuses a file of another agent or profile, with what differs', () => {
    expect(failureOf(() => take(store, knownAgent([], { agent: 'mail' })))).toMatchObject({
      code: 'ERR_IMPORT_INVALID',
      message:
        'the file is of the agent "mail", and the store of "agent"; ' +
        'import it into a new store, or pass --force to keep the name and profile of this one',
    })
    expect(failureOf(() => take(store, knownAgent([], { profile: mail.profile })))).toMatchObject({
      code: 'ERR_IMPORT_INVALID',
      message:
        "the file and the store differ in window, header of the agent's profile; " +
        'import it into a new store, or pass --force to keep the name and profile of this one',
    })
    expect(codeOf(() => take({ ...empty, canaries: canariesNamed(trap) }, knownAgent([], mail)))).toBe(
      'ERR_IMPORT_INVALID',
    )
  })

  it('refuses a file of another agent that knows all of its peers', () => {
    const file = knownAgent(
      [alice, bob].map((one) => knownPeer(one)),
      { agent: 'mail' },
    )
    expect(failureOf(() => take(store, file)).message).toMatch(/^the file is of the agent "mail"/)
    expect(withKnownAgent(store, file, true).roster.agent).toBe('agent')
  })

  it('keeps its own name, profile and serial when such a file is forced', () => {
    const carol = knownPeer(peerOf('carol'))
    const { roster, added } = withKnownAgent({ ...store, serial: 3 }, knownAgent([carol], mail), true)
    expect(roster).toMatchObject({ agent: 'agent', profile: defaultProfile, serial: 3 })
    expect([added, [...roster.peers.keys()]]).toEqual([['carol'], ['alice', 'bob', 'carol']])
  })

  it('keeps its own where it knows a peer that the file does not', () => {
    const { roster } = take(
      { ...store, replay: 'once' },
      knownAgent([knownPeer(alice)], { serial: 7, signed: 'require' }),
    )
    expect([roster.serial, roster.replay, roster.signed]).toEqual([undefined, 'once', undefined])
    expect(roster.peers.get('alice')).toMatchObject({ replay: 'reuse', signed: undefined })
  })

  it('takes the profile and serial where the file knows all of its peers and canaries', () => {
    const part = rosterOf([alice], { canaries: canariesNamed(trap), replay: 'once' })
    const peers = [knownPeer(alice, { signed: 'accept' }), knownPeer(bob)]
    const rest = { profile: mail.profile, serial: mail.serial }
    const { roster, added } = take(part, knownAgent(peers, { ...rest, signed: 'require', canaries: [trap] }))
    expect(roster).toMatchObject({ agent: 'agent', ...rest, replay: 'reuse', signed: 'require' })
    expect(roster.peers.get('alice')).toMatchObject({ replay: undefined, signed: 'accept' })
    expect(added).toEqual(['bob'])
  })

  it.each<[what: string, roster: Partial<Roster>, file: KnownAgent]>([
    ['a canary that it does not know', { canaries: canariesNamed(trap) }, knownAgent([knownPeer(alice)])],
    [
      'another token of a canary',
      { canaries: canariesNamed(trap) },
      knownAgent([knownPeer(alice)], { canaries: [canaryOf('trap', 'a2at_x')] }),
    ],
    [
      'a peer of the name of a canary',
      { canaries: canariesNamed(trap) },
      knownAgent([knownPeer(alice), knownPeer(peerOf('trap'))]),
    ],
    ['another seed of a peer', {}, knownAgent([knownPeer({ ...alice, seeds: [seedCredential('s', 9)] })])],
    [
      'another token of a peer',
      {},
      knownAgent([knownPeer({ ...alice, tokens: [tokenCredential('t', 'a2at_x')] })]),
    ],
  ])('keeps its own where the file has %s', (_, changes, file) => {
    const roster = rosterOf([alice], changes)
    expect(take(roster, { ...file, serial: 7 }).roster.serial).toBeUndefined()
    expect(codeOf(() => take(roster, { ...file, profile: mail.profile }))).toBe('ERR_IMPORT_INVALID')
  })
})

describe('a peer that is in both', () => {
  it('has the ids and the settings of the file, and the tokens, note and age of the store', () => {
    const file = knownPeer(
      {
        ...alice,
        ...{ algorithm: 'SHA256', digits: 8, period: 60, createdAt: lookAt },
        seeds: [seedCredential('s', 'a'.charCodeAt(0), future)],
        tokens: [{ ...tokenCredential('t', 'a2at_token-of-alice'), expiresAt: future }],
      },
      { replay: 'once', signed: 'accept' },
    )
    const { roster, completed, added, conflicts } = take(store, knownAgent([file]))
    expect([added, completed, conflicts]).toEqual([[], ['alice'], []])
    expect(roster.peers.get('alice')).toEqual({
      ...alice,
      ...{ algorithm: 'SHA256', digits: 8, period: 60, replay: 'once', signed: 'accept' },
      seeds: [seedCredential('s', 'a'.charCodeAt(0), future)],
      tokens: [tokenCredential('t', 'a2at_token-of-alice', future)],
    })
    expect([...roster.peers.keys()]).toEqual(['alice', 'bob'])
  })

  it('is not completed by what the store has already', () => {
    const { roster, added, completed } = take(store, knownAgent([knownPeer(alice), knownPeer(bob)]))
    expect([added, completed]).toEqual([[], []])
    expect(roster.peers).toEqual(store.peers)
  })

  it('keeps its tokens where all of the file had expired', () => {
    const { roster, conflicts } = take(store, knownAgent([{ ...knownPeer(alice), tokens: [] }]))
    expect([roster.peers.get('alice')?.tokens, conflicts]).toEqual([alice.tokens, []])
  })

  it.each<[what: string, file: KnownAgent, message: string]>([
    [
      'another seed',
      knownAgent([knownPeer({ ...alice, seeds: [seedCredential('s', 9)] })]),
      '"alice" has another seed in the store',
    ],
    [
      'another token',
      knownAgent([knownPeer({ ...alice, tokens: [tokenCredential('t', 'a2at_x')] })]),
      '"alice" has another token in the store',
    ],
    [
      'a shared seed',
      knownAgent([knownPeer({ ...alice, seeds: [] })], { sharedSeeds: [seedCredential('s', 9)] }),
      'only one of the store and the file has a seed for all peers',
    ],
  ])('is left as it is where the file has %s', (_, file, message) => {
    const { roster, added, completed, conflicts } = take(store, file)
    expect(conflicts).toEqual([{ name: 'alice', message }])
    expect([added, completed]).toEqual([[], []])
    expect(roster.peers).toEqual(store.peers)
  })

  it('does not keep the others out', () => {
    const file = knownAgent([
      knownPeer({ ...alice, seeds: [seedCredential('s', 9)] }),
      knownPeer(peerOf('carol')),
    ])
    const { added, conflicts } = take(store, file)
    expect([added, conflicts.map(({ name }) => name)]).toEqual([['carol'], ['alice']])
  })

  it('is a conflict where it would have the token of another', () => {
    const thief = knownPeer({ ...peerOf('carol'), tokens: [...peerOf('carol').tokens, ...bob.tokens] })
    expect(take(store, knownAgent([thief])).conflicts).toEqual([
      { name: 'carol', message: '"carol" has the same token as "bob"' },
    ])
    expect(
      take(store, knownAgent([], { canaries: [canaryOf('trap', 'a2at_token-of-bob')] })).conflicts,
    ).toEqual([{ name: 'trap', message: '"trap" has the same token as "bob"' }])
  })

  it('may have its own token twice', () => {
    const twice = knownPeer({
      ...peerOf('carol'),
      tokens: [tokenCredential('a', 'a2at_c'), tokenCredential('b', 'a2at_c')],
    })
    expect(take(store, knownAgent([twice])).conflicts).toEqual([])
  })
})

it('names the fields in which two profiles differ', () => {
  expect(differingFields(defaultProfile, { ...defaultProfile })).toEqual([])
  expect(differingFields(defaultProfile, mail.profile)).toEqual(['window', 'header'])
  const codes = { algorithm: 'SHA512', digits: 8, period: 60 } as const
  expect(differingFields({ ...defaultProfile, ...codes }, defaultProfile)).toEqual([
    'algorithm',
    'digits',
    'period',
  ])
})
