import { jsonText } from '../../../core/text.js'
import { costFamilies } from '../../../probe/report/formats/openmetrics.js'
import { renderFamilies, type Family, type Sample } from '../../../service/open-metrics.js'
import type { MeshReport } from '../../prove/mesh-report.js'
import { kindOf } from '../kinds.js'

type Gauges = Pick<Family, 'name' | 'help' | 'unit' | 'samples'>

/**
 * The report in the OpenMetrics text format 1.0, gauges alone and without times of samples, as the probe's report is. A
 * metric of an edge has its peer, its agent and whether it is declared; the checks of an agent are the probe's to report.
 */
export function renderOpenmetrics(report: MeshReport): string {
  const families = [...ofRun(report), ...ofAgents(report), ...ofEdges(report)]
  return renderFamilies(
    families.map((family) => ({ ...family, name: `a2a_totp_mesh_${family.name}`, type: 'gauge' })),
  )
}

function ofRun(report: MeshReport): Gauges[] {
  const { mesh, narrowed, diagnosis = '' } = report
  const one = (value: number | boolean): Sample[] => [{ labels: { mesh }, value: Number(value) }]
  return [
    { name: 'ok', help: 'Whether the last run passed.', samples: one(report.ok) },
    { name: 'reachable', help: 'Whether any agent answered.', samples: one(report.reachable) },
    { name: 'narrowed', help: 'Whether options narrowed the run.', samples: one(narrowed.length > 0) },
    {
      name: 'info',
      help: 'What was proved, and what was found in one sentence.',
      samples: [{ labels: { mesh, narrowed: narrowed.join(' '), diagnosis }, value: 1 }],
    },
    {
      name: 'check',
      help: 'The result of each check of the mesh as a whole, as a label.',
      samples: once(report.checks.map(({ id, status }) => ({ labels: { mesh, id, status }, value: 1 }))),
    },
    ...costFamilies(report, { mesh }),
  ]
}

function ofAgents({ mesh, agents }: MeshReport): Gauges[] {
  const each = (valueOf: (agent: MeshReport['agents'][number]) => boolean): Sample[] =>
    once(agents.map((agent) => ({ labels: { mesh, agent: agent.agent }, value: Number(valueOf(agent)) })))
  return [
    { name: 'agent_ok', help: 'Whether the probe of an agent passed.', samples: each(({ ok }) => ok) },
    {
      name: 'agent_reachable',
      help: 'Whether an agent answered at all.',
      samples: each(({ reachable }) => reachable),
    },
  ]
}

function ofEdges({ mesh, matrix }: MeshReport): Gauges[] {
  const samples = (
    edges: MeshReport['matrix'],
    sample: (edge: MeshReport['matrix'][number]) => {
      value: number | boolean
      also?: Record<string, string>
    },
  ): Sample[] =>
    once(
      edges.map((edge) => {
        const { peer, agent, declared, removed } = edge
        const { value, also = {} } = sample(edge)
        const place = { mesh, peer, agent, declared: String(declared), removed: String(removed === true) }
        return { labels: { ...place, ...also }, value: Number(value) }
      }),
    )
  return [
    {
      name: 'edge_ok',
      help: 'Whether no check of an edge failed: a declared one was let in, any other was not.',
      samples: samples(matrix, ({ status }) => ({ value: status !== 'fail' })),
    },
    {
      name: 'edge_admitted',
      help: 'Whether an edge was let in; absent where that was not shown.',
      samples: samples(
        matrix.filter(({ admitted }) => admitted !== null),
        ({ admitted }) => ({ value: admitted === true }),
      ),
    },
    {
      name: 'edge_state',
      help: 'What became of an edge, as a label.',
      samples: samples(matrix, (edge) => ({ value: 1, also: { state: kindOf(edge), status: edge.status } })),
    },
  ]
}

/** No two samples may have the same labels: a peer can have been removed twice. The smaller value, the worse, stays. */
function once(samples: readonly Sample[]): Sample[] {
  const byLabels = new Map<string, Sample>()
  for (const sample of samples) {
    const key = jsonText(sample.labels)
    const known = byLabels.get(key)
    if (known === undefined || sample.value < known.value) byLabels.set(key, sample)
  }
  return [...byLabels.values()]
}
