import { parseArgs } from 'node:util'
import { machine, tableOf, type Section } from './report.js'
import { grpcSection } from './sections/grpc.js'
import { httpSection } from './sections/http.js'
import { memorySection } from './sections/memory.js'
import { meshSection } from './sections/mesh.js'
import { probeSection } from './sections/probe.js'
import { probeLatencySection } from './sections/probe-latency.js'
import { pythonSection } from './sections/python.js'
import { redisSection } from './sections/redis.js'
import { schemeSection } from './sections/scheme.js'
import { signedSection } from './sections/signed.js'
import { signedHttpSection } from './sections/signed-http.js'
import { sidecarSection } from './sections/sidecar.js'
import { sidecarAuthzSection } from './sections/sidecar-authz.js'
import { startSection } from './sections/start.js'
import { storeSection } from './sections/store.js'
import { verifySection } from './sections/verify.js'

const sections: Readonly<Record<string, Section>> = {
  start: startSection,
  verify: verifySection,
  scheme: schemeSection,
  signed: signedSection,
  'signed-http': signedHttpSection,
  http: httpSection,
  grpc: grpcSection,
  probe: probeSection,
  'probe-latency': probeLatencySection,
  mesh: meshSection,
  redis: redisSection,
  python: pythonSection,
  store: storeSection,
  memory: memorySection,
  sidecar: sidecarSection,
  'sidecar-authz': sidecarAuthzSection,
}

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.find((name) => !Object.hasOwn(sections, name))
if (unknown !== undefined) {
  console.error(`no section "${unknown}"; there are ${Object.keys(sections).join(', ')}`)
  process.exit(2)
}

// A CA bundle in the environment is parsed at every start of Node and would flatter each ratio to `node -e 0`.
delete process.env['NODE_EXTRA_CA_CERTS']
delete process.env['NODE_OPTIONS']

console.log(machine(), '\n')
const scale = { quick: values.quick, rounds: values.quick ? 7 : 31 }
for (const [name, section] of Object.entries(sections)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(tableOf(section.title, await section.run(scale)))
}
