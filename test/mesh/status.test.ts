import { describe, expect, it } from 'vitest'
import type { Roster } from '../../src/core/roster.js'
import { dueIn, removedIn } from '../../src/mesh/status/due.js'
import { turnsBetween } from '../../src/mesh/status/runs.js'
import { turnWords } from '../../src/mesh/status/words.js'
import { agentOf, edgeOf, meshReportOf } from '../support/mesh-report.js'

describe('what changed from one run to the next', () => {
  const before = meshReportOf({
    agents: [agentOf('billing'), agentOf('files')],
    matrix: [
      edgeOf('alice', 'billing'),
      edgeOf('alice', 'files', { admitted: false, status: 'fail' }),
      edgeOf('bob', 'billing', { declared: false }),
      edgeOf('bob', 'files'),
    ],
  })
  const now = meshReportOf({
    agents: [agentOf('billing', { ok: false, reachable: false, report: null }), agentOf('files')],
    matrix: [
      edgeOf('alice', 'billing', { admitted: false, status: 'fail' }),
      edgeOf('alice', 'files'),
      edgeOf('bob', 'billing', { declared: false, admitted: null, status: 'skip' }),
      edgeOf('carol', 'billing'),
      edgeOf('carol', 'files', { declared: false }),
    ],
  })

  it('is each agent and edge that turned, each new edge, and each that is gone', () => {
    expect(turnsBetween(before, now).map((turn) => `${turn.turned} ${turnWords(turn)}`)).toEqual([
      'worse billing: did not answer; was passed',
      'worse alice -> billing: declared, but refused; was let in, as declared',
      'better alice -> files: let in, as declared; was declared, but refused',
      'otherwise carol -> billing: new, let in, as declared',
      'otherwise bob -> files: gone, was let in, as declared',
    ])
  })

  it('does not call gone what a narrowed run leaves out', () => {
    const narrowed = { ...now, narrowed: ['--only billing'] }
    expect(turnsBetween(before, narrowed).some((turn) => turn.now === null)).toBe(false)
  })

  it('is nothing where the same was seen', () => {
    expect(turnsBetween(now, { ...now, startedAt: '2031-01-01T00:00:00.000Z' })).toEqual([])
  })
})

describe('what is due', () => {
  const day = 86_400_000
  const at = new Date('2030-06-01T00:00:00Z')
  const on = (days: number): Date => new Date(at.getTime() + days * day)
  const credential = (changes: object): object => ({ id: 'x', createdAt: on(-80), ...changes })
  const rosterOf = (peers: Record<string, object>): Roster =>
    ({
      agent: 'billing',
      peers: new Map(
        Object.entries(peers).map(([name, peer]) => [name, { seeds: [credential({})], tokens: [], ...peer }]),
      ),
      removed: [{ name: 'eve', removedAt: on(-2) }],
    }) as unknown as Roster
  const edge = (peer: string, rotateAfterMs?: number) => ({
    ...{ peer, agent: 'billing', overlapMs: day, line: 1 },
    ...(rotateAfterMs === undefined ? {} : { rotateAfterMs }),
  })
  const rowsOf = (roster: Roster, edges: ReturnType<typeof edge>[]): string[] =>
    dueIn({ edges }, new Map([['billing', roster]]), at, 14 * day).map(
      ({ peer, what, why, at: when }) => `${peer} ${what} ${why} ${(when.getTime() - at.getTime()) / day}`,
    )

  it('is what expires soon, what has expired, what is old enough to rotate, and what is not finished', () => {
    const roster = rosterOf({
      soon: { tokens: [credential({ expiresAt: on(3) })] },
      later: { tokens: [credential({ expiresAt: on(30) })] },
      over: { seeds: [credential({ expiresAt: on(-5) }), credential({ expiresAt: on(-1) })] },
      old: {},
      pending: { pending: { since: on(-1) } },
      overlap: { seeds: [credential({ expiresAt: on(1) }), credential({ createdAt: on(-1) })] },
    })
    const edges = [
      edge('soon'),
      edge('later'),
      edge('over'),
      edge('old', 90 * day),
      edge('pending', 400 * day),
      edge('overlap', 90 * day),
      edge('unknown', day),
    ]
    expect(rowsOf(roster, edges)).toEqual([
      'over seed expired -1',
      'pending rotation pending -1',
      'soon token expires 3',
      'old seed rotate 10',
    ])
  })

  it('has the removed peers that no proof has seen refused', () => {
    expect(removedIn(new Map([['billing', rosterOf({})]]))).toEqual([
      { peer: 'eve', agent: 'billing', removedAt: on(-2) },
    ])
  })
})
