import { listSome } from '../../core/text.js'
import type { MeshCheck } from './mesh-report.js'
import { isOpen } from './readings.js'
import type { AgentShown, PairShown } from './shown.js'

/** What a diagnosis is made from. */
export interface Findings {
  readonly agents: readonly AgentShown[]
  readonly pairs: readonly PairShown[]
  readonly separate: MeshCheck
}

/** A sentence, and how many agents and pairs it explains. */
interface Claim {
  readonly sentence: string
  readonly explains: number
}

/** One sentence that explains most of what failed; undefined where none does. */
export function diagnoseMesh(findings: Findings): string | undefined {
  const claims = rules.flatMap((rule) => rule(findings) ?? [])
  const most = Math.max(...claims.map(({ explains }) => explains))
  return claims.find(({ explains }) => explains === most)?.sentence
}

type Rule = (findings: Findings) => Claim | undefined

const namesOf = (agents: readonly AgentShown[]): string =>
  listSome(
    agents.map(({ agent }) => agent.name),
    5,
  )

const pairsAt = (pairs: readonly PairShown[], agents: readonly AgentShown[]): PairShown[] =>
  pairs.filter(({ pair }) => agents.some(({ agent }) => agent === pair.agent))

const isOne = (agents: readonly unknown[]): boolean => agents.length === 1

const silent: Rule = ({ agents, pairs }) => {
  const missed = agents.filter(({ report }) => report?.reachable === false)
  if (missed.length === 0) return undefined
  const who = missed.length === agents.length ? 'no agent answered' : `${namesOf(missed)} did not answer`
  const why = isOne(missed) ? `: ${missed[0]?.report?.diagnosis ?? ''}`.replace(/: $/, '') : ''
  return { sentence: who + why, explains: missed.length + pairsAt(pairs, missed).length }
}

const twins: Rule = ({ agents, pairs }) => {
  const same = agents.filter(({ detail }) => detail.includes('has the same URL'))
  if (same.length === 0) return undefined
  return {
    sentence: `${namesOf(same)} have one URL: give each agent its own in the mesh file`,
    explains: same.length + pairsAt(pairs, same).length,
  }
}

const shared: Rule = ({ separate, pairs }) =>
  separate.status === 'fail'
    ? {
        sentence: `edges share credentials, so they are crossed: ${separate.detail}`,
        // What is worked out of the stores cannot be shown then.
        explains:
          1 +
          pairs.filter(({ shown }) => shown.crossed === true || shown.detail.includes('mesh.separate'))
            .length,
      }
    : undefined

const unguarded: Rule = ({ agents, pairs }) => {
  const open = agents.filter(({ report }) => report && isOpen(report))
  if (open.length === 0) return undefined
  const failing = pairsAt(pairs, open).filter(({ shown }) => shown.status === 'fail')
  const [who, them] = isOne(open) ? ['is', 'it'] : ['are', 'them']
  return {
    sentence:
      `${namesOf(open)} ${who} not guarded: callers without any credentials are let in; ` +
      `put the guard, or \`a2a-totp gate\`, in front of ${them}`,
    explains: open.length + failing.length,
  }
}

/** Declared edges whose right credentials are refused like unknown ones. */
const unknownAt = (pairs: readonly PairShown[], { agent }: AgentShown): PairShown[] =>
  pairs.filter(({ pair, shown }) => pair.agent === agent && shown.unknown)

/** Whether an agent let none of several edges in, or the only one. */
function knowsNone(one: AgentShown, pairs: readonly PairShown[]): boolean {
  const own = pairs.filter(({ pair }) => pair.agent === one.agent && pair.edge !== undefined)
  return unknownAt(pairs, one).length > 0 && !own.some(({ shown }) => shown.admitted === true)
}

const crossed: Rule = ({ agents, pairs }) => {
  const strangers = agents.filter((one) => knowsNone(one, pairs))
  const letIn = pairs.filter(({ shown }) => shown.crossed)
  if (letIn.length > 0) {
    const at = agents.filter(({ agent }) => letIn.some(({ pair }) => pair.agent === agent))
    const affected = agents.filter((one) => at.includes(one) || strangers.includes(one))
    return {
      sentence:
        `edges are crossed at ${namesOf(at)}: credentials of other edges are let in; ` +
        `deliver the server file of ${namesOf(affected)} (\`a2a-totp mesh apply\`)`,
      explains: letIn.length + affected.length + affected.flatMap((one) => unknownAt(pairs, one)).length,
    }
  }
  if (strangers.length < 2) return undefined
  return {
    sentence:
      `${namesOf(strangers)} let none of their edges in: they have each other's server files, or old ones, or their ` +
      'URLs are swapped in the mesh file; compare the URLs, and deliver the server files (`a2a-totp mesh apply`)',
    explains: strangers.length + strangers.flatMap((one) => unknownAt(pairs, one)).length,
  }
}

const stale: Rule = ({ agents, pairs }) => {
  const refusing = agents.filter((one) => unknownAt(pairs, one).length > 0)
  if (refusing.length === 0) return undefined
  const refused = refusing.flatMap((one) => unknownAt(pairs, one))
  const peers = listSome([...new Set(refused.map(({ pair }) => pair.peer))], 5)
  const [what, its] = isOne(refusing)
    ? [`the server file of ${namesOf(refusing)} is stale`, 'deliver its server file']
    : [`the server files of ${namesOf(refusing)} are stale`, 'deliver their server files']
  const other =
    isOne(refusing) && refusing.every((one) => knowsNone(one, pairs)) ? ", or another agent's" : ''
  const leads = refusing.filter(({ lead }) => refused.some(({ pair }) => pair === lead))
  return {
    sentence: `${what}${other}: the right credentials of ${peers} are refused; ${its} (\`a2a-totp mesh apply\`)`,
    explains: refused.length + leads.length,
  }
}

const stillLetIn: Rule = ({ agents, pairs }) => {
  const open = pairs.filter(({ removed }) => removed.some(({ admitted }) => admitted === true))
  if (open.length === 0) return undefined
  const at = agents.filter(({ agent }) => open.some(({ pair }) => pair.agent === agent))
  const who = listSome([...new Set(open.map(({ pair }) => pair.peer))], 5)
  return {
    sentence: `removed ${open.length === 1 ? 'peer' : 'peers'} still let in: ${who} at ${namesOf(at)}; deliver the server file of ${namesOf(at)} (\`a2a-totp mesh apply\`)`,
    explains: 1 + open.length,
  }
}

/** Credentials that have ended, at an agent that does not know it. */
const lateToEnd: Rule = ({ agents, pairs }) => {
  const open = pairs.filter(({ pair, shown }) => pair.standing.kind === 'ended' && shown.admitted === true)
  if (open.length === 0) return undefined
  const at = agents.filter(({ agent }) => open.some(({ pair }) => pair.agent === agent))
  const who = listSome([...new Set(open.map(({ pair }) => pair.peer))], 5)
  return {
    sentence:
      `expired, and still let in: ${who} at ${namesOf(at)}; deliver the server file of ${namesOf(at)} ` +
      '(`a2a-totp mesh apply`), and look at the clock there',
    explains: open.length,
  }
}

/** What stores have, and the file does not allow. */
const undeclared: Rule = ({ pairs }) => {
  const open = pairs.filter(
    ({ pair, shown }) =>
      (pair.edge === undefined || pair.over) &&
      pair.standing.kind === 'live' &&
      shown.admitted === true &&
      shown.crossed !== true,
  )
  if (open.length === 0) return undefined
  const who = listSome(
    open.map(({ pair }) => `${pair.peer} at ${pair.agent.name}`),
    5,
  )
  return {
    sentence: `let in, and not declared in the mesh file: ${who}; run \`a2a-totp mesh apply --prune\`, or declare it`,
    explains: open.length,
  }
}

const unapplied: Rule = ({ pairs }) => {
  const missing = pairs.filter(
    ({ pair, shown }) => pair.edge && pair.standing.kind === 'absent' && shown.status === 'fail',
  )
  if (missing.length === 0) return undefined
  const who = listSome(
    missing.map(({ pair }) => `${pair.peer} at ${pair.agent.name}`),
    5,
  )
  return {
    sentence: `the stores do not have what the mesh file declares: ${who}; run \`a2a-totp mesh apply\``,
    explains: missing.length,
  }
}

/** What the probe of one agent says. */
const ofAgents: Rule = ({ agents, pairs }) => {
  const failing = agents.filter(({ report }) => report?.ok === false && report.diagnosis !== undefined)
  const [first] = failing
  if (!first) return undefined
  const same = failing.filter(({ report }) => report?.explain === first.report?.explain)
  const failed = pairsAt(pairs, same).filter(({ shown }) => shown.status === 'fail' && !shown.unknown)
  return {
    sentence: `${namesOf(same)}: ${first.report?.diagnosis ?? ''}`,
    explains: same.length + failed.length,
  }
}

/** In the order in which they win where they explain as much. */
const rules: readonly Rule[] = [
  silent,
  twins,
  unguarded,
  shared,
  crossed,
  stale,
  stillLetIn,
  lateToEnd,
  undeclared,
  unapplied,
  ofAgents,
]
