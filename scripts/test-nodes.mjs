// Runs the suite on every Node that is promised: `npm run test:nodes [-- VERSION...] [-- test/core ...]`.
//
// The npm package `node` brings the binaries, so that nothing but npm is needed and nothing is installed here.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const promised = ['20.19', '22', '24', '26']

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
/** @param {string} arg */
const isVersion = (arg) => /^\d+(\.\d+)*$/.test(arg)
const asked = args.filter(isVersion)
const filters = args.filter((arg) => !isVersion(arg))

const env = { ...process.env }
// Set by npm for its own child processes; it would lead them back to the Node that runs this script.
delete env.npm_node_execpath
delete env.NODE

function run(command, commandArgs, options = {}) {
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, env, stdio: 'inherit', ...options })
  if (error) throw error
  return status
}

/** Installs a Node into a folder and gives its binary's folder. */
function install(version, folder) {
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error']
  // In the folder, since with --prefix npm looks for its global settings there as well, those for certificates say.
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const status = run('npm', ['install', ...quiet, `node@${version}`], { cwd: folder })
  if (status !== 0) throw new Error(`Node ${version} could not be installed from the npm package "node"`)
  return join(folder, 'node_modules', 'node', 'bin')
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

if (run('npm', ['run', '--silent', 'build']) !== 0) process.exit(1)
const failed = []
for (const version of asked.length > 0 ? asked : promised) {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-node-'))
  console.log(`\n== Node ${version}`)
  try {
    if (test(install(version, folder)) !== 0) failed.push(version)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(failed.length > 0 ? `\nfailed on Node ${failed.join(', ')}` : '\npassed on every Node')
process.exitCode = failed.length > 0 ? 1 : 0
