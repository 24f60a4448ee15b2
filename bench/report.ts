import { cpus, loadavg, totalmem } from 'node:os'
import { estimateOf, medianOf, pairedRatios, type Estimate } from './stats.js'

/** One figure: what something costs as a ratio to a peer, or to a limit, that was measured in the same rounds. */
export interface Row {
  readonly what: string
  readonly against: string
  readonly ratio: Estimate
  /** Whether the ratio says how much it costs, or how many times as fast it is. */
  readonly kind: 'cost' | 'speed'
  /** The absolute figure, which holds for this machine only. */
  readonly own: string
  readonly goal?: number
  /** Whether the goal is for the upper end of the interval, and not for the median. */
  readonly goalOfUpper?: boolean
}

/** A named group of figures. */
export interface Section {
  readonly title: string
  run(scale: Scale): Promise<readonly Row[]>
}

/** How thorough a run is. */
export interface Scale {
  readonly quick: boolean
  /** Rounds for what takes milliseconds. */
  readonly rounds: number
}

export interface Measured {
  readonly name: string
  readonly samples: readonly number[]
}

export type Unit = (value: number) => string

/** What `own` costs as a ratio to `other`; a goal is the most that it should be. */
export function cost(own: Measured, other: Measured, unit: Unit, goal?: number): Row {
  return rowOf('cost', own, other, pairedRatios(own.samples, other.samples), unit, goal)
}

/** The same; the goal is the most that the upper end of the interval should be. */
export function costWithin(own: Measured, other: Measured, unit: Unit, goal?: number): Row {
  return { ...cost(own, other, unit, goal), goalOfUpper: true }
}

/** How many times as fast as `other`; a goal is the least that it should be. */
export function speed(own: Measured, other: Measured, unit: Unit, goal?: number): Row {
  return rowOf('speed', own, other, pairedRatios(other.samples, own.samples), unit, goal)
}

function rowOf(
  kind: Row['kind'],
  own: Measured,
  other: Measured,
  ratios: readonly number[],
  unit: Unit,
  goal: number | undefined,
): Row {
  return {
    what: own.name,
    against: other.name,
    ratio: estimateOf(ratios),
    kind,
    own: unit(medianOf(own.samples)),
    ...(goal !== undefined && { goal }),
  }
}

export const milliseconds: Unit = (value) => `${value.toFixed(1)} ms`
export const microseconds: Unit = (value) => `${value.toFixed(1)} µs`
export const nanoseconds: Unit = (value) =>
  value < 10_000 ? `${Math.round(value)} ns` : microseconds(value / 1000)
export const megabytes: Unit = (value) => `${value.toFixed(1)} MB`
export const bytes: Unit = (value) => `${Math.round(value)} B`

/** Where and when the figures were taken. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU'
  const memory = Math.round(totalmem() / 1024 ** 3)
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
  return [
    `${cpus().length} × ${model}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}.`,
    `Load average at the start: ${load}.`,
  ].join(' ')
}

/** A section as a Markdown table. A ratio is a median of paired samples with its 95 % interval. */
export function tableOf(title: string, rows: readonly Row[]): string {
  const head = ['what', 'against', 'ratio', 'goal', 'here']
  const lines = rows.map((row) => [row.what, row.against, ratioOf(row), goalOf(row), row.own])
  return [
    `### ${title}`,
    '',
    ...[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n')
}

function ratioOf({ kind, ratio }: Row): string {
  const digits = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(2))
  const interval = `(${digits(ratio.low)}-${digits(ratio.high)})`
  return kind === 'cost'
    ? `${digits(ratio.median)} ${interval}`
    : `${digits(ratio.median)} × as fast ${interval}`
}

function goalOf({ kind, ratio, goal, goalOfUpper = false }: Row): string {
  if (goal === undefined) return ''
  const counts = goalOfUpper ? ratio.high : ratio.median
  const met = kind === 'cost' ? counts <= goal : counts >= goal
  return `${kind === 'cost' ? '≤' : '≥'} ${goal}${goalOfUpper ? ' at most' : ''} ${met ? 'met' : 'missed'}`
}
