import { describe, expect, it } from 'vitest'
import type { MeshChange } from '../../src/mesh/plan/plan.js'
import { planText, wordsNeeded } from '../../src/mesh/plan/plan-text.js'
import { meshOf, nothingYet, planFor as plan } from '../support/mesh-plan.js'
import { peerOf, rosterOf } from '../support/roster.js'

const agent = 'billing'
const edge = { peer: 'alice', agent }

it.each([
  ['age', 'its credentials are old'],
  ['expires', 'its credentials have expired'],
  ['pending', 'its rotation is not finished'],
])('a rotation because of %s is explained', (field, words) => {
  const changes = ['alice', 'bob'].flatMap((peer) => [
    { agent, peer, action: 'rotate' as const, field },
    { agent, peer, action: 'rotate' as const, field: 'digits', from: 6, to: 8 },
  ])
  expect(planText({ changes, remarks: [] }, { unicode: false }).split('\n')).toEqual([
    agent,
    ...[words, 'digits: 6 -> 8'].flatMap((why) => [`  r alice: ${why}`, `  r bob: ${why}`]),
    '',
    '2 to rotate',
  ])
})

it('nothing has to be said for a plan that needs no word', () => {
  expect(wordsNeeded(plan(meshOf([{ name: agent }], [edge])))).toEqual([])
})

describe('a plan on a terminal', () => {
  const mesh = meshOf(
    [{ name: agent, header: 'X-Code' }, { name: 'search' }],
    [
      { ...edge, digits: 8, period: 60, note: 'a\u001b[31m ##[error] note' },
      { peer: 'carol', agent },
      { peer: 'alice', agent: 'search' },
    ],
  )
  const roster = rosterOf([peerOf('alice'), peerOf('bob')], { agent, url: `https://${agent}.example/a2a` })
  const state = { ...nothingYet, rosters: new Map([[agent, roster]]) }

  it('has its changes by agent, then the client files, then the numbers', () => {
    expect(planText(plan(mesh, state), { unicode: false })).toBe(
      [
        'billing',
        '  ~ header: X-TOTP -> X-Code (needs --yes)',
        '  ~ alice: note: none -> a [31m # #[error] note',
        '  r alice: digits: 6 -> 8 (needs --yes)',
        '  r alice: period: 30 -> 60 (needs --yes)',
        '  - bob (needs --prune)',
        '  + carol',
        '  > server file',
        'search',
        '  + store',
        '  + alice',
        '  > server file',
        'client files',
        '  > alice, for billing, search',
        '  > carol, for billing',
        '',
        '3 to create, 2 to change, 1 to rotate, 1 to remove, 4 to deliver',
      ].join('\n'),
    )
  })

  it('is drawn with other signs and colours where these are wanted', () => {
    const text = planText(plan(mesh, state), {
      unicode: true,
      paint: (action, words) => `<${action}>${words}`,
    })
    expect(text).toContain('  <rotate>↻ alice: digits: 6 -> 8')
    expect(text).toContain('  <deliver>→ server file')
  })

  it('has a sign of its own for each kind of change, with or without characters beyond ASCII', () => {
    const changes: MeshChange[] = [
      { agent, peer: 'new', action: 'create' },
      { agent, peer: 'alice', action: 'change', field: 'note', to: 'x' },
      { agent, peer: 'alice', action: 'rotate', field: 'age' },
      { agent, peer: 'gone', action: 'remove' },
      { agent, action: 'deliver' },
    ]
    const signs = (unicode: boolean): (string | undefined)[] =>
      planText({ changes, remarks: [] }, { unicode })
        .split('\n')
        .slice(1, 6)
        .map((line) => line.trim().split(' ')[0])
    expect(signs(false)).toEqual(['+', '~', 'r', '-', '>'])
    expect(signs(true)).toEqual(['+', '~', '↻', '-', '→'])
  })

  it('counts what is created and changed by rows, files by where they go, and rotations by edges', () => {
    const changes = ['billing', 'search'].flatMap((name): MeshChange[] => [
      { agent: name, peer: 'alice', action: 'create' },
      { agent: name, peer: 'bob', action: 'change', field: 'replay', to: 'once' },
      { agent: name, peer: 'bob', action: 'change', field: 'note', to: 'x' },
      { agent: name, peer: 'carol', action: 'rotate', field: 'digits', from: 6, to: 8 },
      { agent: name, peer: 'carol', action: 'rotate', field: 'period', from: 30, to: 60 },
      { agent: name, peer: 'dave', action: 'remove' },
      { agent: name, action: 'deliver' },
      { agent: name, peer: 'alice', action: 'deliver' },
    ])
    expect(planText({ changes, remarks: [] }, { unicode: false }).split('\n').at(-1)).toBe(
      '2 to create, 4 to change, 2 to rotate, 2 to remove, 3 to deliver',
    )
  })

  it('names many peers with the same change on one line, and each file once', () => {
    const peers = ['p1', 'p2', 'p3', 'p4']
    const crowd = meshOf(
      [{ name: agent }],
      peers.map((peer) => ({ peer, agent })),
    )
    expect(planText(plan(crowd), { unicode: false }).split('\n')).toEqual([
      'billing',
      '  + store',
      '  + p1, p2, p3, p4',
      '  > server file',
      'client files',
      ...peers.map((peer) => `  > ${peer}, for billing`),
      '',
      '5 to create, 5 to deliver',
    ])
  })

  it('says how many changes need a word', () => {
    expect(wordsNeeded(plan(mesh, state))).toEqual([
      expect.stringMatching(/^1 change with --prune only/),
      expect.stringMatching(/^3 changes after asking or with --yes/),
    ])
    expect(planText({ changes: [], remarks: [] }, { unicode: true })).toBe('')
  })
})
