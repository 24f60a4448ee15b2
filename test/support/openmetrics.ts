export interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What may follow the name of a family, by its type. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total'],
  info: ['_info'],
  histogram: ['_bucket', '_count', '_sum'],
}

/**
 * Reads the OpenMetrics text format 1.0, as strictly as its grammar: https://prometheus.io/docs/specs/om/open_metrics_spec/.
 * Throws for what a parser may refuse, and for other types than those that are allowed.
 */
export function parseOpenmetrics(text: string, types: readonly string[] = ['gauge']): MetricSample[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('no EOF')
  const samples: MetricSample[] = []
  const families = new Map<string, Set<string>>()
  let family = ''
  let type = ''
  let hasSamples = false
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const about = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line)
    if (about) {
      const [, kind = '', name = '', value = ''] = about
      if (name !== family) {
        if (families.has(name)) throw new Error(`${name} is in two places`)
        families.set(name, new Set())
        family = name
        type = ''
        hasSamples = false
      }
      const seen = families.get(name)
      if (hasSamples || seen?.has(kind)) throw new Error(`metadata twice or late: ${line}`)
      seen?.add(kind)
      if (kind === 'TYPE') {
        if (!types.includes(value)) throw new Error(`not one of ${types.join()}: ${line}`)
        type = value
      }
      if (kind === 'UNIT' && !name.endsWith(`_${value}`)) throw new Error(`no such unit: ${line}`)
      continue
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line)
    const [, name = '', labels = '', value] = sample ?? []
    if (!suffixes[type]?.some((suffix) => name === family + suffix))
      throw new Error(`not a sample of ${type} ${family}: ${line}`)
    hasSamples = true
    samples.push({ name, labels: labelsIn(labels), value: Number(value) })
  }
  requireHistograms(samples)
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]))
  if (new Set(keys).size < keys.length) throw new Error('two samples with the same labels')
  return samples
}

/** Buckets are cumulative, in order, and the last one, which has everything, is the count. */
function requireHistograms(samples: readonly MetricSample[]): void {
  let below = -Infinity
  let count = 0
  for (const { name, labels, value } of samples) {
    if (name.endsWith('_bucket')) {
      const { le = '' } = labels
      const bound = le === '+Inf' ? Infinity : Number(le)
      if (le !== '+Inf' && !/^\d+\.\d+(e-?\d+)?$/.test(le)) throw new Error(`not a float: ${le}`)
      if (bound <= below || value < count) throw new Error(`${name} is out of order at ${le}`)
      below = bound
      count = value
    } else if (name.endsWith('_count')) {
      if (below !== Infinity || count !== value) throw new Error(`${name} is not the last bucket`)
      below = -Infinity
      count = 0
    }
  }
}

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const label = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/.exec(rest)
    if (!label) throw new Error(`not a label: ${rest}`)
    const [whole, name = '', value = ''] = label
    if (name in labels) throw new Error(`${name} is there twice`)
    labels[name] = value.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : String(character)))
    rest = rest.slice(whole.length)
  }
  return labels
}
