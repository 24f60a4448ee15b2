// Measures what is built in dist/ and src/ against its peers: `npm run bench [-- --quick] [-- --node 24] [-- SECTION...]`.
//
// Node 20 cannot run TypeScript, so the benchmarks are transpiled first; beside the packages, so that they are found.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { nodeOf } from './nodes.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = fileURLToPath(new URL('../node_modules/.cache/a2a-totp-bench', import.meta.url))

const at = process.argv.indexOf('--node')
if (at > 0) {
  const [, version] = process.argv.splice(at, 2)
  const { status } = spawnSync(nodeOf(version), process.argv.slice(1), { stdio: 'inherit' })
  process.exit(status ?? 1)
}

mkdirSync(outdir, { recursive: true })
await build({
  entryPoints: [
    'bench/main.ts',
    'bench/servers/bare-import.ts',
    'bench/servers/bare-writes.ts',
    'bench/servers/forwarder.ts',
    'bench/servers/grpc.ts',
    'bench/servers/http.ts',
    'bench/servers/origin.ts',
    'bench/servers/otplib-code.ts',
    'bench/servers/replica.ts',
  ],
  absWorkingDir: root,
  outdir,
  outbase: 'bench',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: 'inline',
  logLevel: 'warning',
})
await import(pathToFileURL(`${outdir}/main.mjs`).href)
