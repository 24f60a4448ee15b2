import { layOutColumns } from './columns-layout.js'
import { layOutGrid } from './grid-layout.js'
import type { Picture } from './picture.js'
import { peersIn } from './table.js'
import type { MeshView } from './view.js'

/** With more lines than this to a name, no eye follows one of them. */
const mostLines = 3

/** Where everything is in the picture of a mesh: two columns with lines between them, or a grid where there are many. */
export function layOut(view: MeshView): Picture {
  const names = peersIn(view).length + view.agents.length
  const lines = view.edges.length + view.undeclared.length
  return lines > mostLines * names ? layOutGrid(view) : layOutColumns(view)
}
