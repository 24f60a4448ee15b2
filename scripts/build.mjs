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
  main: 'src/cli/main.ts',
  terminal: 'src/cli/io/terminal.ts',
  qr: 'src/cli/io/qr.ts',
  probe: 'src/probe/index.ts',
  demo: 'src/demo/index.ts',
  sources: 'src/fragments/sources.ts',
  yaml: 'src/fragments/yaml-document.ts',
  age: 'src/store/age.ts',
  doctor: 'src/doctor/index.ts',
  'out-of-git': 'src/cli/store/out-of-git.ts',
  import: 'src/import/index.ts',
  reader: 'src/cli/commands/config/server-reader.ts',
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
 * Functions of Node's modules that few commands call, while to load one of the modules takes up to a tenth of the time
 * of a whole `node -e 0`: so it is loaded when one of them is called.
 */
const lazyFunctions = {
  'node:child_process': ['execFile', 'spawnSync'],
  'node:crypto': ['createHash', 'createHmac', 'hash', 'randomBytes', 'randomInt', 'timingSafeEqual'],
  'node:os': ['hostname', 'userInfo'],
  'node:timers/promises': ['setTimeout'],
}

const lazyModules = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(lazyFunctions).join('|')})$`) }, ({ path, importer }) =>
      importer.startsWith(resolve(root, 'src')) || importer.includes('/commander/')
        ? { path, namespace: 'lazy' }
        : undefined,
    )
    // As an ES module, so that the build fails where another function is imported.
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: lazyFunctions[path]
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
  plugins: [separateBundles, lazyModules],
  // The variant whose hashes are JavaScript: node:crypto takes longer to load than a code takes to make.
  alias: { otpauth: 'otpauth/slim' },
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

/** In a process of its own; see the script. */
function keepCompiledCode() {
  execFileSync(process.execPath, ['scripts/code-cache.cjs'], { cwd: root, stdio: 'inherit' })
}

rmSync(resolve(root, 'dist'), { recursive: true, force: true })
const results = await Promise.allSettled([bundles, library()])
if (results.some(({ status }) => status === 'rejected')) process.exitCode = 1
else keepCompiledCode()
