import type { Roster } from '../../core/roster.js'
import type { ProbeCredentials, ProbeReport } from '../../probe/index.js'
import { isUsable, pairsOf, type Pair, type Usable } from './pairs.js'
import type { ProveOptions } from './prove-options.js'
import { partOf } from './selection.js'
import { ofRefused, unshown, type PairShown } from './shown.js'

/** Credentials of one edge that are sent to the agent of a pair that is not declared. */
export interface Crossing {
  /** Where they are sent. */
  readonly at: Pair
  /** Whose they are. */
  readonly of: Usable
  readonly credentials: ProbeCredentials
}

/** What each agent learns by `cross`, in words, before anything is sent: `billing: the token of bob at search`. */
export function crossingsIn(options: Pick<ProveOptions, 'mesh' | 'rosters' | 'only' | 'now'>): string[] {
  const { mesh, rosters, only = [], now } = options
  const crossings = crossingsOf(options, pairsOf(mesh, rosters, partOf(mesh, only), now()))
  return [...mesh.agents.keys()].flatMap((agent) => {
    const learned = crossings.filter(({ at }) => at.agent.name === agent)
    const names = learned.map(({ of }) => `${of.peer} at ${of.agent.name}`)
    return names.length === 0 ? [] : [`${agent}: token and code of ${names.join(', ')}`]
  })
}

/** For each pair that is not declared, the credentials that its peer has at other agents. */
export function crossingsOf(
  { rosters }: Pick<ProveOptions, 'rosters'>,
  pairs: readonly Pair[],
): readonly Crossing[] {
  return pairs
    .filter(({ edge }) => edge === undefined)
    .flatMap((at) => {
      const roster = rosters.get(at.agent.name)
      if (!roster) return []
      return pairs.filter(isUsable).flatMap((of) => {
        if (of.peer !== at.peer || of.agent === at.agent) return []
        return [{ at, of, credentials: asFor(roster, of.standing.credentials) }]
      })
    })
}

/** Credentials as this agent would read them, if it knew them. */
function asFor({ agent, profile, signed = 'off' }: Roster, credentials: ProbeCredentials): ProbeCredentials {
  const { header, window } = profile
  return { ...credentials, header, window, agent, signedByAgent: signed }
}

/** Adds what came of a crossing to what is known of its pair. */
export function refusedCrossing(one: PairShown, of: Usable, report: ProbeReport | undefined): PairShown {
  const whose = `its credentials at ${of.agent.name}`
  const words = { refused: `refused with ${whose}`, letIn: `let in with ${whose}`, live: false }
  const seen = report ? ofRefused(report, words) : unshown(`not reached before the deadline: ${whose}`)
  const { shown } = one
  const isWorse = seen.admitted === true || (shown.admitted !== true && shown.status !== 'fail')
  return {
    ...one,
    shown: {
      ...shown,
      ...(isWorse && {
        admitted: seen.admitted ?? shown.admitted,
        status: seen.status,
        detail: shown.crossings === undefined ? seen.detail : `${shown.detail}; ${seen.detail}`,
      }),
      checks: [...shown.checks, ...seen.checks],
      crossings: (shown.crossings ?? 0) + 1,
      ...(seen.admitted === true && { crossed: true }),
    },
  }
}
