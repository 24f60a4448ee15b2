// npm run test:stacks: makes the environments of test/stacks/pins.json and runs test/stacks. A whole run (no arguments)
// writes its table to docs/stacks/README.md, and one of fronts to docs/stacks/fronts.md; arguments go to vitest, as in `npm run test:stacks -- test/stacks/adk.test.ts`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-stacks-'))
const report = join(folder, 'report.json')

const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1

const stacks = files.flatMap((file) => /test\/stacks\/([\w.-]+)\.test\.ts$/.exec(file)?.[1] ?? [])
const pins = JSON.parse(readFileSync(join(root, 'test/stacks/pins.json'), 'utf8'))
const wanted = files.length === 0 ? Object.keys(pins) : stacks.filter((name) => name in pins)
const made = wanted.length === 0 ? 0 : run('scripts/stacks-venvs.sh', wanted)
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const tested = run('npx', ['vitest', 'run', '--project', 'stacks', ...reporters, ...files])
if (files.length === 0 && existsSync(report)) {
  run(process.execPath, ['scripts/stacks-matrix.mjs', report])
  console.log('wrote the table of docs/stacks/README.md')
}
if (wanted.includes('fronts') && existsSync(report)) {
  run(process.execPath, ['scripts/fronts-matrix.mjs', report])
  console.log('wrote the table of docs/stacks/fronts.md')
}
rmSync(folder, { recursive: true })
process.exitCode = made === 0 ? tested : made
