import type { EdgeState } from './edge-view.js'
import type { LineKind } from './words.js'

// A picture as numbers, before it is SVG: what tests measure.

/** A text, and the room that it takes at most. In pixels, from the top left corner. */
export interface Label {
  readonly text: string
  readonly x: number
  /** Of its base line. */
  readonly y: number
  readonly width: number
  readonly height: number
  readonly anchor: 'start' | 'middle' | 'end'
  readonly style: 'title' | 'name' | 'small' | 'mono'
  /** Set for a name that is both a peer and an agent, where no box says so. */
  readonly isBoth?: boolean
  /** Set for a text that reads from the bottom to the top; `width` is then its length. */
  readonly turned?: true
}

/** A peer or an agent. */
export interface Box {
  readonly kind: 'peer' | 'agent'
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Set where the name is in the other column too. */
  readonly isBoth: boolean
  /** For who points at it: all that is said of it. */
  readonly about: string
}

/** One edge. `undeclared`: a store has it, and the file does not. */
export interface Line {
  readonly peer: string
  readonly agent: string
  readonly kind: LineKind
  readonly state: EdgeState | 'undeclared'
  /** Where it leaves the peer, and where it reaches the agent. */
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
  /** Which of a few colours it has, so that the eye can follow it. */
  readonly colour: number
  readonly about: string
}

/** An example of a line with what it means. */
export interface LegendEntry {
  readonly kind: LineKind
  readonly state: EdgeState | 'undeclared'
  /** Of the example's left end. */
  readonly x: number
  readonly y: number
}

/** A thin straight line behind everything. */
export interface Rule {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

export interface Picture {
  readonly width: number
  readonly height: number
  readonly title: string
  readonly description: string
  readonly boxes: readonly Box[]
  readonly lines: readonly Line[]
  /** Of a grid. */
  readonly rules: readonly Rule[]
  readonly legend: readonly LegendEntry[]
  readonly labels: readonly Label[]
}

/** The number of colours that lines take turns in. */
export const colours = 6

const fonts = {
  title: { size: 16, each: 0.62 },
  name: { size: 14, each: 0.62 },
  small: { size: 12, each: 0.58 },
  mono: { size: 12, each: 0.62 },
} as const

/** The size of a font in pixels. */
export const sizeOf = (style: Label['style']): number => fonts[style].size

/** The room that a text takes: as wide as a wide font draws it. Names and URLs are ASCII; of the rest, each may be square. */
export function widthOf(text: string, style: Label['style']): number {
  const { size, each } = fonts[style]
  const wide = Array.from(text).filter((character) => character > '~').length
  return Math.ceil((text.length - wide) * size * each + wide * size)
}

/** A label at a place. */
export function labelAt(
  text: string,
  [x, y]: readonly [number, number],
  style: Label['style'],
  anchor: Label['anchor'] = 'start',
): Label {
  return { text, x, y, width: widthOf(text, style), height: sizeOf(style) * 1.25, anchor, style }
}

/** A text of at most a number of characters, with `…` where something is left out. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
