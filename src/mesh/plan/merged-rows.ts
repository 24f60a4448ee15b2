import { jsonText, listSome } from '../../core/text.js'
import type { MeshChange } from './plan.js'

/** So many rows that differ by their peers alone are read one by one; more of them are one line. */
const few = 3

/**
 * Makes rows that a person reads: many changes of one agent that differ by their peers alone become one row with all of the
 * peers, and the rows of a client file become one with its agents. The order is that of the first of each.
 *
 * @param standingOf what else rows have to share, such as what became of them
 * @returns rows whose names are lists, for a text and nothing else
 */
export function mergeRows<Row extends MeshChange>(
  rows: readonly Row[],
  standingOf: (row: Row) => string = () => '',
): Row[] {
  const groups = new Map<string, Group<Row>>()
  for (const row of rows) {
    const key = jsonText([keyOf(row), standingOf(row)])
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups.values()].flatMap((group) => merged(group))
}

type Group<Row> = [Row, ...Row[]]

const isClientFile = ({ action, peer }: MeshChange): boolean => action === 'deliver' && peer !== undefined

function keyOf(row: MeshChange): unknown {
  const { agent, peer, action, field, from, to, needs, canary } = row
  if (isClientFile(row)) return [action, peer, needs]
  return [action, agent, peer === undefined, field, from, to, needs, canary]
}

function merged<Row extends MeshChange>(group: Group<Row>): readonly Row[] {
  const [first] = group
  if (isClientFile(first)) return [{ ...first, agent: listSome(group.map(({ agent }) => agent)) }]
  return group.length > few ? [{ ...first, peer: group.map(({ peer = '' }) => peer).join(', ') }] : group
}
