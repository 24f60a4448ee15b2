import type { ProbeOptions } from '../../probe/index.js'
import type { Pair, Usable } from './pairs.js'

type Other = NonNullable<ProbeOptions['otherPeer']>

/** An edge whose code is tried with the token of another one. */
export interface OtherEdge {
  readonly peer: string
  readonly agent: string
  /** Without its token, which no other agent may see. */
  readonly code: Other
}

/**
 * The edge whose code must not open this one: that of the same peer at another agent, else that of another peer at this
 * agent, else any. Its codes are as long, since others would be refused for their form alone. Trying them spends nothing of
 * its own budget: they arrive beside the token of this edge.
 *
 * @returns undefined if there is none
 */
export function otherEdgeOf(pair: Usable, pairs: readonly Pair[]): OtherEdge | undefined {
  const { digits, seed } = pair.standing.credentials
  const others = pairs.flatMap((other) => {
    const { peer, agent, standing } = other
    if (other === pair || standing.kind !== 'live') return []
    const { credentials } = standing
    if (credentials.digits !== digits || credentials.seed.base32 === seed.base32) return []
    return [{ peer, agent: agent.name, code: codeOf(other) }]
  })
  return (
    others.find(({ peer }) => peer === pair.peer) ??
    others.find(({ agent }) => agent === pair.agent.name) ??
    others[0]
  )
}

/** Another peer of the same agent, with its token, which that agent knows: it asks for the task of the first. */
export function companionOf(pair: Usable, pairs: readonly Pair[]): Other | undefined {
  for (const other of pairs) {
    if (other === pair || other.agent !== pair.agent || other.edge === undefined || other.over) continue
    if (other.standing.kind !== 'live') continue
    const { token, signed } = other.standing.credentials
    return { ...codeOf(other), token, ...(signed && { signed }) }
  }
  return undefined
}

function codeOf({ standing }: Pair): Other {
  if (standing.kind !== 'live') throw new TypeError('an edge without credentials has no codes')
  const { algorithm, digits, period, seed } = standing.credentials
  return { algorithm, digits, period, seed }
}
