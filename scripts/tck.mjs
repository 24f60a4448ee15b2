// Runs the auth cases of an a2a-tck checkout against the demo agent: node scripts/tck.mjs PATH [--python PROGRAM]
//
// a2a-tck is on no registry. PROGRAM is a Python with its dependencies, by default PATH/.venv/bin/python. Credentials are
// handed over in A2A_AUTH_HEADERS, which not every branch reads; they are valid for longer than a run takes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const cli = fileURLToPath(new URL('../bin/a2a-totp.cjs', import.meta.url))

/** The cases about authentication and about what only callers may see, where the checkout has them. */
const suites = [
  'tests/mandatory/authentication',
  'tests/mandatory/security/test_agent_card_security.py',
  'tests/mandatory/security/test_in_task_authentication.py',
  'tests/mandatory/protocol/test_extended_agent_card.py',
  'tests/optional/capabilities/test_authentication.py',
  'tests/optional/capabilities/test_a2a_v030_authentication.py',
]

const { values, positionals } = parseArgs({
  options: { python: { type: 'string' } },
  allowPositionals: true,
})
const [checkout] = positionals
if (checkout === undefined || !existsSync(join(checkout, 'tests'))) {
  console.error('usage: node scripts/tck.mjs PATH [--python PROGRAM], with PATH a checkout of a2a-tck')
  process.exit(2)
}
const python = resolve(values.python ?? join(checkout, '.venv/bin/python'))
const wanted = suites.filter((path) => existsSync(join(checkout, path)))
if (wanted.length === 0) {
  console.error('this checkout has none of the auth cases; branches 0.3.x and main have them')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-tck-'))

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** Starts the demo agent, and gives what it prints once it listens. */
async function startAgent() {
  const agent = spawn(process.execPath, [cli, '--quiet', '--json', 'demo'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: agent.stdout }), 'line')
  return { agent, ...JSON.parse(line) }
}

/** Passed, failed and skipped cases in a report of pytest, by file. */
function countsIn(report) {
  const counts = new Map()
  const cases = readFileSync(report, 'utf8').split('<testcase ').slice(1)
  for (const one of cases) {
    const file = /classname="(?:tests\.)?([^"]*)"/.exec(one)?.[1]?.replaceAll('.', '/') ?? ''
    const name = /(?<!class)name="([^"]*)"/.exec(one)?.[1] ?? ''
    const [, kind = 'passed', why = ''] = /<(failure|error|skipped)[^>]*?message="([^"]*)"/s.exec(one) ?? []
    const list = counts.get(file) ?? []
    list.push({ name, kind, why: why.split('&#10;')[0] })
    counts.set(file, list)
  }
  return counts
}

try {
  run('init', '--agent', 'tck', '--period', '120', '--window', '2', '--digits', '8')
  run('add-peer', 'alice')
  const { agent, interfaces } = await startAgent()
  try {
    const { url } = interfaces.find(({ protocolBinding }) => protocolBinding === 'JSONRPC')
    const headers = Object.fromEntries(
      run('code', 'alice', '--headers')
        .trim()
        .split('\n')
        .map((line) => line.split(': ')),
    )
    const report = join(folder, 'report.xml')
    const options = [
      '-q',
      '-p',
      'no:cacheprovider',
      '--sut-url',
      url,
      '--test-scope',
      'all',
      '--junitxml',
      report,
    ]
    const { error } = spawnSync(python, ['-m', 'pytest', ...options, ...wanted], {
      cwd: checkout,
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', A2A_AUTH_HEADERS: JSON.stringify(headers) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (error) throw error
    const git = (...args) => spawnSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).stdout.trim()
    console.log(`a2a-tck ${git('rev-parse', 'HEAD')} (${git('log', '-1', '--format=%cs')})\n`)
    const all = []
    for (const [file, cases] of countsIn(report)) {
      all.push(...cases)
      const count = (...kinds) => cases.filter(({ kind }) => kinds.includes(kind)).length
      console.log(
        `${file}: ${count('passed')} passed, ${count('failure', 'error')} failed, ${count('skipped')} skipped`,
      )
      for (const { name, kind, why } of cases)
        if (kind !== 'passed') console.log(`  ${kind}: ${name}: ${why}`)
    }
    const failed = all.filter(({ kind }) => kind === 'failure' || kind === 'error').length
    const skipped = all.filter(({ kind }) => kind === 'skipped').length
    console.log(`\n${all.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`)
    process.exitCode = failed > 0 ? 1 : 0
  } finally {
    agent.kill('SIGTERM')
    await once(agent, 'exit')
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
