import type { MeshReport } from '../prove/mesh-report.js'
import { kindOf, kinds } from '../report/kinds.js'
import { gridOf } from '../report/matrix.js'

/** One run, without its results. */
export type Run = Pick<
  MeshReport,
  | 'startedAt'
  | 'durationMs'
  | 'ok'
  | 'reachable'
  | 'narrowed'
  | 'summary'
  | 'diagnosis'
  | 'requests'
  | 'guessesSpent'
> & {
  readonly agents: number
  /** Declared ones. */
  readonly edges: number
  /** Edges that failed, and agents that did. */
  readonly failing: number
}

export function runOf(report: MeshReport): Run {
  const { startedAt, durationMs, ok, reachable, narrowed, summary, diagnosis, requests, guessesSpent } =
    report
  const failed = report.matrix.filter(({ status }) => status === 'fail').length
  return {
    ...{ startedAt, durationMs, ok, reachable, narrowed, summary, requests, guessesSpent },
    ...(diagnosis === undefined ? {} : { diagnosis }),
    agents: report.agents.length,
    edges: report.matrix.filter(({ declared }) => declared).length,
    failing: failed + report.agents.filter((agent) => !agent.ok).length,
  }
}

/** What is not as it was in the run before. */
export interface Turn {
  /** Null for an agent. */
  readonly peer: string | null
  readonly agent: string
  /** In words; null for what is new, or gone. */
  readonly was: string | null
  readonly now: string | null
  readonly turned: 'worse' | 'better' | 'otherwise'
}

interface State {
  readonly peer: string | null
  readonly agent: string
  readonly words: string
  readonly fails: boolean
  /** Not shown, and no failure: it says nothing, nor does that it was shown before. */
  readonly silent: boolean
  readonly declared: boolean
}

/** What changed from one run to the next, the worse first: agents and edges that turned, new ones, and those that are gone. */
export function turnsBetween(before: MeshReport, now: MeshReport): Turn[] {
  const [was, is] = [statesOf(before), statesOf(now)]
  const turns: Turn[] = []
  for (const [key, state] of is) {
    const old = was.get(key)
    if (old === undefined) {
      if (state.declared || state.fails) turns.push(turn(state, null, state))
    } else if (old.words !== state.words && !old.silent && !state.silent) turns.push(turn(state, old, state))
  }
  // What a narrowed run leaves out is not gone.
  if (now.narrowed.length > 0) return worseFirst(turns)
  const gone = [...was].filter(([key, { declared }]) => declared && !is.has(key))
  return worseFirst([...turns, ...gone.map(([, state]) => turn(state, state, null))])
}

const worseFirst = (turns: readonly Turn[]): Turn[] =>
  (['worse', 'better', 'otherwise'] as const).flatMap((kind) => turns.filter(({ turned }) => turned === kind))

function turn({ peer, agent }: State, was: State | null, now: State | null): Turn {
  const [before, after] = [was?.fails ?? false, now?.fails ?? false]
  const turned = before === after ? 'otherwise' : after ? 'worse' : 'better'
  return { peer, agent, was: was?.words ?? null, now: now?.words ?? null, turned }
}

function statesOf(report: MeshReport): Map<string, State> {
  const agents = report.agents.map(({ agent, ok, reachable, report: probed }): [string, State] => {
    const words = ok ? 'passed' : reachable ? 'failed' : 'did not answer'
    const silent = probed === null && ok
    return [agent, { peer: null, agent, words, fails: !ok, silent, declared: true }]
  })
  const edges = gridOf(report).rows.flatMap(({ peer, cells }) =>
    cells.flatMap((edge): [string, State][] => {
      if (edge === undefined) return []
      const { agent, status, declared } = edge
      const kind = kindOf(edge)
      const fails = status === 'fail'
      const silent = kind === 'unknown' && !fails
      return [[`${peer} ${agent}`, { peer, agent, words: kinds[kind].words, fails, silent, declared }]]
    }),
  )
  return new Map([...agents, ...edges])
}
