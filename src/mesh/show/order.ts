// The order of two columns of nodes in which lines between them cross little.

/** A line between the columns, by the indexes of its ends. */
export interface Link {
  readonly from: number
  readonly to: number
}

/** Two columns, as the indexes of their nodes from top to bottom. */
export interface Order {
  readonly left: readonly number[]
  readonly right: readonly number[]
}

const sweeps = 12

/**
 * Orders both columns by barycentres: each node goes to where the nodes are, on average, that it has lines to, one column
 * after the other. Of all orders on the way, the first with the fewest crossings is kept, so that nothing gets worse
 * than the order that was given.
 */
export function orderColumns(left: number, right: number, links: readonly Link[]): Order {
  let current: Order = { left: rangeOf(left), right: rangeOf(right) }
  let best = current
  let fewest = crossingsOf(current, links)
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const isRight = sweep % 2 === 0
    current = isRight
      ? { ...current, right: byBarycentre(current.right, current.left, links, 'to', 'from') }
      : { ...current, left: byBarycentre(current.left, current.right, links, 'from', 'to') }
    const crossings = crossingsOf(current, links)
    if (crossings < fewest) [best, fewest] = [current, crossings]
  }
  return best
}

const rangeOf = (length: number): number[] => Array.from({ length }, (_, index) => index)

function byBarycentre(
  column: readonly number[],
  fixed: readonly number[],
  links: readonly Link[],
  own: keyof Link,
  other: keyof Link,
): number[] {
  const place = placesOf(fixed)
  const sums = new Map<number, { sum: number; count: number }>()
  for (const link of links) {
    const entry = sums.get(link[own]) ?? { sum: 0, count: 0 }
    entry.sum += place[link[other]] ?? 0
    entry.count++
    sums.set(link[own], entry)
  }
  // A node without lines stays, as far as its place in the other column can be said.
  const wish = (node: number, index: number): number => {
    const entry = sums.get(node)
    return entry ? entry.sum / entry.count : (index * fixed.length) / Math.max(1, column.length)
  }
  return column
    .map((node, index) => ({ node, index, wish: wish(node, index) }))
    .sort((one, other) => one.wish - other.wish || one.index - other.index)
    .map(({ node }) => node)
}

/** The place of each node in a column. */
export function placesOf(column: readonly number[]): number[] {
  const places: number[] = []
  for (const [place, node] of column.entries()) places[node] = place
  return places
}

/** Returns how many pairs of lines cross: those whose ends are in opposite orders. */
export function crossingsOf({ left, right }: Order, links: readonly Link[]): number {
  const [from, to] = [placesOf(left), placesOf(right)]
  const ends = links
    .map((link) => ({ from: from[link.from] ?? 0, to: to[link.to] ?? 0 }))
    .sort((one, other) => one.from - other.from || one.to - other.to)
  // A Fenwick tree over the right column counts the lines above that end further down.
  const tree = new Array<number>(right.length + 1).fill(0)
  let crossings = 0
  for (const [before, end] of ends.entries()) {
    let notBelow = 0
    for (let index = end.to + 1; index > 0; index -= index & -index) notBelow += tree[index] ?? 0
    crossings += before - notBelow
    for (let index = end.to + 1; index <= right.length; index += index & -index)
      tree[index] = (tree[index] ?? 0) + 1
  }
  return crossings
}
