import { Markup } from '../../html/markup.js'
import { layOut } from './layout.js'
import { exampleLength } from './legend-layout.js'
import type { Box, Label, LegendEntry, Line, Rule } from './picture.js'
import { element, onLines } from './svg-element.js'
import { pictureStyle } from './svg-style.js'
import type { MeshView } from './view.js'

/** The mesh as an SVG file: it loads nothing and runs no script. */
export function renderSvg(view: MeshView): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${drawSvg(view).text}\n`
}

/** The same as a part of a page. */
export function drawSvg(view: MeshView): Markup {
  const picture = layOut(view)
  const { width, height, title, description } = picture
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'mesh',
      viewBox: `0 0 ${width} ${height}`,
      ...{ width, height, role: 'img', 'aria-labelledby': 'mesh-title mesh-description' },
    },
    onLines([
      element('title', { id: 'mesh-title' }, title),
      element('desc', { id: 'mesh-description' }, description),
      element('style', {}, new Markup(pictureStyle)),
      element('rect', { class: 'page', width, height, rx: 12 }),
      ...picture.rules.map(drawRule),
      ...picture.lines.map(drawLine),
      ...picture.boxes.map(drawBox),
      ...picture.legend.map(drawExample),
      ...picture.labels.map(drawLabel),
    ]),
  )
}

function drawBox({ kind, x, y, width, height, isBoth, about }: Box): Markup {
  const name = ['box', kind, ...(isBoth ? ['both'] : [])].join(' ')
  const rx = kind === 'peer' ? Math.min(height, 44) / 2 : 6
  return element('rect', { class: name, x, y, width, height, rx }, element('title', {}, about))
}

const drawRule = ({ from: [x1, y1], to: [x2, y2] }: Rule): Markup =>
  element('line', { class: 'rule', x1, y1, x2, y2 })

function drawLabel({ text, x, y, style, anchor, turned, isBoth }: Label): Markup {
  return element(
    'text',
    {
      ...{ class: isBoth ? `${style} both` : style, x, y },
      ...(anchor !== 'start' && { 'text-anchor': anchor }),
      ...(turned && { transform: `rotate(-90 ${x} ${y})` }),
    },
    text,
  )
}

/** A curve that leaves and arrives level, and a head. */
function drawLine({ from, to, kind, state, colour, about }: Line): Markup {
  const end = to[0] - headLength
  const middle = Math.round((from[0] + end) / 2)
  const d = `M${from[0]} ${from[1]} C${middle} ${from[1]} ${middle} ${to[1]} ${end} ${to[1]}`
  const paint = paintOf(state, colour)
  return element(
    'g',
    { class: `edge ${classOf(kind, state)}` },
    element('title', {}, about),
    element('path', { class: paint, d }),
    headAt(to, state, paint),
  )
}

function drawExample({ kind, state, x, y }: LegendEntry): Markup {
  const paint = paintOf(state, 'plain')
  const d = `M${x} ${y} H${x + exampleLength - headLength}`
  const head = headAt([x + exampleLength, y], state, paint)
  return element('g', { class: `edge ${classOf(kind, state)}` }, element('path', { class: paint, d }), head)
}

const headLength = 9

const classOf = (kind: Line['kind'], state: Line['state']): string =>
  state === 'undeclared' ? 'stranger' : kind

/** What deserves attention has a colour of its own; the others keep the one by which they are followed. */
function paintOf(state: Line['state'], colour: number | 'plain'): string {
  if (!['live', 'unknown', 'missing'].includes(state)) return state
  return colour === 'plain' ? 'plain' : `c${colour}`
}

/** The state by its form, since not everybody sees the colour. */
function headAt([x, y]: readonly [number, number], state: Line['state'], paint: string): Markup {
  const [left, middle, above, below] = [x - headLength, x - headLength / 2, y - 4, y + 4]
  const polygon = (look: string, points: readonly (readonly [number, number])[]): Markup =>
    element('polygon', {
      class: `head ${look} ${paint}`,
      points: points.map((point) => point.join(',')).join(' '),
    })
  const triangle = [
    [x, y],
    [left, above],
    [left, below],
  ] as const
  switch (state) {
    case 'live':
    case 'unknown':
    case 'undeclared':
      return polygon('filled', triangle)
    case 'missing':
      return polygon('hollow', triangle)
    case 'pending':
      return polygon('hollow', [
        [x, y],
        [middle, above],
        [left, y],
        [middle, below],
      ])
    case 'due':
      return element('circle', { class: `head hollow ${paint}`, cx: middle, cy: y, r: 4 })
    case 'expired':
      return element('path', {
        class: `head ${paint}`,
        d: `M${left} ${above} L${x} ${below} M${left} ${below} L${x} ${above}`,
      })
  }
}
