import { requireHosts } from '../../core/card/hosts.js'
import { TOTPError } from '../../core/errors.js'
import { printable } from '../../core/text.js'
import type { CheckStatus } from '../../probe/index.js'
import { checkCoverage, checkRemoved } from './checks.js'
import { derivedFrom } from './derived.js'
import { diagnoseMesh } from './diagnosis.js'
import type { MeshReport } from './mesh-report.js'
import { companionOf } from './other-edge.js'
import { isUsable, pairsIn, pairsOf, type Pair } from './pairs.js'
import type { ProveOptions } from './prove-options.js'
import { Proving } from './proving.js'
import { redacted } from './redacted.js'
import { agentResultOf, matrixOf, summaryOf } from './results.js'
import { partOf } from './selection.js'
import { checkSeparate } from './separate.js'

/** A removed peer that was seen to be refused. */
export interface Forgettable {
  readonly agent: string
  readonly name: string
  readonly removedAt: Date
}

export interface Proof {
  readonly report: MeshReport
  /** What the stores need not keep any longer. */
  readonly refused: readonly Forgettable[]
}

/**
 * Probes every agent of a mesh in full as one of its peers and every other edge with a few requests, at most so many
 * probes at a time and never two with one seed. Declared edges have to be let in. Others have to be refused: those whose
 * credentials a store has, or had before they were removed, are sent these, each to its own agent; of the rest it is worked
 * out. No agent gets a token of another agent's edge, unless `cross` is set.
 *
 * Whatever agents do is reported: it never throws for that.
 *
 * @throws {TOTPError} before anything is sent: `ERR_USAGE` for a part that the mesh does not have, `ERR_TOKEN_UNKNOWN` for
 *   an edge whose token is known by its hash alone; also `ERR_USAGE` for `isolation` where no agent has two peers
 */
export async function proveMesh(options: ProveOptions): Promise<Proof> {
  const { mesh, rosters, now, strict = false, only = [] } = options
  const startedAt = now()
  const begun = performance.now()
  const part = partOf(mesh, only)
  const pairs = pairsOf(mesh, rosters, part, startedAt)
  if (options.isolation) requireTwo(pairs)
  for (const { allowHosts = [] } of mesh.agents.values()) requireHosts(allowHosts)
  const separate = checkSeparate(mesh, rosters)
  const proving = new Proving(options, pairs, pairsIn(mesh, rosters, partOf(mesh, []), startedAt))
  const agents = [...mesh.agents.values()].filter(
    ({ name }) => part.hasAgent(name) || pairs.some(({ agent }) => agent.name === name),
  )
  const seen = await proving.all(agents)
  const isSeparate = separate.status === 'pass'
  const shown = seen.pairs.map((one) => derivedFrom(one, seen.agents, isSeparate))
  const checks = [separate, checkRemoved(shown), checkCoverage(seen.agents, shown)]
  const agentResults = seen.agents.map(agentResultOf)
  const matrix = matrixOf(shown)
  const isFailing = (status: CheckStatus): boolean => status === 'fail' || (strict && status === 'warn')
  const ok =
    !checks.some(({ status }) => isFailing(status)) &&
    agentResults.every((one) => one.ok) &&
    !matrix.some(({ status }) => isFailing(status))
  const reports = seen.agents.filter(({ report }) => report !== undefined)
  const diagnosis = ok ? undefined : diagnoseMesh({ agents: seen.agents, pairs: shown, separate })
  const report: MeshReport = {
    version: 1,
    mesh: printable(options.name),
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - begun),
    ...{ ok, strict },
    // Where nothing could be sent, nobody is known to be out of reach.
    reachable: reports.length === 0 || reports.some(({ report }) => report?.reachable === true),
    narrowed: only.length > 0 ? [`--only ${only.join(',')}`] : [],
    ...(diagnosis !== undefined && { diagnosis }),
    guessesSpent: matrix.reduce((sum, { guessesSpent }) => sum + guessesSpent, 0),
    requests: proving.requests,
    summary: summaryOf(checks, agentResults, matrix),
    checks,
    agents: agentResults,
    matrix,
  }
  return {
    report: redacted(report, rosters, options.cross),
    refused: shown.flatMap(({ pair, removed }) =>
      removed
        .filter(({ admitted }) => admitted === false)
        .map(({ of: { entry } }) => ({
          agent: pair.agent.name,
          name: entry.name,
          removedAt: entry.removedAt,
        })),
    ),
  }
}

function requireTwo(pairs: readonly Pair[]): void {
  if (pairs.some((pair) => isUsable(pair) && companionOf(pair, pairs))) return
  throw new TOTPError('ERR_USAGE', '--isolation needs an agent that two peers may call')
}
