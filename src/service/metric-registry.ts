import { renderFamilies, type Family, type Labels, type Sample } from './open-metrics.js'

/**
 * The values that a label may have: a list of words, or a question. Every other value is counted as {@link otherValue}, so
 * that nobody can make series by sending names.
 */
export type LabelValues = readonly string[] | ((value: string) => boolean)

export type LabelRules = Readonly<Record<string, LabelValues>>

type LabelsOf<Rules extends LabelRules> = { readonly [Name in keyof Rules]: string }

/** Stands for values that a label may not have. */
const otherValue = 'other'

/** Whatever the rules of its labels are, no family has more series. */
const mostSeries = 10_000

export interface Counter<Rules extends LabelRules> {
  /** @param amount at least 0; by default 1 */
  add(labels: LabelsOf<Rules>, amount?: number): void
}

export interface Gauge<Rules extends LabelRules> {
  set(labels: LabelsOf<Rules>, value: number): void
  add(labels: LabelsOf<Rules>, amount: number): void
  /** Drops the series whose labels are not wanted any more. */
  keep(wanted: (labels: LabelsOf<Rules>) => boolean): void
}

export interface Histogram<Rules extends LabelRules> {
  observe(labels: LabelsOf<Rules>, value: number): void
}

/** In seconds: from a decision in memory to the slowest answer that anybody waits for. */
const latencyBuckets = [
  0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const

type About = Pick<Family, 'name' | 'help' | 'unit'>

/** The metrics of this process. */
export class MetricRegistry {
  readonly #families: (() => Family)[] = []
  readonly #prefix: string

  /** @param prefix of every name, such as `a2a_totp_gate_` */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** @param about its name is without `_total` */
  counter<const Rules extends LabelRules>(about: About, rules: Rules): Counter<Rules> {
    const series = new Series<number>(rules, () => 0)
    this.#add('counter', about, () =>
      series.entries().map(([labels, value]) => ({ labels, value, suffix: '_total' })),
    )
    return { add: (labels, amount = 1) => series.update(labels, (value) => value + amount) }
  }

  gauge<const Rules extends LabelRules>(about: About, rules: Rules): Gauge<Rules> {
    const series = new Series<number>(rules, () => 0)
    this.#add('gauge', about, () => series.entries().map(([labels, value]) => ({ labels, value })))
    return {
      set: (labels, value) => series.update(labels, () => value),
      add: (labels, amount) => series.update(labels, (value) => value + amount),
      keep: (wanted) => series.keep((labels) => wanted(labels as LabelsOf<Rules>)),
    }
  }

  /** @param read called each time the metrics are read; undefined for a value that is not known */
  gaugeOf(about: About, read: () => number | undefined): void {
    this.gaugesOf(about, () => {
      const value = read()
      return value === undefined ? [] : [{ labels: {}, value }]
    })
  }

  /**
   * @param read called each time the metrics are read; its labels have to be few. Of several samples with the same labels, which
   *   no reader would take, the highest is shown.
   */
  gaugesOf(about: About, read: () => Sample[]): void {
    this.#add('gauge', about, () => {
      const samples = read().sort((a, b) => a.value - b.value)
      return [...new Map(samples.map((sample) => [JSON.stringify(sample.labels), sample])).values()]
    })
  }

  /** @param about its name is without `_info` */
  info(about: About, labels: Labels): void {
    this.#add('info', about, () => [{ labels, value: 1, suffix: '_info' }])
  }

  /** @param buckets upper bounds, ascending, without infinity */
  histogram<const Rules extends LabelRules>(
    about: About,
    rules: Rules,
    buckets: readonly number[] = latencyBuckets,
  ): Histogram<Rules> {
    const series = new Series(rules, () => ({ counts: buckets.map(() => 0), count: 0, sum: 0 }))
    this.#add('histogram', about, () => series.entries().flatMap((entry) => samplesOf(buckets, entry)))
    return {
      observe: (labels, value) =>
        series.update(labels, (seen) => {
          const place = buckets.findIndex((bound) => value <= bound)
          if (place >= 0) seen.counts[place] = (seen.counts[place] ?? 0) + 1
          seen.count++
          seen.sum += value
          return seen
        }),
    }
  }

  /** Everything as OpenMetrics text. */
  render(): string {
    return renderFamilies(this.#families.map((read) => read()))
  }

  #add(type: Family['type'], about: About, samples: () => Sample[]): void {
    const known = { ...about, name: this.#prefix + about.name, type }
    this.#families.push(() => ({ ...known, samples: samples() }))
  }
}

interface Distribution {
  /** Of each bucket alone. */
  readonly counts: number[]
  count: number
  sum: number
}

function samplesOf(
  buckets: readonly number[],
  [labels, { counts, count, sum }]: readonly [Labels, Distribution],
): Sample[] {
  let below = 0
  const within = buckets.map((bound, index): Sample => {
    below += counts[index] ?? 0
    // A bound is written as a float, as the format has it.
    const le = Number.isInteger(bound) ? `${bound}.0` : String(bound)
    return { labels: { ...labels, le }, value: below, suffix: '_bucket' }
  })
  return [
    ...within,
    { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' },
    { labels, value: count, suffix: '_count' },
    { labels, value: sum, suffix: '_sum' },
  ]
}

/** A value for each combination of labels. */
class Series<Value> {
  readonly #rules: readonly (readonly [name: string, allows: (value: string) => boolean])[]
  readonly #start: () => Value
  readonly #values = new Map<string, { readonly labels: Labels; value: Value }>()

  /** Without labels there is one series, from the start on. */
  constructor(rules: LabelRules, start: () => Value) {
    this.#start = start
    this.#rules = Object.entries(rules).map(([name, values]) => {
      return [name, typeof values === 'function' ? values : (value) => values.includes(value)]
    })
    if (this.#rules.length === 0) this.#values.set('', { labels: {}, value: start() })
  }

  update(given: Labels, change: (value: Value) => Value): void {
    const values = this.#rules.map(([name, allows]) => boundedValue(given[name] ?? '', allows))
    const found = this.#values.get(values.join('\n')) ?? this.#make(values)
    found.value = change(found.value)
  }

  entries(): (readonly [Labels, Value])[] {
    return Array.from(this.#values.values(), ({ labels, value }) => [labels, value] as const)
  }

  keep(wanted: (labels: Labels) => boolean): void {
    for (const [key, { labels }] of this.#values) if (!wanted(labels)) this.#values.delete(key)
  }

  #make(values: readonly string[]): { readonly labels: Labels; value: Value } {
    const bounded = this.#values.size < mostSeries ? values : values.map(() => otherValue)
    const labels = Object.fromEntries(this.#rules.map(([name], index) => [name, bounded[index] ?? '']))
    const key = bounded.join('\n')
    const made = this.#values.get(key) ?? { labels, value: this.#start() }
    this.#values.set(key, made)
    return made
  }
}

function boundedValue(value: string, allows: (value: string) => boolean): string {
  return allows(value) ? value : otherValue
}
