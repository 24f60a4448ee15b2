// Other versions of Node, from the npm package `node`, so that nothing but npm is needed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Packages of npm in a folder of their own, which is gone when the process ends. */
export function installed(...packages) {
  // In the folder, since with --prefix npm looks for its global settings there as well, those for certificates say.
  const cwd = mkdtempSync(join(tmpdir(), 'a2a-totp-npm-'))
  process.on('exit', () => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], {
    cwd,
    env: envForNpm(),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return join(cwd, 'node_modules')
}

/** The path of a Node: `20.19`, `24`. */
export const nodeOf = (version) => join(installed(`node@${version}`), 'node/bin/node')

/** The path of the newest Node that says of itself that it has long-term support: every second major version. */
export function newestLts() {
  const newest = parseInt(execFileSync('npm', ['view', 'node', 'version'], { encoding: 'utf8' }), 10)
  for (let major = newest - (newest % 2); major >= 24; major -= 2) {
    const node = nodeOf(major)
    const name = execFileSync(node, ['-p', 'process.release.lts ?? ""'], { encoding: 'utf8' }).trim()
    if (name !== '') return node
  }
  throw new Error('npm has no Node with long-term support, from 24 on')
}

/** Without what npm sets for its own child processes: it would lead them back to the Node that runs this script. */
export function envForNpm() {
  const env = { ...process.env }
  delete env.npm_node_execpath
  delete env.NODE
  return env
}
