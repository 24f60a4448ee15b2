import { sizeOf } from './picture.js'

// The colours are those of the pictures in docs/, which scripts/draw.mjs draws.

interface Colours {
  readonly page: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly place: string
  readonly both: string
  readonly warn: string
  readonly bad: string
  /** Lines take turns in them. */
  readonly turns: readonly string[]
}

const light: Colours = {
  ...{
    page: '#ffffff',
    text: '#1f2328',
    muted: '#59636e',
    line: '#8c959f',
    place: '#f6f8fa',
    both: '#8250df',
  },
  ...{ warn: '#9a6700', bad: '#cf222e' },
  turns: ['#0969da', '#1a7f37', '#8250df', '#0a7a8a', '#bf3989', '#57606a'],
}

const dark: Colours = {
  ...{
    page: '#0d1117',
    text: '#f0f6fc',
    muted: '#9198a1',
    line: '#656c76',
    place: '#151b23',
    both: '#ab7df8',
  },
  ...{ warn: '#d29922', bad: '#f85149' },
  turns: ['#4493f8', '#3fb950', '#ab7df8', '#39c5cf', '#f778ba', '#9198a1'],
}

const sans = '-apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif'
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'

/** Every rule is below one class, so that the picture can be a part of a page. */
const within = (rules: readonly string[]): string[] => rules.map((rule) => `.mesh ${rule}`)

function coloured({ turns, ...colour }: Colours): string[] {
  const head = (name: string, value: string): string[] => [
    `.${name} { stroke: ${value} }`,
    `.${name}.filled { fill: ${value} }`,
  ]
  return within([
    `.page { fill: ${colour.page} }`,
    `text { fill: ${colour.text} }`,
    `text.small { fill: ${colour.muted} }`,
    `.box { fill: ${colour.place}; stroke: ${colour.line} }`,
    `.box.both { stroke: ${colour.both} }`,
    `.rule { stroke: ${colour.line} }`,
    `text.both { fill: ${colour.both} }`,
    `.hollow { fill: ${colour.page} }`,
    ...turns.flatMap((value, index) => head(`c${index}`, value)),
    ...head('plain', colour.text),
    ...head('pending', colour.warn),
    ...head('due', colour.warn),
    ...head('expired', colour.bad),
    ...head('undeclared', colour.bad),
  ])
}

/** The style of a picture: light or dark as the reader has it, and light on paper. */
export const pictureStyle = `\n${[
  ...within([
    `text { font: ${sizeOf('small')}px ${sans} }`,
    `text.title { font-size: ${sizeOf('title')}px; font-weight: 600 }`,
    `text.name { font: ${sizeOf('name')}px ${mono} }`,
    `text.mono { font: ${sizeOf('mono')}px ${mono} }`,
    '.rule { stroke-width: 0.5 }',
    '.box { stroke-width: 1.5 }',
    '.box.both { stroke-width: 2.5 }',
    '.edge path { fill: none; stroke-linecap: round }',
    '.edge .head { stroke-width: 1.5; stroke-dasharray: none }',
    '.edge:hover path { stroke-width: 5 }',
    '.signed path { stroke-width: 3 }',
    '.once path { stroke-width: 1.75 }',
    '.reuse path { stroke-width: 2; stroke-dasharray: 1 5 }',
    '.unsaid path { stroke-width: 1.5; stroke-dasharray: 8 5 }',
    '.stranger path { stroke-width: 2; stroke-dasharray: 10 5 1 5 }',
  ]),
  ...coloured(light),
  '@media screen and (prefers-color-scheme: dark) {',
  ...coloured(dark).map((rule) => `  ${rule}`),
  '}',
]
  .map((rule) => `    ${rule}\n`)
  .join('')}  `
