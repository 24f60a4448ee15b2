import type { Line } from './picture.js'
import type { MeshView } from './view.js'
import { codesText, lineKindOf, policyText, remarkOn } from './words.js'

/** An edge without its place. */
export type DrawnEdge = Pick<Line, 'peer' | 'agent' | 'kind' | 'state' | 'about'>

/** Every edge of the file, and every one that only a store has. */
export function edgesToDraw({ edges, undeclared }: MeshView): DrawnEdge[] {
  return [
    ...edges.map((edge): DrawnEdge => {
      const { peer, agent, state } = edge
      const said = [policyText(edge), codesText(edge), remarkOn(edge)].filter((part) => part !== '')
      return { peer, agent, kind: lineKindOf(edge), state, about: [`${peer} → ${agent}`, ...said].join(', ') }
    }),
    ...undeclared.map(({ peer, agent }): DrawnEdge => ({
      ...{ peer, agent, kind: 'unsaid', state: 'undeclared' },
      about: `${peer} → ${agent}, not in the file`,
    })),
  ]
}
