import { jsonText, listSome } from '../../core/text.js'
import { explainOf, textsOf } from './rules.js'
import { findingsOf, type Finding } from '../../probe/report/findings.js'
import type { EdgeResult } from '../prove/mesh-report.js'
import { admittedWords, kindOf, type Kind } from './kinds.js'

/** Edges of one agent that failed, or warned, in the same way. */
export interface EdgeFinding {
  readonly status: 'fail' | 'warn'
  readonly agent: string
  /** In the order of the report. */
  readonly peers: readonly string[]
  readonly kind: Kind
  readonly expected: string
  readonly actual: string
  /** Of the first of them. */
  readonly detail: string
  /** The checks that failed or warned, of the first of them. */
  readonly findings: readonly Finding[]
  /** What to do about it, as Markdown. */
  readonly fix: string
  /** Of the first that has one. */
  readonly line?: number
}

/** What is wrong with edges, the worst first. */
export function edgeFindingsOf(matrix: readonly EdgeResult[]): EdgeFinding[] {
  const groups = new Map<string, EdgeResult[]>()
  for (const edge of matrix) {
    if (edge.status !== 'fail' && edge.status !== 'warn') continue
    const key = keyOf(edge)
    groups.set(key, [...(groups.get(key) ?? []), edge])
  }
  const all = [...groups.values()].map(findingOf)
  return [...all.filter(({ status }) => status === 'fail'), ...all.filter(({ status }) => status === 'warn')]
}

/** A detail names its peer, which does not make it another one. */
function keyOf(edge: EdgeResult): string {
  const { agent, status, detail, peer } = edge
  const checks = wrong(edge).map(({ id, url, expected, actual }) => [id, url, expected, actual])
  const words = checks.length > 0 ? '' : detail.replaceAll(peer, '')
  return jsonText([agent, status, kindOf(edge), checks, words])
}

const wrong = ({ checks }: EdgeResult): EdgeResult['checks'] =>
  checks.filter(({ status }) => status === 'fail' || status === 'warn')

function findingOf(edges: readonly EdgeResult[]): EdgeFinding {
  const [first] = edges
  if (first === undefined) throw new TypeError('a group has an edge')
  const kind = kindOf(first)
  const findings = findingsOf(wrong(first))
  const line = edges.find((edge) => edge.line !== undefined)?.line
  const expected = first.declared && first.expired !== true ? 'let in' : 'refused'
  return {
    status: first.status === 'warn' ? 'warn' : 'fail',
    agent: first.agent,
    peers: [...new Set(edges.map(({ peer }) => peer))],
    kind,
    expected: kind === 'unsafe' || kind === 'warned' ? '' : expected,
    actual: admittedWords(first),
    detail: first.detail,
    findings,
    fix: fixOf(first, kind, findings),
    ...(line === undefined ? {} : { line }),
  }
}

function fixOf({ agent, peer, removed }: EdgeResult, kind: Kind, findings: readonly Finding[]): string {
  // It was let in, so no reason why callers are refused is one.
  if (kind === 'warned')
    return `Nothing has to be delivered: \`${explainOf(findings[0]?.ids[0] ?? 'auth.valid')}\`.`
  const again = '`a2a-totp mesh apply`'
  const reads = `check that ${agent} reads the server file that is delivered`
  if (kind === 'refused') return `Deliver both files again: ${again}; then ${reads}.`
  if (kind === 'intruder')
    return removed === true
      ? `Deliver the server file again: ${again}; then ${reads}.`
      : `Deliver the server file again: ${again}; then ${reads}; or let the mesh file say that ${peer} may call ${agent}.`
  if (kind === 'unknown') return textsOf('mesh.coverage').mend[0] ?? ''
  const [id] = findings[0]?.ids ?? []
  if (id === undefined && kind === 'unsafe') return `Fix what the probe of ${agent} found.`
  return id === undefined ? (textsOf('mesh.edge').mend[0] ?? '') : (textsOf(id).mend[0] ?? '')
}

/** The edges of a finding: `alice, bob and 18 more -> billing`. */
export const edgesOf = ({ peers, agent }: Pick<EdgeFinding, 'peers' | 'agent'>, most = 6): string =>
  `${listSome(peers, most)} -> ${agent}`
