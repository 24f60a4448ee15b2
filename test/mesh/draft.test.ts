import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { replayPolicies } from '../../src/core/profile.js'
import { signedPolicies } from '../../src/core/proof/profile.js'
import type { Peer, Roster } from '../../src/core/roster.js'
import { Token } from '../../src/core/token.js'
import { nothingDelivered } from '../../src/mesh/apply/delivered.js'
import { draftMesh } from '../../src/mesh/file/draft.js'
import { exampleMesh, exampleNames } from '../../src/mesh/file/example.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { scalarText } from '../../src/mesh/file/yaml-text.js'
import { planOf } from '../../src/mesh/plan/plan-of.js'
import { anyCharacter, anyCodeProfile, anyName } from '../support/arbitraries.js'
import { hostile } from '../support/hostile-text.js'
import { lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const path = '/mesh/mesh.yaml'
const later = new Date('2027-01-01T00:00:00Z')

const agentOf = (agent: string, peers: readonly Peer[], overrides: Partial<Roster> = {}): Roster =>
  rosterOf(peers, { agent, url: `https://${agent}.example`, ...overrides })

const draft = (...rosters: readonly Roster[]): string =>
  draftMesh(
    rosters.map((roster) => ({ store: `stores/${roster.agent}.json`, roster })),
    lookAt,
  )

const body = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('#'))

describe('a mesh file made from stores', () => {
  it('has each agent with its policies, each peer with what it calls, and what differs where it differs', () => {
    const own = (name: string, more: Partial<Peer> = {}): Peer => peerOf(name, more)
    const text = draft(
      agentOf('billing', [own('alice', { note: 'the nightly job', digits: 8 }), own('bob')], {
        replay: 'once',
        signed: 'accept',
      }),
      agentOf('mail', [own('alice', { note: 'the nightly job', replay: 'once' })], {
        profile: { algorithm: 'SHA256', digits: 6, period: 30, window: 0, header: 'X-Code' },
      }),
    )
    expect(body(text)).toEqual(
      `version: 1

agents:
  billing:
    url: https://billing.example
    store: stores/billing.json
    replay: once
    signed: accept

  mail:
    url: https://mail.example
    store: stores/mail.json
    replay: reuse
    signed: off
    algorithm: SHA256
    window: 0
    header: X-Code

peers:
  alice:
    calls:
      - {agent: billing, digits: 8}
      - {agent: mail, replay: once, signed: inherit, algorithm: SHA1}
    note: "the nightly job"
  bob:
    calls: [billing]
`
        .replace('signed: off', 'signed: "off"')
        .split('\n'),
    )
  })

  it('has when both credentials of an edge end, and nothing of canaries, removed peers and overlaps', () => {
    const ends = peerOf('alice', {
      seeds: [seedCredential('s', 1, later)],
      tokens: [tokenCredential('t', 'a2at_alice', later)],
    })
    const half = peerOf('bob', { tokens: [tokenCredential('t', 'a2at_bob', later)] })
    const text = draft(
      agentOf('billing', [ends, half], {
        canaries: new Map([
          ['trap', { name: 'trap', createdAt: lookAt, tokens: [tokenCredential('c', 'a2at_bait')] }],
        ]),
      }),
    )
    expect(body(text)).toContain('    expires: "2027-01-01T00:00:00.000Z"')
    expect(text.match(/expires/g)).toHaveLength(1)
    expect(text).not.toContain('trap')
  })

  it('leaves the URL open where the store has none, or one with a password in it', () => {
    for (const url of [undefined, 'https://user:secret@billing.example']) {
      const text = draft(agentOf('billing', [], { url }))
      expect(body(text).filter((line) => line.includes('url:'))).toEqual([
        expect.stringMatching(/^ {4}url: {3}# /) as string,
      ])
      expect(text).not.toContain('secret@')
      expect(() => parseMesh(text, path)).toThrow(
        /agents\.billing\.url is empty; expected an http or https URL/,
      )
    }
  })

  it('says what the stores hold: there is nothing to do', () => {
    const seen = fc.constantFrom(undefined, ...signedPolicies)
    const text = fc.oneof(
      fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 }),
      fc.constant(hostile),
    )
    const peers = fc.record(
      {
        replay: fc.constantFrom(...replayPolicies),
        signed: fc.constantFrom(...signedPolicies),
        note: text,
        ends: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    const edge = fc.tuple(peers, anyCodeProfile)
    const agents = fc.record({
      profile: anyCodeProfile,
      window: fc.constantFrom(0, 1, 2),
      replay: fc.constantFrom(...replayPolicies),
      signed: seen,
      edges: fc.dictionary(anyName, edge, { maxKeys: 4 }),
    })
    fc.assert(
      fc.property(fc.dictionary(anyName, agents, { maxKeys: 4 }), (all) => {
        const rosters = Object.entries(all).map(([agent, { profile, window, replay, signed, edges }]) => {
          const made = Object.entries(edges).map(([name, [{ ends, ...own }, code]]) => {
            const life = ends ? { expiresAt: later } : {}
            const token = Token.parse(`a2at_0123456789012345678901234567890123456789.${agent}.${name}`)
            return peerOf(name, {
              ...{ ...code, ...own },
              seeds: [{ ...seedCredential('s', 1), ...life }],
              tokens: [{ ...tokenCredential('t', 'a2at_x'), token, ...life }],
            })
          })
          const whole = { ...profile, window, header: 'X-TOTP' }
          return agentOf(agent, made, { profile: whole, replay, signed, url: 'https://a.example' })
        })
        const text = draft(...rosters)
        const mesh = parseMesh(text, path)
        const plan = planOf(mesh, {
          rosters: new Map(rosters.map((roster) => [roster.agent, roster])),
          delivered: nothingDelivered,
          at: lookAt,
        })
        expect(plan.changes).toEqual([])
        expect(mesh.edges).toHaveLength(rosters.reduce((sum, { peers }) => sum + peers.size, 0))
      }),
    )
  })

  it('holds any text so that YAML gives it back, and nothing obeys it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: anyCharacter }), fc.string(), fc.constant(hostile)), (text) => {
        for (const line of [
          `a: ${scalarText(text)}`,
          `a: [${scalarText(text)}, b]`,
          `a: {b: ${scalarText(text)}}`,
        ]) {
          const { a } = parseYaml(line) as { a: unknown }
          expect(typeof a === 'object' ? Object.values(a ?? {})[0] : a).toBe(text)
          expect(line).not.toMatch(/::|##\w*\[|[\p{Cc}\p{Cf}]/u)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the example', () => {
  it('is a valid mesh of one edge, with every commented line valid too', () => {
    const mesh = parseMesh(exampleMesh, path)
    expect(mesh.edges).toMatchObject([{ peer: 'alice', agent: 'billing' }])
    expect({ agents: [...mesh.agents.keys()], peers: [...mesh.peers.keys()] }).toEqual(exampleNames)
    const whole = exampleMesh
      .replace(/^ {4}calls: \[billing\]\n/m, '')
      .replace(/^ {4}# An edge may.*\n/m, '')
      .replace(/^( +)# ( *\S.*)$/gm, '$1$2')
      .replace('peers:', '  mail: {url: https://mail.example}\n\npeers:')
    const { agents, peers, edges } = parseMesh(whole, path)
    expect(agents.get('billing')).toMatchObject({
      digits: 8,
      canaries: ['trap'],
      deliver: './put-server-file',
    })
    expect(peers.get('alice')).toMatchObject({ clientFile: '/mesh/out/alice.json' })
    expect(edges).toMatchObject([{ agent: 'billing' }, { agent: 'mail', note: 'the nightly job' }])
  })
})
