import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layOutColumns } from '../../src/mesh/show/columns-layout.js'
import { layOutGrid } from '../../src/mesh/show/grid-layout.js'
import { viewMesh, type MeshView, type StoreReading } from '../../src/mesh/show/index.js'
import { layOut } from '../../src/mesh/show/layout.js'
import { crossingsOf, orderColumns } from '../../src/mesh/show/order.js'
import type { Box, Label, Picture } from '../../src/mesh/show/picture.js'
import { renderSvg } from '../../src/mesh/show/svg.js'
import { anyMeshDocument, fullMesh, meshOf } from '../support/mesh-arbitraries.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

interface Area {
  readonly what: string
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const areaOf = ({ text, x, y, width, height, anchor, turned }: Label): Area => {
  const start = anchor === 'start' ? 0 : anchor === 'end' ? -width : -width / 2
  const [above, below] = [height * 0.8, height * 0.2]
  return turned
    ? { what: text, left: x - above, right: x + below, top: y - width - start, bottom: y - start }
    : { what: text, left: x + start, right: x + start + width, top: y - above, bottom: y + below }
}

const areaOfBox = ({ name, x, y, width, height }: Box): Area => ({
  ...{ what: name, left: x, top: y },
  ...{ right: x + width, bottom: y + height },
})

const overlapping = (areas: readonly Area[]): string[] =>
  areas.flatMap((one, index) =>
    areas
      .slice(index + 1)
      .filter(
        (other) =>
          one.left < other.right &&
          other.left < one.right &&
          one.top < other.bottom &&
          other.top < one.bottom,
      )
      .map((other) => `${one.what} / ${other.what}`),
  )

const outside = ({ width, height }: Picture, areas: readonly Area[]): string[] =>
  areas
    .filter(({ left, top, right, bottom }) => left < 0 || top < 0 || right > width || bottom > height)
    .map(({ what }) => what)

const strangers: StoreReading = { state: 'read', roster: rosterOf([peerOf('mallory'), peerOf('eve')]) }

/** A view whose first agent has a store with peers that the file does not name. */
function viewOf(document: object): MeshView {
  const mesh = meshOf(document)
  const [first] = mesh.agents.keys()
  return viewMesh(mesh, new Map(first === undefined ? [] : [[first, strangers]]), lookAt)
}

const layouts = { columns: layOutColumns, grid: layOutGrid }

describe.each(Object.entries(layouts))('a picture in %s', (_, layOutAs) => {
  const check = (document: object): void => {
    const view = viewOf(document)
    const picture = layOutAs(view)
    const labels = picture.labels.map(areaOf)
    const boxes = picture.boxes.map(areaOfBox)
    expect(overlapping(labels)).toEqual([])
    expect(overlapping(boxes)).toEqual([])
    const points = picture.lines.map(({ peer, agent, from, to }) => ({
      ...{ what: `${peer} ${agent}`, left: Math.min(from[0], to[0]), right: Math.max(from[0], to[0]) },
      ...{ top: Math.min(from[1], to[1]) - 5, bottom: Math.max(from[1], to[1]) + 5 },
    }))
    expect(outside(picture, [...labels, ...boxes, ...points])).toEqual([])
    const drawn = picture.lines.map(({ peer, agent }) => `${peer} -> ${agent}`).sort()
    const there = [...view.edges, ...view.undeclared].map(({ peer, agent }) => `${peer} -> ${agent}`).sort()
    expect(drawn).toEqual(there)
    // Two lines between the same columns, or in one cell, would be one for the eye if they had an end in common.
    const ends = picture.lines.flatMap(({ from, to }) => [from.join(), to.join()])
    expect(new Set(ends).size).toBe(ends.length)
  }

  it('draws every edge once, inside its frame, and no name over another', () => {
    fc.assert(fc.property(anyMeshDocument(), check), { numRuns: 150 })
  })

  it.each([
    [1, 1, 1],
    [3, 3, 2],
    [40, 40, 4],
    [20, 20, 20],
    [1, 40, 1],
    [40, 1, 40],
  ])('does so for %i agents and %i peers that call %i of them', (agents, peers, calls) => {
    check(fullMesh(agents, peers, calls))
  })
})

describe('the picture of a mesh', () => {
  it('keeps the text of a box inside of it, and lines at its sides', () => {
    fc.assert(
      fc.property(anyMeshDocument(), (document) => {
        const { boxes, lines, labels } = layOutColumns(viewOf(document))
        for (const { kind, name: text, x, y, width, height } of boxes) {
          const own = labels.find(
            (label) =>
              label.style === 'name' &&
              label.text === text &&
              label.y > y &&
              label.y < y + height &&
              label.x > x,
          )
          expect(own?.x).toBeGreaterThan(x)
          expect((own?.x ?? 0) + (own?.width ?? 0)).toBeLessThan(x + width)
          for (const line of lines.filter((one) => one[kind] === text)) {
            const [endX, endY] = kind === 'peer' ? line.from : line.to
            expect(endX).toBe(kind === 'peer' ? x + width : x)
            expect(endY > y && endY < y + height).toBe(true)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  it('is a grid where lines would be too many to follow, and columns elsewhere', () => {
    expect(layOut(viewOf(fullMesh(20, 20, 20))).rules.length).toBeGreaterThan(0)
    expect(layOut(viewOf(fullMesh(40, 40, 4))).rules).toEqual([])
    expect(layOut(viewOf(fullMesh(1, 40, 1))).rules).toEqual([])
  })

  it('is the same bytes for the same file', () => {
    fc.assert(
      fc.property(anyMeshDocument(), (document) => {
        expect(renderSvg(viewOf(document))).toBe(renderSvg(viewOf(document)))
      }),
      { numRuns: 30 },
    )
  })
})

describe('the order of the columns', () => {
  const anyLinks = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
    .chain(([left, right]) =>
      fc.record({
        left: fc.constant(left),
        right: fc.constant(right),
        links: fc.array(fc.record({ from: fc.nat({ max: left - 1 }), to: fc.nat({ max: right - 1 }) }), {
          maxLength: 30,
        }),
      }),
    )

  it('has each node once, and never more crossings than the order of the file', () => {
    fc.assert(
      fc.property(anyLinks, ({ left, right, links }) => {
        const range = (length: number): number[] => Array.from({ length }, (_, index) => index)
        const order = orderColumns(left, right, links)
        expect([...order.left].sort((one, other) => one - other)).toEqual(range(left))
        expect([...order.right].sort((one, other) => one - other)).toEqual(range(right))
        expect(crossingsOf(order, links)).toBeLessThanOrEqual(
          crossingsOf({ left: range(left), right: range(right) }, links),
        )
      }),
    )
  })

  it('counts a crossing for each pair of lines whose ends are in opposite orders', () => {
    fc.assert(
      fc.property(anyLinks, ({ left, right, links }) => {
        const order = orderColumns(left, right, links)
        const at = (column: readonly number[], node: number): number => column.indexOf(node)
        let pairs = 0
        for (const [index, one] of links.entries())
          for (const other of links.slice(index + 1))
            if (
              (at(order.left, one.from) - at(order.left, other.from)) *
                (at(order.right, one.to) - at(order.right, other.to)) <
              0
            )
              pairs++
        expect(crossingsOf(order, links)).toBe(pairs)
      }),
    )
  })

  it('untangles what can be drawn without a crossing', () => {
    const links = [
      { from: 0, to: 2 },
      { from: 1, to: 1 },
      { from: 2, to: 0 },
    ]
    expect(crossingsOf(orderColumns(3, 3, links), links)).toBe(0)
  })
})
