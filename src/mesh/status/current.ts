import { count, listSome } from '../../core/text.js'
import type { CheckStatus } from '../../probe/index.js'
import type { AgentResult, EdgeResult, MeshCheck, MeshReport } from '../prove/mesh-report.js'
import { summaryOf } from '../prove/results.js'

/** What all runs show together: the latest result of each agent and each edge. */
export interface Current {
  /** As if one run had shown it all: begun, and as strict, as the latest. */
  readonly report: MeshReport
  /** When the run began that a result is of, for those that the latest run does not have. */
  readonly seenAt: ReadonlyMap<AgentResult | EdgeResult, string>
}

/** Results that only an earlier run has. */
export interface Earlier {
  readonly startedAt: string
  readonly agents: readonly string[]
  readonly edges: readonly Pick<EdgeResult, 'peer' | 'agent'>[]
}

/** Adds the next run to what those before it show. One that was not narrowed shows all by itself. */
export function withRun(before: Current | undefined, run: MeshReport): Current {
  if (!before || run.narrowed.length === 0) return { report: run, seenAt: new Map() }
  const { report: known } = before
  const agents = replaced(known.agents, run.agents, ({ agent }) => agent)
  const proved = agentsIn(run.narrowed)
  const kept = known.matrix.filter((row) => !proved.has(row.agent) || run.matrix.some(isLike(row)))
  const matrix = replaced(kept, run.matrix, keyOf)
  const ofRun = new Set<object>([...run.agents, ...run.matrix])
  const older = [...agents, ...matrix].filter((one) => !ofRun.has(one))
  const seenAt = new Map(older.map((one) => [one, before.seenAt.get(one) ?? known.startedAt]))
  return { report: asOneRun(run, known.narrowed, agents, matrix), seenAt }
}

/** The results of earlier runs, the oldest first. */
export function earlierIn({ report: { agents, matrix }, seenAt }: Current): Earlier[] {
  const times = [...new Set(seenAt.values())].sort()
  return times.map((startedAt) => {
    const ofThen = (one: AgentResult | EdgeResult): boolean => seenAt.get(one) === startedAt
    const names = agents.filter(ofThen).map(({ agent }) => agent)
    const edges = matrix.filter((edge) => ofThen(edge) && !names.includes(edge.agent))
    return { startedAt, agents: names, edges: edges.map(({ peer, agent }) => ({ peer, agent })) }
  })
}

/** The older ones in their order, each as the newer one with its key where there is one, then the rest of the newer. */
function replaced<T>(older: readonly T[], newer: readonly T[], key: (one: T) => string): T[] {
  const fresh = new Map(newer.map((one) => [key(one), one]))
  const first = older.map((one) => fresh.get(key(one)) ?? one)
  return [...first, ...newer.filter((one) => !first.includes(one))]
}

const keyOf = ({ peer, agent, removed }: EdgeResult): string =>
  JSON.stringify([peer, agent, removed === true])

const isLike =
  (row: EdgeResult) =>
  (other: EdgeResult): boolean =>
    keyOf(row) === keyOf(other)

/** The agents that a narrowed run proved with all that may and may not call them: `--only AGENT,PEER:AGENT`. */
const agentsIn = (narrowed: readonly string[]): ReadonlySet<string> =>
  new Set(narrowed.flatMap((option) => option.replace(/^--only /, '').split(',')))

function asOneRun(
  run: MeshReport,
  narrowed: readonly string[],
  agents: readonly AgentResult[],
  matrix: readonly EdgeResult[],
): MeshReport {
  const { diagnosis, ...rest } = run
  const checks = [
    ...run.checks.filter(({ id }) => id === 'mesh.separate'),
    removedIn(matrix),
    coverageOf(agents, matrix),
  ]
  const fails = (status: CheckStatus): boolean => status === 'fail' || (run.strict && status === 'warn')
  const ok = agents.every((one) => one.ok) && ![...checks, ...matrix].some(({ status }) => fails(status))
  return {
    ...rest,
    ...{ ok, agents, matrix, checks, summary: summaryOf(checks, agents, matrix) },
    ...(!ok && diagnosis !== undefined && { diagnosis }),
    reachable: agents.some(({ reachable }) => reachable),
    narrowed: narrowed.length === 0 ? [] : [...new Set([...narrowed, ...run.narrowed])],
  }
}

function removedIn(matrix: readonly EdgeResult[]): MeshCheck {
  const known = { id: 'mesh.removed', expected: 'removed peers are refused' } as const
  const removed = matrix.filter((edge) => edge.removed === true)
  const letIn = removed.filter(({ admitted }) => admitted === true)
  const detail = listSome(letIn.map((edge) => `${nameOf(edge)}: ${edge.detail}`))
  if (letIn.length > 0)
    return { ...known, status: 'fail', actual: `${count(letIn.length, 'peer')} let in`, detail }
  const isShown = removed.length > 0 && removed.every(({ admitted }) => admitted === false)
  return {
    ...known,
    status: isShown ? 'pass' : 'skip',
    actual: count(removed.length, 'removed peer'),
    detail,
  }
}

/** What no run has shown, nor the latest that tried. */
function coverageOf(agents: readonly AgentResult[], matrix: readonly EdgeResult[]): MeshCheck {
  const known = { id: 'mesh.coverage', expected: 'every agent answers, and every edge is shown' } as const
  if (agents.length === 0)
    return { ...known, status: 'fail', actual: 'nothing was sent', detail: 'the mesh has no agent' }
  const missed = agents.filter(({ ok, reachable }) => !ok && !reachable)
  const probed = new Set(
    agents.flatMap(({ agent, report, peer }) => (report && peer !== null ? [agent] : [])),
  )
  const edges = matrix.filter((edge) => {
    if (edge.admitted !== null || missed.some(({ agent }) => agent === edge.agent)) return false
    if (edge.removed === true || edge.checks.length > 0) return true
    return edge.declared ? edge.expired !== true : probed.has(edge.agent)
  })
  const gaps = [
    ...missed.map(({ agent, detail }) => `${agent}: ${detail}`),
    ...edges.map((edge) => `${nameOf(edge)}: ${edge.detail}`),
  ]
  if (gaps.length > 0)
    return { ...known, status: 'fail', actual: count(gaps.length, 'gap'), detail: gaps.join('; ') }
  const uncalled = agents.filter(({ peer }) => peer === null).map(({ agent }) => agent)
  const actual = `${count(agents.length, 'agent')}, ${count(matrix.filter((one) => one.declared).length, 'edge')}`
  return uncalled.length > 0
    ? { ...known, status: 'warn', actual, detail: `no peer can call: ${listSome(uncalled)}` }
    : { ...known, status: 'pass', actual, detail: '' }
}

const nameOf = ({ peer, agent }: EdgeResult): string => `${peer} at ${agent}`
