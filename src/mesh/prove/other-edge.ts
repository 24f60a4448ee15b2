import type { ProbeOptions } from '../../probe/index.js'
import type { Pair, Usable } from './pairs.js'

type Other = NonNullable<ProbeOptions['otherPeer']>

/** An edge whose code is tried with the token of another one. */
export interface OtherEdge {
  readonly peer: string
  readonly agent: string
  /** Without its token, which no other agent may see; a companion has it. */
  readonly code: Other
}

/**
 * The edge whose code must not open this one: that of the same peer at another agent, else that of another peer at this
 * agent, else any. Codes that are as long come first, since others may be refused for their form alone. Trying them spends
 * nothing of its own budget: they arrive beside the token of this edge.
 *
 * @param pairs those of the whole mesh, whatever part of it is proved
 * @returns undefined if there is none
 */
export function otherEdgeOf(pair: Usable, pairs: readonly Pair[]): OtherEdge | undefined {
  const others = othersThan(pair, pairs)
  const alike = others.filter(({ code }) => code.digits === pair.standing.credentials.digits)
  return [alike, others]
    .flatMap((some) => [
      some.find(({ peer }) => peer === pair.peer),
      some.find(({ agent }) => agent === pair.agent.name),
      some[0],
    ])
    .find((other) => other !== undefined)
}

/**
 * The same for a full probe, whose agent has to refuse the codes of each other edge: that of another peer there comes first,
 * whatever its length, since the agent knows its seed.
 */
export function neighbourOf(pair: Usable, pairs: readonly Pair[]): OtherEdge | undefined {
  const there = pairs.filter(({ agent }) => agent.name === pair.agent.name)
  return otherEdgeOf(pair, there) ?? otherEdgeOf(pair, pairs)
}

function othersThan(pair: Usable, pairs: readonly Pair[]): OtherEdge[] {
  const { seed } = pair.standing.credentials
  return pairs.flatMap((other) => {
    const { peer, agent, standing } = other
    if (standing.kind !== 'live' || standing.credentials.seed.base32 === seed.base32) return []
    return [{ peer, agent: agent.name, code: codeOf(other) }]
  })
}

/** Another peer of the same agent, with its token, which that agent knows: it asks for the task of the first. */
export function companionOf(pair: Usable, pairs: readonly Pair[]): OtherEdge | undefined {
  for (const other of pairs) {
    if (other.peer === pair.peer || other.agent !== pair.agent) continue
    if (other.edge === undefined || other.over) continue
    if (other.standing.kind !== 'live') continue
    const { token, signed } = other.standing.credentials
    const code = { ...codeOf(other), token, ...(signed && { signed }) }
    return { peer: other.peer, agent: other.agent.name, code }
  }
  return undefined
}

function codeOf({ standing }: Pair): Other {
  if (standing.kind !== 'live') throw new TypeError('an edge without credentials has no codes')
  const { algorithm, digits, period, seed } = standing.credentials
  return { algorithm, digits, period, seed }
}
