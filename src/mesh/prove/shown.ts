import { count } from '../../core/text.js'
import type { CheckResult, CheckStatus, ProbeReport } from '../../probe/index.js'
import { isFailing, summarise } from '../../probe/report/report.js'
import type { OtherEdge } from './other-edge.js'
import type { MeshAgent } from '../file/mesh.js'
import type { Pair, Removed } from './pairs.js'
import { admittedBy, invertedChecks, isUnknown, openedBy, troubleIn } from './readings.js'

/** What a run showed of one pair. */
export interface Shown {
  readonly admitted: boolean | null
  readonly status: CheckStatus
  readonly detail: string
  readonly checks: readonly CheckResult[]
  readonly guessesSpent: number
  /** Set where right credentials were refused like unknown ones. */
  readonly unknown?: true
  /** Set where a code of another edge was let in. */
  readonly crossed?: true
  /** How many edges' whole credentials were tried. */
  readonly crossings?: number
}

/** What is not shown, and why. */
export const unshown = (detail: string, status: CheckStatus = 'skip'): Shown => ({
  ...{ admitted: null, status, detail, checks: [], guessesSpent: 0 },
})

/** Whether the file says that a pair's time is over, or its credentials ended by themselves. */
export const isExpired = ({ edge, over, standing }: Pair): boolean =>
  edge !== undefined && (over || standing.kind === 'ended' || standing.kind === 'half')

/** Reads the report of an edge that is to be let in. */
export function ofLetIn(report: ProbeReport, other: OtherEdge | undefined): Shown {
  const shown = ofReport(report)
  const where = count(report.checks.filter(({ id }) => id === 'auth.valid').length, 'interface')
  const detail =
    other === undefined
      ? `let in by ${where}; there is no other edge whose code could be tried`
      : `let in by ${where}, and refused with a code of ${other.peer} at ${other.agent}`
  return { ...shown, detail: report.ok ? detail : shown.detail }
}

/** Reads the report of an agent that was probed in full as a peer: the checks of that are in it. */
export function ofLead(report: ProbeReport): Shown {
  const shown = ofReport(report)
  const ofEdge = report.checks.filter(({ id }) => thinIds.has(id))
  const failing = ofEdge.some(({ status }) => status === 'fail')
  const warned = ofEdge.some(({ status }) => status === 'warn')
  return {
    ...shown,
    status: failing || shown.admitted !== true ? 'fail' : warned ? 'warn' : 'pass',
    detail:
      failing || shown.admitted !== true
        ? troubleIn(report)
        : 'let in; the agent was probed in full as this peer',
    checks: [],
  }
}

/** The checks of an edge that is not probed in full. */
export const thinIds: ReadonlySet<string> = new Set([
  'auth.none',
  'auth.bearer-only',
  'auth.valid',
  'auth.cross-peer',
])

function ofReport(report: ProbeReport): Shown {
  const { checks, guessesSpent } = report
  const isFailing = checks.some(({ status }) => status === 'fail')
  const isWarned = checks.some(({ status }) => status === 'warn')
  const isCrossed = checks.some(
    ({ id, status, detail }) => id === 'auth.cross-peer' && status === 'fail' && detail.startsWith('let in'),
  )
  return {
    admitted: admittedBy(report),
    status: isFailing ? 'fail' : isWarned ? 'warn' : 'pass',
    detail: troubleIn(report),
    ...{ checks, guessesSpent },
    ...(isUnknown(report) && { unknown: true }),
    ...(isCrossed && { crossed: true }),
  }
}

/**
 * Reads the report of credentials that have to be refused.
 *
 * @param live whether their token is one that the agent may know, so that a refused code is a guess
 */
export function ofRefused(
  report: ProbeReport,
  { refused, letIn, live }: { refused: string; letIn: string; live: boolean },
): Shown {
  const admitted = openedBy(report)
  const common = { checks: invertedChecks(report), guessesSpent: live ? report.guessesSpent : 0 }
  if (admitted === true) return { admitted, status: 'fail', detail: letIn, ...common }
  if (admitted === false) return { admitted, status: 'pass', detail: refused, ...common }
  return { admitted, status: 'skip', detail: `not shown to be refused: ${troubleIn(report)}`, ...common }
}

/** Why nothing is sent for a pair whose store has nothing to call with; undefined where there is something. */
export function withoutCredentials({ edge, over, standing, peer, agent }: Pair): Shown | undefined {
  if (standing.kind === 'hash-only') {
    return unshown(
      'the store still has it, and it cannot be sent, since of its token only the hash is known: run `a2a-totp mesh apply --prune`',
      'warn',
    )
  }
  if (edge === undefined) return undefined
  switch (standing.kind) {
    case 'absent':
      return over
        ? unshown('its time is over, and the store has no credentials of it', 'pass')
        : unshown('the store does not have this edge yet: run `a2a-totp mesh apply`', 'fail')
    case 'half':
      if (over) return unshown('its time is over, and it cannot call any more', 'pass')
      return unshown(
        `its ${standing.lacks} has expired, and what is left is not sent alone: run ` +
          `\`a2a-totp mesh rotate --only ${peer}:${agent.name}\``,
        'warn',
      )
    case 'ended':
      return standing.credentials === undefined
        ? unshown(
            'its credentials have expired; they cannot be sent, since of the token only a hash is known',
          )
        : undefined
    case 'live':
      return undefined
  }
}

/** Why something was not shown, where time was up. */
export const passed = 'not reached before the deadline'

/** Why an agent was not shown: nothing answered. Empty where something did. */
export const silenceIn = ({ reachable, diagnosis }: ProbeReport): string =>
  reachable ? '' : `it did not answer: ${diagnosis ?? 'nothing answers there'}`

/** Reads the report of an agent that no peer can call: it has to be seen refusing those that have nothing. */
export function ofStranger(agent: MeshAgent, whole: ProbeReport | undefined): AgentShown {
  if (!whole) return { agent, detail: passed, isGap: true }
  const report = withoutCoverage(whole)
  const made = report.checks.filter(({ id }) => id === 'auth.none')
  const unseen = made.length === 0 ? 'no interface was found' : made.find(isSkipped)?.detail
  const detail =
    unseen === undefined
      ? 'no peer that could call it'
      : `it was not seen to refuse callers without credentials: ${unseen}`
  const isGap = !report.reachable || unseen !== undefined
  return { agent, report, detail: silenceIn(whole) || detail, isGap }
}

const isSkipped = ({ status }: CheckResult): boolean => status === 'skip'

/** A report without the check that right credentials were let in everywhere: there are none. */
function withoutCoverage({ diagnosis, explain, ...report }: ProbeReport): ProbeReport {
  const checks = report.checks.filter(({ id }) => id !== 'coverage')
  const ok = !checks.some((check) => isFailing(check, report))
  const told = { ...(diagnosis !== undefined && { diagnosis }), ...(explain && { explain }) }
  return { ...report, ...(ok ? {} : told), ok, checks, summary: summarise(checks) }
}

/** What was seen of one agent. */
export interface AgentShown {
  readonly agent: MeshAgent
  /** The peer as which it was probed in full; undefined where none can call it, and it was probed as nobody. */
  readonly lead?: Pair
  readonly report?: ProbeReport
  /** The edge whose code the full probe tried. */
  readonly other?: OtherEdge
  /** Why nothing could be sent. */
  readonly detail: string
  /** Whether that is a gap: false for an agent that nobody is to call, and that was seen to refuse. */
  readonly isGap: boolean
}

/** What was seen of one pair: as it stands in the file, and as it was before it was removed. */
export interface PairShown {
  readonly pair: Pair
  readonly shown: Shown
  readonly removed: readonly (Shown & { readonly of: Removed })[]
}
