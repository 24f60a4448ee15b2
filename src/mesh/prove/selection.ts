import { TOTPError } from '../../core/errors.js'
import { didYouMean } from '../../core/nearest.js'
import type { Mesh } from '../file/mesh.js'

/** Which part of a mesh is proved. */
export interface Part {
  /** Whether an agent is proved with all that may and may not call it. */
  hasAgent(agent: string): boolean
  /** Whether this edge is proved. */
  hasEdge(peer: string, agent: string): boolean
}

const whole: Part = { hasAgent: () => true, hasEdge: () => true }

/**
 * Reads what narrows a run: `AGENT` for one with all its edges, `PEER:AGENT` for one edge.
 *
 * @throws {TOTPError} `ERR_USAGE` for an agent that the file does not have, and for a pair that is no edge
 */
export function partOf(mesh: Mesh, only: readonly string[]): Part {
  if (only.length === 0) return whole
  const agents = new Set<string>()
  const edges = new Set<string>()
  const known = new Set(mesh.edges.map(({ peer, agent }) => `${peer}:${agent}`))
  for (const text of only) {
    const [set, words, what] = text.includes(':')
      ? ([edges, [...known], 'edge'] as const)
      : ([agents, [...mesh.agents.keys()], 'agent'] as const)
    if (!words.includes(text)) {
      const question = didYouMean([text], words)
      throw new TOTPError(
        'ERR_USAGE',
        `--only names an ${what} that the mesh file does not have${question === undefined ? '' : ` (${question})`}; ` +
          'expected AGENT, or PEER:AGENT',
      )
    }
    set.add(text)
  }
  return {
    hasAgent: (agent) => agents.has(agent),
    hasEdge: (peer, agent) => agents.has(agent) || edges.has(`${peer}:${agent}`),
  }
}
