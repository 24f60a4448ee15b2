/** The media type of what {@link renderFamilies} returns, as Prometheus asks for it. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

export type Labels = Readonly<Record<string, string>>

/** One value of a family. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** After the family's name, as the type demands: `_total`, `_bucket`, `_count`, `_sum`, `_info`. */
  readonly suffix?: string
}

/** Samples of one name. No two of them may have the same suffix and labels. */
export interface Family {
  /** With a unit, it ends in it. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info'
  readonly help: string
  readonly unit?: 'seconds'
  readonly samples: readonly Sample[]
}

/** The OpenMetrics text format 1.0, without times of samples and without exemplars. */
export function renderFamilies(families: Iterable<Family>): string {
  return [...Array.from(families, linesOf).flat(), '# EOF', ''].join('\n')
}

function linesOf({ name, type, help, unit, samples }: Family): string[] {
  return [
    `# HELP ${name} ${escaped(help)}`,
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    ...samples.map(
      ({ labels, value, suffix = '' }) => `${name}${suffix}${written(labels)} ${numberText(value)}`,
    ),
  ]
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
