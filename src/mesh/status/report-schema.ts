import * as v from 'valibot'
import { parseRfc3339 } from '../../core/instant.js'
import { checkIds } from '../../probe/index.js'
import { meshCheckIds, type MeshReport } from '../prove/mesh-report.js'

const status = v.picklist(['pass', 'fail', 'warn', 'skip'])
const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const time = v.pipe(
  v.string(),
  v.check((text) => parseRfc3339(text) !== undefined),
)
const seen = { status, expected: v.string(), actual: v.string(), detail: v.string() }
const ran = {
  startedAt: time,
  durationMs: v.pipe(v.number(), v.minValue(0)),
  guessesSpent: whole,
  requests: whole,
  ok: v.boolean(),
  strict: v.boolean(),
  reachable: v.boolean(),
  narrowed: v.array(v.string()),
  diagnosis: v.exactOptional(v.string()),
}

const summary = v.object({ passed: whole, failed: whole, warned: whole, skipped: whole })
const checks = v.array(
  v.object({
    id: v.picklist(checkIds),
    binding: v.nullable(v.picklist(['jsonrpc', 'rest', 'grpc'])),
    protocolVersion: v.nullable(v.picklist(['1.0', '0.3'])),
    url: v.nullable(v.string()),
    ...seen,
    durationMs: v.number(),
    ignored: v.exactOptional(v.literal(true)),
  }),
)

const probed = v.object({
  version: v.literal(1),
  target: v.string(),
  agent: v.nullable(v.string()),
  ...ran,
  explain: v.exactOptional(v.picklist(checkIds)),
  summary,
  checks,
})

const agent = v.object({
  agent: v.string(),
  url: v.string(),
  peer: v.nullable(v.string()),
  ok: v.boolean(),
  reachable: v.boolean(),
  report: v.nullable(probed),
  detail: v.string(),
})

const edge = v.object({
  peer: v.string(),
  agent: v.string(),
  declared: v.boolean(),
  admitted: v.nullable(v.boolean()),
  status,
  removed: v.exactOptional(v.literal(true)),
  expired: v.exactOptional(v.literal(true)),
  detail: v.string(),
  checks,
  guessesSpent: whole,
  line: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
})

/** A report as it is kept. A later version of this tool may have added keys, which are left out. */
export const reportSchema: v.GenericSchema<unknown, MeshReport> = v.object({
  version: v.literal(1),
  mesh: v.string(),
  ...ran,
  summary,
  checks: v.array(v.object({ id: v.picklist(meshCheckIds), ...seen })),
  agents: v.array(agent),
  matrix: v.array(edge),
})
