import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { showFormats, viewMesh, type MeshView, type StoreReading } from '../../src/mesh/show/index.js'
import { expectHarmlessText } from '../support/hostile-text.js'
import { anyMeshDocument, fullMesh, meshOf } from '../support/mesh-arbitraries.js'
import { lookAt, madeAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const options = { width: 80, at: lookAt }

const document = {
  version: 1,
  defaults: { rotateAfter: '90d' },
  agents: {
    billing: { url: 'https://billing.example', replay: 'once', signed: 'require' },
    crm: { url: 'https://crm.example/a2a' },
    mail: { url: 'https://mail.example', replay: 'once' },
    search: { url: 'https://search.example' },
  },
  peers: {
    alice: { calls: ['billing', { agent: 'crm', note: 'for <b>"now"</b>', rotateAfter: '52w' }] },
    bob: { calls: ['crm', { agent: 'mail', expires: '2026-09-01T00:00:00Z' }, 'search'], replay: 'once' },
    crm: { calls: ['billing'], signed: 'inherit' },
  },
}

const pending = { id: 'r1', since: madeAt, step: 'staged', seed: true, token: true, overlapMs: 1 } as const

const readings = new Map<string, StoreReading>([
  [
    'billing',
    {
      state: 'read',
      roster: rosterOf([peerOf('alice', { pending }), peerOf('crm', { signed: 'off' })], {
        agent: 'billing',
      }),
    },
  ],
  [
    'crm',
    {
      state: 'read',
      roster: rosterOf(
        [
          peerOf('alice'),
          peerOf('bob', {
            seeds: [seedCredential('s', 1, past)],
            tokens: [tokenCredential('t', 'a2at_ended', past)],
          }),
          peerOf('mallory'),
        ],
        { agent: 'crm' },
      ),
    },
  ],
  ['mail', { state: 'missing' }],
  ['search', { state: 'locked', problem: 'the store is encrypted' }],
])

const view = viewMesh(meshOf(document), readings, lookAt)
const edgeOf = (peer: string, agent: string): MeshView['edges'][number] | undefined =>
  view.edges.find((edge) => edge.peer === peer && edge.agent === agent)

describe('what there is to show of a mesh', () => {
  it('has the state of every edge, as its store has it', () => {
    const states = view.edges.map(({ peer, agent, state, created }) => [peer, agent, state, created])
    expect(states).toEqual([
      ['alice', 'billing', 'pending', true],
      ['alice', 'crm', 'live', true],
      ['bob', 'crm', 'expired', true],
      ['bob', 'mail', 'missing', false],
      ['bob', 'search', 'unknown', null],
      ['crm', 'billing', 'due', true],
    ])
    expect(view.undeclared).toEqual([{ peer: 'mallory', agent: 'crm' }])
  })

  it('has the policies that apply once the file is applied', () => {
    // What the edge says, then the store for the peer, then the file for the agent, then its store.
    expect(edgeOf('alice', 'billing')).toMatchObject({ replay: 'once', signed: 'require' })
    expect(edgeOf('alice', 'crm')).toMatchObject({ replay: 'reuse', signed: 'off' })
    expect(edgeOf('bob', 'crm')).toMatchObject({ replay: 'once', signed: 'accept' })
    expect(edgeOf('bob', 'mail')).toMatchObject({ replay: 'once', signed: 'accept' })
    expect(edgeOf('bob', 'search')).toMatchObject({ replay: 'once', signed: null })
    expect(edgeOf('crm', 'billing')).toMatchObject({ replay: 'once', signed: 'require' })
    expect(view.agents.map(({ replay, signed }) => [replay, signed])).toEqual([
      ['once', 'require'],
      ['reuse', 'off'],
      ['once', 'accept'],
      [null, null],
    ])
  })

  it('has instants and durations as files have them', () => {
    expect(edgeOf('alice', 'crm')).toMatchObject({
      rotateAfter: '52w',
      overlap: '1d',
      note: 'for <b>"now"</b>',
    })
    expect(edgeOf('bob', 'mail')).toMatchObject({ rotateAfter: '90d', expiresAt: '2026-09-01T00:00:00.000Z' })
    expect(edgeOf('crm', 'billing')).toMatchObject({ renewedAt: madeAt.toISOString() })
  })

  it.each(Object.entries(showFormats))('holds no seed and no token as %s', (_, render) => {
    const text = render(view, options)
    expect(text).not.toContain('a2at_')
    for (const reading of readings.values())
      for (const peer of reading.state === 'read' ? reading.roster.peers.values() : [])
        for (const { seed } of peer.seeds) expect(text).not.toContain(seed.base32)
  })

  it.each(Object.entries(showFormats))('is harmless as %s, whatever the file holds', (name, render) => {
    fc.assert(
      fc.property(anyMeshDocument(5), (any) => {
        const text = render(viewMesh(meshOf(any), new Map(), lookAt), options)
        expectHarmlessText(text)
        if (name !== 'json') expect(text).not.toMatch(/<b[ >]|<script/)
      }),
      { numRuns: 60 },
    )
  })

  it.each(Object.entries(showFormats))('says as %s what was not read', (name, render) => {
    const alone = render(viewMesh(meshOf(document), new Map(), lookAt), options)
    if (name === 'json')
      expect(JSON.parse(alone)).toMatchObject({ storesRead: 0, agents: [{ store: 'unopened' }, {}, {}, {}] })
    else expect(alone.replace(/\s+/g, ' ')).toContain('from the file alone: no store was read')
  })
})

describe('the table', () => {
  it('shows a small mesh by names, with what deserves attention', () => {
    expect(showFormats.table(view, options)).toBe(
      `mesh.yaml: 4 agents, 3 peers, 6 edges (1 of 4 stores could not be read)

1  billing  https://billing.example/  once, signed require  SHA1 6/30s
2  crm      https://crm.example/a2a  reuse, signed off  SHA1 6/30s  also a peer
3  mail     https://mail.example/  once, signed accept  store not created yet
4  search   https://search.example/  store locked

         billing  crm  mail  search
alice    os~      r-   -     -
bob      -        oa!  oa+   o.
crm      os*      -    -     -
mallory  -        ?    -     -

r_ codes reusable; o_ each code once; _- proofs off; _a proofs accepted;
  _s every request signed; _. the store decides; + not created yet;
  ~ rotation pending; * rotation due; ! expired;
  ? let in by the store, not in the file; - no edge

search: the store is encrypted
mallory -> crm: not in the file; mesh apply --prune removes it
alice -> billing: rotation pending, staged for 151d
bob -> crm: expired on 2026-05-31
bob -> mail: not created yet, expires 2026-09-01
crm -> billing: rotation due, 151d old, at most 90d`,
    )
  })

  it.each([
    [1, 1],
    [20, 20],
    [40, 40],
  ])('fits 80 columns with %i agents and %i peers', (agents, peers) => {
    const text = showFormats.table(
      viewMesh(meshOf(fullMesh(agents, peers, agents)), new Map(), lookAt),
      options,
    )
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    const marks = text.match(/(?<=\s)[ro][.os](?=\s|$)/g) ?? []
    const names = new Set(text.match(/^(peer|agent)-\S+/gm))
    expect(marks).toHaveLength(agents * names.size)
  })
})

describe('the flowchart of Mermaid', () => {
  /** What its grammar takes of the flowchart: https://mermaid.js.org/syntax/flowchart.html */
  const string = '"(?:[A-Za-z0-9 .,:/_-]|#\\d+;|<br/>)*"'
  const node = new RegExp(`^  (n\\d+)(?:\\(\\[(${string})\\]\\)|\\[\\[(${string})\\]\\]|\\[(${string})\\])$`)
  const link = new RegExp(`^  (n\\d+) (?:==>|-->|-\\.->|---|--x)(?:\\|${string}\\|)? (n\\d+)$`)
  const other = /^flowchart LR$|^ {2}%% [^{}\n]*$|^ {2}linkStyle \d+ stroke:#[0-9a-f]{6}$/
  const decoded = (text: string): string =>
    text.replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))

  it('is in the grammar, with every name once and every edge once', () => {
    fc.assert(
      fc.property(anyMeshDocument(), (any) => {
        const mesh = meshOf(any)
        const lines = showFormats.mermaid(viewMesh(mesh, new Map(), lookAt)).split('\n')
        expect(lines.filter((line) => ![node, link, other].some((form) => form.test(line)))).toEqual([])
        const names = new Map(
          lines.flatMap((line) => {
            const [, id = '', ...texts] = node.exec(line) ?? []
            const [first = ''] = (texts.find((text) => text) ?? '').slice(1, -1).split('<br/>')
            return id === '' ? [] : [[id, decoded(first)] as const]
          }),
        )
        expect([...names.values()].sort()).toEqual(
          [...new Set([...mesh.peers.keys(), ...mesh.agents.keys()])].sort(),
        )
        const edges = lines.flatMap((line) => {
          const [, from, to] = link.exec(line) ?? []
          return from && to ? [`${names.get(from) ?? ''} ${names.get(to) ?? ''}`] : []
        })
        expect(edges.sort()).toEqual(mesh.edges.map(({ peer, agent }) => `${peer} ${agent}`).sort())
      }),
    )
  })
})

describe('the SVG', () => {
  it('is well-formed, loads nothing, and names itself for those who do not see it', () => {
    fc.assert(
      fc.property(anyMeshDocument(6), (any) => {
        const svg = showFormats.svg(viewMesh(meshOf(any), new Map(), lookAt))
        const open: string[] = []
        const markup = /<\?xml [^>]*\?>|<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>|[^<]+/g
        let length = 0
        for (const [whole, close, name = '', attributes = '', empty] of svg.matchAll(markup)) {
          length += whole.length
          expect(name).not.toMatch(/script|image|use|foreignObject/i)
          expect(attributes).not.toMatch(/ (?:on[a-z]+|style|src|[a-z:]*href)="/i)
          if (open.at(-1) === 'style') expect(whole).not.toMatch(/url\(|@import|@font-face/)
          if (name === '') expect(whole).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/)
          else if (close === '/') expect(open.pop()).toBe(name)
          else if (empty !== '/') open.push(name)
        }
        expect([length, open]).toEqual([svg.length, []])
        expect(svg).toMatch(/role="img" aria-labelledby="mesh-title mesh-description"/)
        expect(svg).toMatch(
          /<title id="mesh-title">Mesh mesh\.yaml<\/title>\s*<desc id="mesh-description">Which peers/,
        )
      }),
      { numRuns: 60 },
    )
  })
})
