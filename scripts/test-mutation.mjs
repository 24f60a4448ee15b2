// Changes the code in small ways, one at a time, and counts how often the tests notice:
// `npm run test:mutation [-- PART...] [-- --mutate src/store/lock/lock.ts]`. The parts are those of
// test/mutation/parts.json: which files are changed, and which tests have to notice. On two free cores each takes up to half
// an hour; after that only what has changed, or whose tests have, is tried again, and everything with --force. What survived
// is printed, and the reports are in reports/mutation. With Redis installed, or its part of the state survives.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const parts = Object.keys(JSON.parse(readFileSync(`${root}test/mutation/parts.json`, 'utf8')))
const args = process.argv.slice(2)
const firstFlag = args.findIndex((arg) => arg.startsWith('-'))
const asked = firstFlag === -1 ? args : args.slice(0, firstFlag)
const flags = args.slice(asked.length)

/** What Stryker counts as noticed, and what as missed. */
const noticed = ['Killed', 'Timeout']
const missed = ['Survived', 'NoCoverage']

const reportOf = (part) => `${root}reports/mutation/${part}.json`

function scoreOf(part) {
  const { files } = JSON.parse(readFileSync(reportOf(part), 'utf8'))
  const mutants = Object.values(files).flatMap((file) => file.mutants)
  const count = (states) => mutants.filter(({ status }) => states.includes(status)).length
  const [killed, survived] = [count(noticed), count(missed)]
  const score = ((100 * killed) / (killed + survived)).toFixed(1)
  return `${part}: ${score} % (${killed} of ${killed + survived} mutants noticed)`
}

function main() {
  const unknown = asked.find((part) => !parts.includes(part))
  if (unknown !== undefined) {
    console.error(`error: no part is called "${unknown}"; there are ${parts.join(', ')}`)
    return 2
  }
  let failed = false
  const scores = []
  for (const part of asked.length > 0 ? asked : parts) {
    // A CA bundle is parsed at every start of Node, and each mutant starts some.
    const env = { ...process.env, MUTATED: part, NODE_EXTRA_CA_CERTS: '' }
    const stryker = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', ...flags]
    rmSync(reportOf(part), { force: true })
    const { status } = spawnSync(process.execPath, stryker, { cwd: root, env, stdio: 'inherit' })
    failed ||= status !== 0
    // Where a test fails without any change there is none.
    scores.push(existsSync(reportOf(part)) ? scoreOf(part) : `${part}: not measured`)
  }
  console.log(scores.join('\n'))
  return failed ? 1 : 0
}

process.exitCode = main()
