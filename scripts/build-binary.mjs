// Makes one executable of the bundles and of the newest Node with long-term support: `npm run build:binary [-- FILE]`, or
// `-- --node PATH` for another Node. https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installed, newestLts } from './nodes.mjs'

const postject = 'postject@1.0.0-alpha.6'
/** What the injected part is found by, as Node's documentation has it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({ options: { node: { type: 'string' } }, allowPositionals: true })
const target = resolve(positionals[0] ?? join(root, 'build', 'a2a-totp'))
const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-binary-'))

if (process.platform !== 'linux') {
  // Others want a signature taken off and put on, which nobody tried here.
  console.error('the executable is built on Linux, for Linux')
  process.exit(1)
}
try {
  build(values.node ?? newestLts())
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function build(node) {
  const [main, blob, assets] = [
    join(root, 'scripts/binary/main.cjs'),
    join(folder, 'blob'),
    join(folder, 'assets'),
  ]
  execFileSync(node, [join(root, 'scripts/binary/compile.cjs'), join(root, 'dist/cli'), assets])
  const bundles = Object.fromEntries(readdirSync(assets).map((name) => [name, join(assets, name)]))
  const config = join(folder, 'sea.json')
  writeFileSync(
    config,
    JSON.stringify({
      ...{ main, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true },
      assets: { main, ...bundles },
    }),
  )
  execFileSync(node, ['--experimental-sea-config', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  mkdirSync(dirname(target), { recursive: true })
  rmSync(target, { force: true })
  copyFileSync(node, target)
  chmodSync(target, 0o755)
  const inject = join(installed(postject), 'postject/dist/cli.js')
  execFileSync(process.execPath, [inject, target, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse], {
    stdio: 'ignore',
  })
  const size = (statSync(target).size / 2 ** 20).toFixed(0)
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`${target}: ${size} MiB, on Node ${version}`)
}
