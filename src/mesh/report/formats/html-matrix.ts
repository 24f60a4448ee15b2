import { html, type Markup } from '../../../html/markup.js'
import type { EdgeResult, MeshReport } from '../../prove/mesh-report.js'
import { countKinds, kindOf, kinds, kindsIn } from '../kinds.js'
import { gridOf } from '../matrix.js'
import { edgeName } from '../results.js'
import { shortened } from '../words.js'
import { iconOf, icons } from './html-icons.js'

/** Of a cell, in the units of the picture: as many pixels where there is room. */
const cell = 24

/** What a letter of a name takes, at most, in the font of the picture. */
const letter = 7.4

/** Longer names lose their middle in the picture; each cell still says all of them. */
const longest = 26

/**
 * The matrix as a picture: a row for each peer, a column for each agent. It has the roles of a table, and each cell says
 * its peer, its agent and what was seen, also to those who do not see it.
 */
export function matrixPicture(report: Pick<MeshReport, 'agents' | 'matrix'>): Markup {
  const { agents, rows } = gridOf(report)
  const left = 12 + letter * Math.max(4, ...rows.map(({ peer }) => shortened(peer, longest).length))
  const top = 12 + letter * Math.max(4, ...agents.map((name) => shortened(name, longest).length))
  const width = Math.ceil(left + cell * agents.length + 8)
  const height = Math.ceil(top + cell * rows.length + 8)
  return html`<div class="scroll picture">
    <svg
      class="matrix"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
      height="${height}"
      role="table"
      aria-label="Peers by agents: ${countKinds(report.matrix)}"
    >
      ${bands(rows.length, { left, top, width: cell * agents.length })}
      ${rules(agents.length, { left, top, height: cell * rows.length })}
      <g role="row">
        <text role="columnheader" class="corner" x="${left - 8}" y="${top - 8}" text-anchor="end">peer</text>
        ${agents.map((name, index) => head(name, left + cell * (index + 0.5), top - 8))}
      </g>
      ${rows.map(
        ({ peer, cells }, index) =>
          html`<g role="row">
            <text role="rowheader" x="${left - 8}" y="${top + cell * (index + 0.5) + 4.5}" text-anchor="end">
              ${named(peer)}
            </text>
            ${cells.map((edge, at) => cellOf(edge, left + cell * at, top + cell * index))}
          </g>`,
      )}
    </svg>
  </div>`
}

/** A name in the picture, and whole where it was shortened. */
const named = (name: string): Markup =>
  shortened(name, longest) === name ? html`${name}` : html`${shortened(name, longest)}<title>${name}</title>`

function head(name: string, x: number, y: number): Markup {
  return html`<text role="columnheader" transform="translate(${x + 4.5} ${y}) rotate(-90)"
    >${named(name)}</text
  >`
}

/** A cell. Its title is its name for those who do not see it, and its tooltip. */
function cellOf(edge: EdgeResult | undefined, x: number, y: number): Markup {
  if (edge === undefined) return html`<g role="cell"></g>`
  const kind = kindOf(edge)
  const words = `${edgeName(edge)}: ${kinds[kind].words}`
  return html`<g role="cell" transform="translate(${round(x + 2)} ${round(y + 2)})">
    <title>${words}</title>
    ${icons[kind]}
  </g>`
}

interface Area {
  readonly left: number
  readonly top: number
}

/** Every other row has a ground of its own, which leads the eye to its name. */
function bands(count: number, { left, top, width }: Area & { readonly width: number }): Markup[] {
  return Array.from({ length: Math.ceil(count / 2) }, (_, index) => {
    const y = top + cell * index * 2
    return html`<rect class="band" x="0" y="${y}" width="${round(left + width)}" height="${cell}" />`
  })
}

/** A line before every fifth column, and around all of them. */
function rules(count: number, { left, top, height }: Area & { readonly height: number }): Markup[] {
  return Array.from({ length: count + 1 }, (_, index) => index)
    .filter((index) => index % 5 === 0 || index === count)
    .map((index) => {
      const x = round(left + cell * index)
      return html`<line class="rule" x1="${x}" y1="${round(top)}" x2="${x}" y2="${round(top + height)}" />`
    })
}

const round = (value: number): number => Math.round(value * 10) / 10

/** What the shapes mean, with their numbers. */
export function legend({ matrix }: Pick<MeshReport, 'matrix'>): Markup {
  return html`<ul class="legend">
    ${kindsIn(matrix).map((kind) => {
      const count = matrix.filter((edge) => kindOf(edge) === kind).length
      return html`<li>${iconOf(kind)} <span>${kinds[kind].words}: ${count}</span></li>`
    })}
  </ul>`
}

export const matrixCss = `svg.matrix { display: block; max-width: none; }
.picture {
  min-width: 100%; width: fit-content; max-width: calc(100vw - 2rem); left: 50%; transform: translateX(-50%);
}
svg.matrix .band { fill: var(--panel); }
svg.matrix .rule { stroke: var(--line); stroke-width: 1; }
svg.matrix .corner { fill: var(--dim); }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; }
.legend li { display: flex; align-items: center; gap: 0.5rem; }
@media print {
  .picture { width: 100%; max-width: none; left: 0; transform: none; }
  svg.matrix { max-width: 100%; max-height: 180mm; height: auto; width: auto; }
  svg.matrix .band { fill: #eee; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .k-open, .k-bad, .k-warn, .k-shut { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
