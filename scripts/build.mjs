// Builds the CLI as a few CJS bundles and the library file to file.
//
// Why bundles: `node -e 0` is the floor of a command's start, and each module that is looked up on disk adds
// to it. Why several: a bundle that held the SDK and express would be parsed by `a2a-totp code` as well. Why
// the library is not bundled: one copy of every class, so that `instanceof` holds across entry points.
import { execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Source files that become bundles of their own; an `import()` of one becomes a `require` at run time. */
const entries = {
  start: 'src/cli/start.ts',
  quick: 'src/cli/quick.ts',
  main: 'src/cli/main.ts',
  terminal: 'src/cli/terminal.ts',
  qr: 'src/cli/qr.ts',
  probe: 'src/probe/index.ts',
  demo: 'src/demo/index.ts',
  sources: 'src/fragments/sources.ts',
  age: 'src/store/age.ts',
  doctor: 'src/cli/doctor/index.ts',
  import: 'src/cli/import/index.ts',
}

const bundleOf = new Map(Object.entries(entries).map(([name, file]) => [resolve(root, file), name]))

/** Turns `import('../probe/index.js')` into `require('./probe.cjs')`, and refuses a lazy import of anything else. */
const separateBundles = {
  name: 'separate-bundles',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import' || resolveDir.includes('node_modules')) return undefined
      const file = resolve(resolveDir, path.replace(/\.js$/, '.ts'))
      const name = bundleOf.get(file)
      if (!name) {
        return {
          errors: [
            {
              text: `${relative(root, file)} is imported lazily but is no entry in ${basename(import.meta.url)}`,
            },
          ],
        }
      }
      return { path: `./${name}.cjs`, external: true }
    })
  },
}

/**
 * commander and the lock use child processes in rare cases only, but loading the module takes a tenth of the time
 * of a whole `node -e 0`. So it is loaded when one of its functions is called.
 */
const lazyChildProcess = {
  name: 'lazy-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path }) => ({ path, namespace: 'lazy' }))
    // As an ES module, so that the build fails where another function is imported.
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: ['spawn', 'spawnSync', 'execFileSync']
        .map(
          (name) =>
            `export const ${name} = (...args) => process.getBuiltinModule('${path}').${name}(...args)`,
        )
        .join('\n'),
    }))
  },
}

const bundles = build({
  entryPoints: entries,
  outdir: resolve(root, 'dist/cli'),
  outExtension: { '.js': '.cjs' },
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  minify: true,
  legalComments: 'linked',
  supported: { 'dynamic-import': false },
  loader: { '.py': 'text', '.text': 'text' },
  plugins: [separateBundles, lazyChildProcess],
  logLevel: 'warning',
})

/** @returns {Promise<void>} */
const library = () =>
  new Promise((done, fail) => {
    const tsc = spawn(
      process.execPath,
      [resolve(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
      {
        cwd: root,
        stdio: 'inherit',
      },
    )
    tsc.on('error', fail)
    tsc.on('exit', (code) => (code === 0 ? done() : fail(new Error(`tsc ended with ${code}`))))
  })

/** Runs `code` once, with a made-up seed and nothing else of the environment; see the script. */
function keepCompiledCode() {
  const env = { A2A_TOTP_SEED: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' }
  execFileSync(process.execPath, ['scripts/code-cache.cjs', 'code', '--at', '59'], {
    cwd: root,
    env,
    stdio: 'ignore',
  })
}

rmSync(resolve(root, 'dist'), { recursive: true, force: true })
const results = await Promise.allSettled([bundles, library()])
if (results.some(({ status }) => status === 'rejected')) process.exitCode = 1
else keepCompiledCode()
