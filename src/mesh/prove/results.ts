import { printable } from '../../core/text.js'
import type { CheckStatus, Summary } from '../../probe/index.js'
import type { AgentResult, EdgeResult, MeshCheck } from './mesh-report.js'
import { isOpen } from './readings.js'
import { isExpired, type AgentShown, type PairShown, type Shown } from './shown.js'

/** An agent, as it is reported. */
export function agentResultOf({ agent, lead, report, detail, isGap }: AgentShown): AgentResult {
  return {
    agent: agent.name,
    url: printable(agent.url),
    peer: lead?.peer ?? null,
    ok: !isGap && report?.ok !== false,
    reachable: report?.reachable ?? false,
    report: report ?? null,
    detail: report && isOpen(report) ? 'callers without any credentials are let in' : detail,
  }
}

/** The matrix: what was shown of each pair as it is now, then of those that were removed. */
export function matrixOf(pairs: readonly PairShown[]): EdgeResult[] {
  const rows = pairs.flatMap(({ pair, shown, removed }) => {
    const worst = [...removed].sort((one, other) => weight(other.status) - weight(one.status))[0]
    const { peer, agent, edge } = pair
    const names = { peer, agent: agent.name, declared: edge !== undefined }
    const asNow = { ...names, ...resultOf(shown), ...(isExpired(pair) && { expired: true as const }) }
    const now: EdgeResult = edge ? { ...asNow, line: edge.line } : asNow
    if (!worst) return [{ row: now, isLast: false }]
    const was: EdgeResult = { ...names, declared: false, removed: true, ...resultOf(worst) }
    // A pair that is only what it was is one cell.
    const isOnlyPast = edge === undefined && pair.standing.kind === 'absent'
    return [...(isOnlyPast ? [] : [{ row: now, isLast: false }]), { row: was, isLast: true }]
  })
  return [...rows.filter(({ isLast }) => !isLast), ...rows.filter(({ isLast }) => isLast)].map(
    ({ row }) => row,
  )
}

const weight = (status: CheckStatus): number => ['pass', 'skip', 'warn', 'fail'].indexOf(status)

const resultOf = ({
  admitted,
  status,
  detail,
  checks,
  guessesSpent,
}: Shown): Pick<EdgeResult, 'admitted' | 'status' | 'detail' | 'checks' | 'guessesSpent'> => ({
  admitted,
  status,
  detail,
  checks,
  guessesSpent,
})

/** Counts all checks: those of the mesh, of agents, and of edges. */
export function summaryOf(
  checks: readonly MeshCheck[],
  agents: readonly AgentResult[],
  matrix: readonly EdgeResult[],
): Summary {
  const all = [
    ...checks,
    ...agents.flatMap(({ report }) => report?.checks ?? []),
    ...matrix.flatMap((edge) => edge.checks),
  ]
  const count = (status: CheckStatus): number => all.filter((one) => one.status === status).length
  return { passed: count('pass'), failed: count('fail'), warned: count('warn'), skipped: count('skip') }
}
