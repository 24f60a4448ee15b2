import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import { makeClientJson } from '../../src/fragments/client-json.js'
import { clientDocumentOf, digestOf, serverDocumentOf } from '../../src/mesh/plan/documents.js'
import { meshOf, seededRandom } from '../support/mesh-plan.js'
import { lookAt, madeAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const mesh = meshOf(
  [{ name: 'billing' }, { name: 'search' }],
  [
    { peer: 'alice', agent: 'billing' },
    { peer: 'alice', agent: 'search' },
  ],
)
const storeOf = (agent: string, peers: readonly Peer[], overrides: Partial<Roster> = {}): Roster =>
  rosterOf(peers, { agent, url: `https://${agent}.example`, ...overrides })
const rosters = (billing: Peer, search: Peer): Map<string, Roster> =>
  new Map([
    ['billing', storeOf('billing', [billing])],
    ['search', storeOf('search', [search])],
  ])
const agentsIn = (document: object | undefined): string[] =>
  Object.keys((document as { agents?: object } | undefined)?.agents ?? {})

describe('a client file', () => {
  it('has what the peer needs for each agent that it may call', () => {
    const two = rosters(peerOf('alice'), peerOf('alice', { digits: 8 }))
    const document = clientDocumentOf(mesh, two, 'alice', lookAt)
    expect(document).toMatchObject({
      ...{ version: 1, peer: 'alice' },
      agents: {
        billing: { url: 'https://billing.example', token: 'a2at_token-of-alice', digits: 6, window: 1 },
        search: { digits: 8, replay: 'reuse', signed: 'off', header: 'X-TOTP' },
      },
    })
    expect(Object.keys(document ?? {})).toEqual(['version', 'peer', 'agents'])
  })

  it('is that of config client where there is one agent', () => {
    const peer = peerOf('alice')
    const roster = storeOf('billing', [peer])
    const document = clientDocumentOf(mesh, new Map([['billing', roster]]), 'alice', lookAt)
    expect(document).toEqual(makeClientJson({ roster, peer, at: lookAt }))
  })

  it.each([
    ['whose seeds have expired', peerOf('alice', { seeds: [seedCredential('s', 1, past)] })],
    ['whose tokens have expired', peerOf('alice', { tokens: [tokenCredential('t', 'a2at_t', past)] })],
    [
      'whose token is known by its hash alone',
      peerOf('alice', {
        tokens: [
          { id: 't', createdAt: madeAt, token: { value: undefined, hash: `sha256:${'0'.repeat(64)}` } },
        ],
      }),
    ],
    ['that is not in the store', peerOf('bob')],
  ])('leaves out an edge %s', (_, peer) => {
    expect(agentsIn(clientDocumentOf(mesh, rosters(peer, peerOf('alice')), 'alice', lookAt))).toEqual([
      'search',
    ])
    expect(clientDocumentOf(mesh, rosters(peer, peer), 'alice', lookAt)).toBeUndefined()
  })

  it('leaves out what the file does not declare, and agents that do not know the peer yet', () => {
    const all = rosters(peerOf('alice'), peerOf('alice'))
    const one = { ...mesh, edges: mesh.edges.slice(0, 1) }
    expect(agentsIn(clientDocumentOf(one, all, 'alice', lookAt))).toEqual(['billing'])
    expect(agentsIn(clientDocumentOf(mesh, all, 'alice', lookAt, { without: ['billing'] }))).toEqual([
      'search',
    ])
    expect(clientDocumentOf(mesh, all, 'carol', lookAt)).toBeUndefined()
  })

  it('has the credentials in use until the agent accepts the staged ones, and these from then on', () => {
    const staging = { id: 'r', seed: true, token: true, overlapMs: 1000 }
    const making = { at: lookAt, random: seededRandom() }
    const before = storeOf('billing', [peerOf('alice')])
    const staged = stageRotation(before, ['alice'], staging, making)
    const documentOf = (roster: Roster): object | undefined =>
      clientDocumentOf(mesh, new Map([['billing', roster]]), 'alice', lookAt)
    expect(documentOf(staged)).toEqual(documentOf(before))
    const admitted = withStep(staged, 'alice', 'r', 'admitted')
    expect(documentOf(admitted)).toMatchObject({
      token: staged.peers.get('alice')?.tokens.at(-1)?.token.value,
      seed: staged.peers.get('alice')?.seeds.at(-1)?.seed.base32,
    })
    expect(documentOf(withStep(admitted, 'alice', 'r', 'delivered'))).toEqual(documentOf(admitted))
  })
})

describe('the digest of a delivery', () => {
  const document = serverDocumentOf(storeOf('billing', [peerOf('alice'), peerOf('bob')]), lookAt)
  const place = { file: '/mesh/billing.json', deliver: 'cat' }

  it('is the same for a document that was written and read again, with its keys in another order', () => {
    const read = JSON.parse(JSON.stringify(document)) as { peers: object }
    const turned = Object.fromEntries(
      Object.entries({ ...read, peers: Object.fromEntries(Object.entries(read.peers).reverse()) }).reverse(),
    )
    expect(digestOf({ deliver: 'cat', file: '/mesh/billing.json' }, turned)).toBe(digestOf(place, document))
  })

  it('is the same for another serial, and differs for another place or content', () => {
    const digest = digestOf(place, document)
    expect(digestOf(place, { ...document, serial: 99 })).toBe(digest)
    const other = serverDocumentOf(storeOf('billing', [peerOf('alice')]), lookAt)
    for (const [at, content] of [
      [{ file: '/mesh/other.json', deliver: 'cat' }, document],
      [{ file: '/mesh/billing.json' }, document],
      [{ deliver: 'cat' }, document],
      [place, other],
    ] as const)
      expect(digestOf(at, content)).not.toBe(digest)
  })
})
