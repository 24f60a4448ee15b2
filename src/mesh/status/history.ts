import { html, type Markup } from '../../html/markup.js'
import { count } from '../../core/text.js'
import type { Run } from './runs.js'
import { runVerdict, timeOf } from './words.js'

const bar = 9
const height = 48

/**
 * The runs as a picture, one bar each, the latest at the right: a low frame for one that passed, a full bar for one that
 * failed, the higher the more failed, and a dashed frame where nothing answered.
 */
export function historyPicture(runs: readonly Run[]): Markup {
  const most = Math.max(1, ...runs.map(({ failing }) => failing))
  const width = bar * runs.length + 4
  const passed = runs.filter((run) => runVerdict(run) === 'PASS').length
  return html`<div class="scroll">
    <svg
      class="history"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
      height="${height}"
      role="img"
      aria-label="${count(runs.length, 'run')}, of which ${passed} passed; the latest is at the right"
    >
      <line class="rule" x1="0" y1="${height - 1}" x2="${width}" y2="${height - 1}" />
      ${runs.map((run, index) => barOf(run, 2 + bar * index, most))}
    </svg>
  </div>`
}

function barOf(run: Run, x: number, most: number): Markup {
  const verdict = runVerdict(run)
  const tall = verdict === 'PASS' ? 8 : 14 + Math.round((run.failing / most) * (height - 18))
  const style = { PASS: 'h-pass', FAIL: 'h-fail', 'no answer': 'h-none' }[verdict]
  return html`<g>
    <title>${timeOf(run.startedAt)}: ${verdict}${run.failing > 0 ? `, ${run.failing} failed` : ''}</title>
    <rect class="${style}" x="${x + 0.75}" y="${height - 1 - tall}" width="${bar - 3}" height="${tall}" />
  </g>`
}

export const historyCss = `svg.history { display: block; margin: 0.5rem 0; }
svg.history .rule { stroke: var(--line); }
.h-pass { fill: none; stroke: var(--good); stroke-width: 1.5; }
.h-fail { fill: var(--bad); stroke: var(--bad); stroke-width: 1.5; }
.h-none { fill: none; stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 2 2; }
@media print { .h-fail { print-color-adjust: exact; -webkit-print-color-adjust: exact; } svg.history { max-width: 100%; } }
`
