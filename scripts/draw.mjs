// Draws docs/NAME.svg from scripts/NAME.json: `node scripts/draw.mjs NAME [FILE]`, where NAME is how-it-works or sidecars.
//
// In the JSON, text in backticks is set in monospace. A text that would not fit in its box is an error.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const [name, file = pathOf(`../docs/${name}.svg`)] = process.argv.slice(2)
const picture = JSON.parse(readFileSync(pathOf(`${name}.json`), 'utf8'))

const padding = 16
const radius = { file: 6, place: 10, step: 6, handler: 6 }
const fontSize = { title: 16, line: 14, mono: 13 }

/** A GitHub page may be light or dark, so the picture brings its background along. */
const light = {
  page: '#ffffff',
  text: '#1f2328',
  muted: '#59636e',
  line: '#8c959f',
  place: '#f6f8fa',
  step: '#ffffff',
  request: '#0969da',
  refusal: '#bc4c00',
  handler: '#1a7f37',
}
const dark = {
  page: '#0d1117',
  text: '#f0f6fc',
  muted: '#9198a1',
  line: '#656c76',
  place: '#151b23',
  step: '#0d1117',
  request: '#4493f8',
  refusal: '#f0883e',
  handler: '#3fb950',
}

const rulesOf = (colour) =>
  [
    `.page { fill: ${colour.page} }`,
    `text { fill: ${colour.text} }`,
    `.muted { fill: ${colour.muted} }`,
    `.box { stroke: ${colour.line}; fill: ${colour.place} }`,
    `.step, .handler, .file.box { fill: ${colour.step} }`,
    `.handler { stroke: ${colour.handler} }`,
    `text.refusal { fill: ${colour.refusal} }`,
    ...['request', 'refusal'].flatMap((kind) => [
      `path.${kind} { stroke: ${colour[kind]} }`,
      `polygon.${kind} { fill: ${colour[kind]} }`,
    ]),
    `path.file { stroke: ${colour.line} }`,
    `polygon.file { fill: ${colour.line} }`,
  ].map((rule) => `    ${rule}`)

const style = [
  '  <style>',
  '    text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }',
  '    .title { font-size: 16px; font-weight: 600 }',
  '    .mono { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }',
  '    .box { stroke-width: 1.5 }',
  '    path { fill: none; stroke-width: 2 }',
  '    path.refusal { stroke-dasharray: 6 4 }',
  ...rulesOf(light),
  '    @media (prefers-color-scheme: dark) {',
  ...rulesOf(dark).map((rule) => `  ${rule}`),
  '    }',
  '  </style>',
]

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** About as wide as a wide font draws it. */
function widthOf(text, kind) {
  const letters = text.replaceAll('`', '').length
  return letters * fontSize[kind] * (kind === 'mono' ? 0.61 : 0.55)
}

function textAt([x, y], text, { kind = 'line', anchor = 'start', classes = [], room = Infinity }) {
  const mono = text.startsWith('`')
  const width = widthOf(text, mono ? 'mono' : kind)
  if (width > room) throw new Error(`"${text}" takes about ${Math.round(width)} of ${room} pixels`)
  const names = [...classes, ...(mono ? ['mono'] : []), ...(kind === 'title' ? ['title'] : [])].join(' ')
  const attributes = `${names && ` class="${names}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`
  return `  <text x="${x}" y="${y}"${attributes}>${escaped(text.replaceAll('`', ''))}</text>`
}

function drawBox({ at: [x, y], size: [width, height], kind, title, lines, refusal }) {
  const room = width - 2 * padding
  const step = kind === 'step' || kind === 'handler'
  const top = step ? 23 : 30
  return [
    `  <rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius[kind]}"/>`,
    textAt([x + padding, y + top], title, { kind: 'title', room }),
    ...(refusal === undefined
      ? []
      : [
          textAt([x + width - padding, y + top], refusal, {
            anchor: 'end',
            classes: ['refusal'],
            room: room / 2,
          }),
        ]),
    ...lines.flatMap((line, row) =>
      line === ''
        ? []
        : [textAt([x + padding, y + top + 21 + row * 22], line, { classes: step ? ['muted'] : [], room })],
    ),
  ]
}

/** A line with a head at its end. */
function drawArrow({ kind, points, labels = [] }) {
  const [tip, before] = [points.at(-1), points.at(-2)]
  const [dx, dy] = [0, 1].map((axis) => Math.sign(tip[axis] - before[axis]))
  const end = [tip[0] - 8 * dx, tip[1] - 8 * dy]
  const head = [
    tip,
    [end[0] - 2 * dx + 5 * dy, end[1] - 2 * dy + 5 * dx],
    [end[0] - 2 * dx - 5 * dy, end[1] - 2 * dy - 5 * dx],
  ]
  const line = [...points.slice(0, -1), end]
  return [
    `  <path class="${kind}" d="M${line.map((point) => point.join(' ')).join(' L')}"/>`,
    `  <polygon class="${kind}" points="${head.map((point) => point.join(',')).join(' ')}"/>`,
    ...labels.map(({ at, text, anchor = 'middle' }) =>
      textAt(at, text, { anchor, classes: kind === 'refusal' ? ['refusal'] : [] }),
    ),
  ]
}

const [width, height] = picture.size
const svg = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
  `  <title id="title">${escaped(picture.title)}</title>`,
  `  <desc id="description">${escaped(picture.description)}</desc>`,
  ...style,
  `  <rect class="page" width="${width}" height="${height}" rx="12"/>`,
  ...picture.boxes.flatMap(drawBox),
  ...picture.arrows.flatMap(drawArrow),
  '</svg>',
  '',
].join('\n')

writeFileSync(file, svg)
