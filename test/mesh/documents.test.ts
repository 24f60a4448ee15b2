import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import { stageRotation, withStep } from '../../src/core/staged-rotation.js'
import { makeClientJson } from '../../src/fragments/client-json.js'
import {
  clientDocumentOf,
  digestOf,
  partsOf,
  placeOfAgent,
  placeOfPeer,
  serverDocumentOf,
  undeclaredIn,
  type Place,
} from '../../src/mesh/plan/documents.js'
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

  it('is the same for keys in another order inside a list', () => {
    const listed = (...entries: object[]): object => ({ seeds: entries })
    expect(digestOf(place, listed({ id: 's', seed: 'A' }))).toBe(
      digestOf(place, listed({ seed: 'A', id: 's' })),
    )
    expect(digestOf(place, listed({ id: 's' }, { id: 't' }))).not.toBe(
      digestOf(place, listed({ id: 't' }, { id: 's' })),
    )
  })

  it('is that of any version, so that nothing is delivered again after an upgrade', () => {
    const text =
      '{"content":{"list":[1,23,"x"],"name":"a"},"place":{"deliver":"cat","file":"/mesh/billing.json"}}'
    const digest = createHash('sha256').update(text).digest('hex')
    expect(digestOf(place, { name: 'a', serial: 7, list: [1, 23, 'x'] })).toBe(digest)
  })
})

describe('the parts of a client file', () => {
  const documentOf = (billing: Peer): object =>
    clientDocumentOf(mesh, rosters(billing, peerOf('alice')), 'alice', lookAt) ?? {}

  it('are digests by agents: the same as long as the file says the same of an agent', () => {
    const parts = partsOf(documentOf(peerOf('alice')))
    expect([...parts.keys()]).toEqual(['billing', 'search'])
    expect(partsOf(documentOf(peerOf('alice')))).toEqual(parts)
    const other = partsOf(documentOf(peerOf('alice', { digits: 8 })))
    expect(other.get('billing')).not.toBe(parts.get('billing'))
    expect(other.get('search')).toBe(parts.get('search'))
  })

  it('tell which agents of the file the peer may no longer call', () => {
    const record = { digest: '', at: madeAt, parts: partsOf(documentOf(peerOf('alice'))) }
    const ofSearch = { ...mesh, edges: mesh.edges.slice(1) }
    expect(undeclaredIn(mesh, 'alice', record)).toEqual([])
    expect(undeclaredIn(ofSearch, 'alice', record)).toEqual(['billing'])
    expect(undeclaredIn(meshOf([{ name: 'search' }]), 'alice', record)).toEqual(['search'])
  })

  it('are unknown where nothing was delivered, or by a version that did not remember them', () => {
    expect(undeclaredIn(meshOf([{ name: 'billing' }]), 'alice', undefined)).toEqual([])
    expect(undeclaredIn(meshOf([{ name: 'billing' }]), 'alice', { digest: '', at: madeAt })).toEqual([])
  })
})

describe('the place of a file', () => {
  const [file, deliver] = ['/mesh/a.json', 'cat']
  const agent = { name: 'billing', url: 'https://billing.example', store: '/mesh/billing.json', line: 1 }

  it.each([
    ['a path', { file }],
    ['a command', { deliver }],
    ['both', { file, deliver }],
  ] as const)('is %s, as the mesh names it', (_, place: Place) => {
    const command = place.deliver === undefined ? {} : { deliver: place.deliver }
    const server = place.file === undefined ? {} : { serverFile: place.file }
    const client = place.file === undefined ? {} : { clientFile: place.file }
    expect(placeOfAgent({ ...agent, ...command, ...server })).toStrictEqual(place)
    expect(placeOfPeer({ name: 'alice', line: 1, ...command, ...client })).toStrictEqual(place)
  })

  it('is none where somebody has to hand it out', () => {
    expect(placeOfAgent(agent)).toBeUndefined()
    expect(placeOfPeer({ name: 'alice', line: 1 })).toBeUndefined()
  })
})
