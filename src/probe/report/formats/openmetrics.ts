import { jsonText } from '../../../core/text.js'
import { columnsOf, titleIn } from '../columns.js'
import type { ProbeReport } from '../report.js'
import { renderFamilies, type Family, type Sample } from '../../../service/open-metrics.js'

/** A family of gauges. */
interface Gauges extends Pick<Family, 'help' | 'unit' | 'samples'> {
  /** After `a2a_totp_probe_`. */
  readonly name: string
}

/**
 * The report in the OpenMetrics text format 1.0, gauges alone and without times of samples, so that the textfile
 * collector of node_exporter, which reads the older format of Prometheus, takes it as well.
 */
export function renderOpenmetrics(report: ProbeReport): string {
  return renderFamilies(
    familiesOf(report).map((family) => ({ ...family, name: `a2a_totp_probe_${family.name}`, type: 'gauge' })),
  )
}

function familiesOf(report: ProbeReport): Gauges[] {
  const { target, agent, narrowed, diagnosis = '' } = report
  const one = (value: number | boolean): Sample[] => [{ labels: { target }, value: Number(value) }]
  return [
    { name: 'ok', help: 'Whether the last run passed.', samples: one(report.ok) },
    { name: 'reachable', help: 'Whether the agent answered at all.', samples: one(report.reachable) },
    { name: 'narrowed', help: 'Whether options narrowed the run.', samples: one(narrowed.length > 0) },
    {
      name: 'info',
      help: 'What was probed, and what was found in one sentence.',
      samples: [
        { labels: { target, agent: agent ?? '', narrowed: narrowed.join(' '), diagnosis }, value: 1 },
      ],
    },
    { name: 'check', help: 'The result of each check in each cell, as a label.', samples: checksOf(report) },
    ...costFamilies(report, { target }),
  ]
}

/** What a run found in numbers, and what it took. */
export function costFamilies(
  {
    summary,
    guessesSpent,
    requests,
    durationMs,
    startedAt,
  }: Pick<ProbeReport, 'summary' | 'guessesSpent' | 'requests' | 'durationMs' | 'startedAt'>,
  labels: Sample['labels'],
): Gauges[] {
  const one = (value: number): Sample[] => [{ labels, value }]
  return [
    {
      name: 'results',
      help: 'How many results have each status.',
      samples: Object.entries(summary).map(([status, count]) => ({
        labels: { ...labels, status },
        value: count as number,
      })),
    },
    {
      name: 'guesses',
      help: 'Distinct wrong codes sent with a live token.',
      samples: one(guessesSpent),
    },
    { name: 'requests', help: 'Requests sent.', samples: one(requests) },
    {
      name: 'duration_seconds',
      help: 'How long the run took.',
      unit: 'seconds',
      samples: one(durationMs / 1000),
    },
    {
      name: 'last_run_timestamp_seconds',
      help: 'When the run ended, in unix time.',
      unit: 'seconds',
      samples: one((Date.parse(startedAt) + durationMs) / 1000),
    },
  ]
}

function checksOf({ target, checks }: ProbeReport): Sample[] {
  const columns = columnsOf(checks)
  const samples = checks.map((check): Sample => {
    const { id, binding, protocolVersion, url, status, detail, ignored } = check
    const cell = {
      cell: titleIn(columns, check),
      binding: binding ?? '',
      protocol_version: protocolVersion ?? '',
      url: url ?? '',
    }
    const labels = { target, id, ...cell, status, ...(ignored === true && { ignored: detail }) }
    return { labels, value: 1 }
  })
  // No two samples may have the same labels, and a card can name one URL for two tenants.
  return [...new Map(samples.map((sample) => [jsonText(sample.labels), sample])).values()]
}
