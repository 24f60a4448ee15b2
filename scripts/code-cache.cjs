// Keeps the code that V8 makes of the main bundle while it runs the everyday commands once, for src/cli/start.ts.
// A process of its own, started by the build, so that nothing else has compiled any of it.
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')
const { Script } = require('node:vm')
const { codePath } = require('../dist/cli/start.cjs')

const filename = join(__dirname, '../dist/cli/main.cjs')
const wrapped = `(function (exports, require, module) {${readFileSync(filename, 'latin1')}\n})`
const script = new Script(wrapped, { filename })
const bundle = { exports: {} }
const requireBeside = (path) => require(join(dirname(filename), path))
script.runInThisContext()(
  bundle.exports,
  (path) => (path.startsWith('.') ? requireBeside(path) : require(path)),
  bundle,
)

/** Gives what a command line wrote to standard output. */
async function run(cwd, ...args) {
  let written = ''
  let said = ''
  // Named, because a store that is searched for is passed over below folders that others can write to.
  const exitCode = await bundle.exports.main(['--store', join(cwd, 'a2a-totp.json'), ...args], {
    env: { CI: '1' },
    cwd,
    stdin: () => process.stdin,
    stdout: { write: (text) => (written += text) },
    stderr: { write: (text) => (said += text) },
    signal: new AbortController().signal,
  })
  if (exitCode !== 0) throw new Error(`a2a-totp ${args.join(' ')} ended with ${exitCode}: ${said}`)
  return written.trim()
}

/** What they have in common is most of what the others need. */
async function everyday(cwd) {
  await run(cwd, 'init')
  await run(cwd, 'add-peer', 'alice')
  await run(cwd, 'verify', await run(cwd, 'code', 'alice'), 'alice')
  await run(cwd, 'list')
  await run(cwd, 'show', 'alice')
  await run(cwd, 'config', 'server')
  await run(cwd, 'config', 'client', 'alice')
  await run(cwd, 'config', 'card')
  await run(cwd, '--help')
}

const cwd = mkdtempSync(join(tmpdir(), 'a2a-totp-build-'))
everyday(cwd)
  .then(() => writeFileSync(codePath(filename), script.createCachedData()))
  .finally(() => rmSync(cwd, { recursive: true }))
