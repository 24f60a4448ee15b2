import type { AgentResult, EdgeResult, MeshCheck, MeshReport } from '../../src/mesh/prove/mesh-report.js'
import type { Summary } from '../../src/probe/index.js'
import { isFailing, summarise } from '../../src/probe/report/report.js'
import { cellOf, mixedReport, reportOf, resultOf } from './report.js'

/** A report whose numbers and verdict follow from what is in it. */
export function meshReportOf(changes: Partial<MeshReport> = {}): MeshReport {
  const { checks = meshChecks(), agents = [], matrix = [] } = changes
  const summary = summaryOf({ checks, agents, matrix })
  const strict = changes.strict ?? false
  const all = [...checks, ...agents.flatMap(({ report }) => report?.checks ?? []), ...matrix]
  return {
    version: 1,
    mesh: 'deploy/mesh.yaml',
    startedAt: '2030-01-01T00:00:10.000Z',
    durationMs: 4321,
    ok: agents.every(({ ok }) => ok) && !all.some((one) => isFailing(one, { strict })),
    strict,
    reachable: agents.some(({ reachable }) => reachable),
    narrowed: [],
    guessesSpent: 8,
    requests: 321,
    summary,
    ...changes,
    checks,
    agents,
    matrix,
  }
}

function summaryOf({ checks, agents, matrix }: Pick<MeshReport, 'checks' | 'agents' | 'matrix'>): Summary {
  const results = [
    ...agents.flatMap(({ report }) => report?.checks ?? []),
    ...matrix.flatMap((edge) => edge.checks),
    ...checks.map(({ status }) => resultOf({ id: 'reach', status })),
  ]
  return summarise(results)
}

export const meshChecks = (changes: Partial<Record<MeshCheck['id'], Partial<MeshCheck>>> = {}): MeshCheck[] =>
  (['mesh.separate', 'mesh.removed', 'mesh.coverage'] as const).map((id) => ({
    id,
    status: 'pass',
    expected: 'as the file says',
    actual: 'as the file says',
    detail: '',
    ...changes[id],
  }))

export function agentOf(agent: string, changes: Partial<AgentResult> = {}): AgentResult {
  const report = changes.report === undefined ? reportOf({ agent }) : changes.report
  return {
    agent,
    url: `https://${agent}.example`,
    peer: 'alice',
    ok: report?.ok ?? false,
    reachable: true,
    report,
    detail: '',
    ...changes,
  }
}

/** A declared edge that was let in; `declared: false` for one that was refused. */
export function edgeOf(peer: string, agent: string, changes: Partial<EdgeResult> = {}): EdgeResult {
  const declared = changes.declared ?? true
  return {
    peer,
    agent,
    declared,
    admitted: declared,
    status: 'pass',
    detail: '',
    checks: [],
    guessesSpent: 0,
    ...(declared ? { line: 12 } : {}),
    ...changes,
  }
}

/** Of everything something: each kind of edge, an agent with findings, one without an answer, something ignored. */
export function mixedMesh(changes: Partial<MeshReport> = {}): MeshReport {
  const rest = cellOf('https://billing.example/rest')
  const passing = (id: 'auth.none' | 'auth.bearer-only' | 'auth.valid' | 'auth.cross-peer') =>
    resultOf({ id, ...rest })
  const thin = [passing('auth.none'), passing('auth.bearer-only'), passing('auth.valid')]
  return meshReportOf({
    narrowed: ['--only billing'],
    diagnosis: 'billing runs with an older server file',
    checks: meshChecks({
      'mesh.removed': {
        status: 'fail',
        expected: 'refused',
        actual: 'let in: eve -> billing',
        detail: 'eve was removed at 2029-12-31',
      },
      'mesh.coverage': { status: 'warn', actual: 'search is not answering', detail: 'connection refused' },
    }),
    agents: [
      agentOf('billing', { report: mixedReport({ agent: 'billing', ok: false, narrowed: [] }) }),
      agentOf('search', {
        peer: null,
        ok: false,
        reachable: false,
        report: null,
        detail: 'nothing answered',
      }),
      agentOf('files'),
    ],
    matrix: [
      edgeOf('alice', 'billing', { line: 20 }),
      edgeOf('alice', 'search', { admitted: null, status: 'fail', detail: 'nothing answered', line: 21 }),
      edgeOf('alice', 'files', {
        status: 'warn',
        line: 22,
        checks: [...thin, resultOf({ id: 'auth.cross-peer', ...rest, status: 'warn', actual: 'HTTP 500' })],
      }),
      edgeOf('bob', 'billing', {
        admitted: false,
        status: 'fail',
        line: 31,
        detail: 'refused with its own credentials',
        checks: [
          passing('auth.none'),
          resultOf({ id: 'auth.valid', ...rest, status: 'fail', detail: 'its token is not known here' }),
        ],
      }),
      edgeOf('bob', 'search', {
        declared: false,
        admitted: null,
        status: 'skip',
        detail: 'nothing answered',
      }),
      edgeOf('bob', 'files', {
        status: 'fail',
        line: 33,
        detail: 'a code of another edge was accepted',
        checks: [
          ...thin,
          resultOf({
            id: 'auth.cross-peer',
            ...rest,
            status: 'fail',
            actual: 'HTTP 200',
            detail: 'let in with the code of alice -> files',
          }),
        ],
      }),
      edgeOf('carol', 'billing', { declared: false, detail: 'no credentials of carol are there' }),
      edgeOf('carol', 'search', { declared: false, removed: true }),
      edgeOf('carol', 'files', {
        expired: true,
        admitted: false,
        status: 'skip',
        detail: 'expired 2029-12-01',
      }),
      edgeOf('eve', 'billing', {
        declared: false,
        removed: true,
        admitted: true,
        status: 'fail',
        detail: 'let in with the credentials it had',
      }),
    ],
    ...changes,
  })
}

/** A mesh of many, every third pair declared, and everything as it should be but what `edge` changes. */
export function largeMesh(
  size: number,
  edge: (peer: number, agent: number) => Partial<EdgeResult> = () => ({}),
): MeshReport {
  const agents = Array.from({ length: size }, (_, index) => `agent-${index + 1}.eu-west`)
  const peers = Array.from({ length: size }, (_, index) => `team-${index + 1}-worker`)
  return meshReportOf({
    mesh: 'mesh.yaml',
    agents: agents.map((agent, index) => agentOf(agent, { peer: peers[index] ?? null })),
    matrix: peers.flatMap((peer, row) =>
      agents.map((agent, column) =>
        edgeOf(peer, agent, { declared: (row + column) % 3 === 0, line: 10 + row * 8, ...edge(row, column) }),
      ),
    ),
  })
}
