// Runs the suite on every Node that is promised: `npm run test:nodes [-- VERSION...] [-- test/core ...]`.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { envForNpm, nodeOf } from './nodes.mjs'

const promised = ['20.19', '22', '24', '26']

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
/** @param {string} arg */
const isVersion = (arg) => /^\d+(\.\d+)*$/.test(arg)
const asked = args.filter(isVersion)
const filters = args.filter((arg) => !isVersion(arg))

const env = envForNpm()

function run(command, commandArgs, options = {}) {
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, env, stdio: 'inherit', ...options })
  if (error) throw error
  return status
}

/** The suite, with that Node in front of all others: the processes that tests start use it as well. */
function test(bin) {
  const path = [bin, env.PATH].join(delimiter)
  const node = join(bin, process.platform === 'win32' ? 'node.exe' : 'node')
  run(node, ['--version'])
  return run(node, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'suite', ...filters], {
    // A CA bundle is parsed at every start of Node, and the suite starts many; npm may need it, though.
    env: { ...env, NODE_EXTRA_CA_CERTS: '', PATH: path },
  })
}

if (run(process.execPath, ['scripts/build-if-old.mjs']) !== 0) process.exit(1)
const versions = asked.length > 0 ? asked : promised
const failed = []
for (const version of versions) {
  console.log(`\n== Node ${version}`)
  if (test(dirname(nodeOf(version))) !== 0) failed.push(version)
}
// A run on one Node ends with the summary of its suite.
if (versions.length > 1) {
  console.log(failed.length > 0 ? `\nfailed on Node ${failed.join(', ')}` : '\npassed on every Node')
}
process.exitCode = failed.length > 0 ? 1 : 0
