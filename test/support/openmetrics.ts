export interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Reads the OpenMetrics text format 1.0, as strictly as its grammar: https://prometheus.io/docs/specs/om/open_metrics_spec/.
 * Gauges alone. Throws for what a parser may refuse.
 */
export function parseOpenmetrics(text: string): MetricSample[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('no EOF')
  const samples: MetricSample[] = []
  const families = new Map<string, Set<string>>()
  let family = ''
  let hasSamples = false
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const about = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line)
    if (about) {
      const [, kind = '', name = '', value = ''] = about
      if (name !== family) {
        if (families.has(name)) throw new Error(`${name} is in two places`)
        families.set(name, new Set())
        family = name
        hasSamples = false
      }
      const seen = families.get(name)
      if (hasSamples || seen?.has(kind)) throw new Error(`metadata twice or late: ${line}`)
      seen?.add(kind)
      if (kind === 'TYPE' && value !== 'gauge') throw new Error(`not a gauge: ${line}`)
      if (kind === 'UNIT' && !name.endsWith(`_${value}`)) throw new Error(`no such unit: ${line}`)
      continue
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line)
    if (sample?.[1] !== family) throw new Error(`not a sample of ${family}: ${line}`)
    hasSamples = true
    samples.push({ name: family, labels: labelsIn(sample[2] ?? ''), value: Number(sample[3]) })
  }
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).sort()]))
  if (new Set(keys).size < keys.length) throw new Error('two samples with the same labels')
  return samples
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
