// Changes the code in small ways, one at a time, and counts how often the tests notice:
// `npm run test:mutation [-- FOLDER...] [-- --mutate src/store/lock/lock.ts]`. On two free cores a folder takes from a quarter
// of an hour to an hour; what survived is printed, and the reports are in `reports/mutation`. With Redis installed, or
// its part of state survives.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = ['core', 'state', 'store']
const args = process.argv.slice(2)
const asked = folders.filter((folder) => args.includes(folder))
const flags = args.filter((arg) => !folders.includes(arg))

/** What Stryker counts as noticed, and what as missed. */
const noticed = ['Killed', 'Timeout']
const missed = ['Survived', 'NoCoverage']

function scoreOf(folder) {
  const { files } = JSON.parse(readFileSync(`${root}reports/mutation/${folder}.json`, 'utf8'))
  const mutants = Object.values(files).flatMap((file) => file.mutants)
  const count = (states) => mutants.filter(({ status }) => states.includes(status)).length
  const [killed, survived] = [count(noticed), count(missed)]
  const score = ((100 * killed) / (killed + survived)).toFixed(1)
  return `${folder}: ${score} % (${killed} of ${killed + survived} mutants noticed)`
}

let failed = false
const scores = []
for (const folder of asked.length > 0 ? asked : folders) {
  // A CA bundle is parsed at every start of Node, and each mutant starts some.
  const env = { ...process.env, MUTATED: folder, NODE_EXTRA_CA_CERTS: '' }
  const stryker = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', ...flags]
  const { status } = spawnSync(process.execPath, stryker, { cwd: root, env, stdio: 'inherit' })
  failed ||= status !== 0
  scores.push(scoreOf(folder))
}
console.log(scores.join('\n'))
if (failed) process.exitCode = 1
