// Builds the CLI as CommonJS bundles and the library file by file.
//
// Why bundles: every module that is looked up on disk slows a command down. Why one for each lazy `import()`: a command
// parses its own bundle, and neither those of other commands nor the SDK and express. Why the library is not bundled: one
// copy of every class, so that `instanceof` holds across entry points.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { writeManPages } from './man.mjs'
import { esbuildPythonPackage } from './python-package.mjs'
import { writeThirdParty } from './third-party.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const outdir = resolve(root, 'dist/cli')

/** `src/cli/commands/codes/code.ts` is `commands-codes-code`, `src/probe/index.ts` is `probe`. */
const bundleName = (file) =>
  relative(resolve(root, 'src'), file)
    .replace(/^cli\//, '')
    .replace(/(\/index)?\.ts$/, '')
    .replaceAll('/', '-')

/** Large packages that several bundles use: each has a bundle of its own, which those bundles load. */
const sharedPackages = { '@grpc/grpc-js': 'packages-grpc', yaml: 'packages-yaml' }

const sharedPackage = new RegExp(`^(${Object.keys(sharedPackages).join('|')})$`)

const bundled = new Set()

/** What esbuild put into each bundle. */
const metafiles = []

/**
 * Bundles a file, and each file that it imports lazily as a bundle of its own.
 *
 * @param {string} file a path, or the name of one of {@link sharedPackages}
 */
async function bundle(file, name = bundleName(file)) {
  if (bundled.has(file)) return
  bundled.add(file)
  const apart = []
  const separateBundles = {
    name: 'separate-bundles',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import' || resolveDir.includes('node_modules')) return undefined
        const target = resolve(resolveDir, path.replace(/\.js$/, '.ts'))
        apart.push([target])
        return { path: `./${bundleName(target)}.cjs`, external: true }
      })
      onResolve({ filter: sharedPackage }, ({ kind, path }) => {
        if (kind === 'entry-point') return undefined
        apart.push([path, sharedPackages[path]])
        return { path: `./${sharedPackages[path]}.cjs`, external: true }
      })
    },
  }
  const { metafile } = await build({
    entryPoints: { [name]: file },
    metafile: true,
    outdir,
    outExtension: { '.js': '.cjs' },
    absWorkingDir: root,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    minify: true,
    // The licences are in the notices: scripts/third-party.mjs.
    legalComments: 'none',
    supported: { 'dynamic-import': false },
    loader: { '.text': 'text' },
    plugins: [
      esbuildPythonPackage,
      separateBundles,
      lazyModules,
      flatCommander,
      noCharacterTables,
      fewMediaTypes,
      noProtoFiles,
      noSha3,
      versionAlone,
    ],
    // The variant with hashes in JavaScript: loading node:crypto takes longer than computing a code.
    alias: { otpauth: 'otpauth/slim' },
    // A bundle that starts a thread finds the file beside itself.
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    logLevel: 'warning',
  })
  metafiles.push(metafile)
  await Promise.all(apart.map((args) => bundle(...args)))
}

/**
 * Modules of Node that few commands use, by the functions in use. Loading one takes an eighth of the time of `node -e 0`,
 * so it is loaded when one of its functions is called.
 */
const lazyFunctions = {
  'node:child_process': ['execFile', 'spawn', 'spawnSync'],
  'node:crypto': [
    'createHash',
    'createHmac',
    'createPrivateKey',
    'createPublicKey',
    'hash',
    'hkdfSync',
    'randomBytes',
    'randomInt',
    'randomUUID',
    'sign',
    'timingSafeEqual',
    'verify',
  ],
}

const lazyModules = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${Object.keys(lazyFunctions).join('|')})$`) }, ({ path, importer }) =>
      importer.startsWith(resolve(root, 'src')) || importer.includes('/commander/')
        ? { path, namespace: 'lazy' }
        : undefined,
    )
    // An ES module, so that the build fails if another function is imported.
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: lazyFunctions[path]
        .map((name) => `export const ${name} = (...args) => require('${path}').${name}(...args)`)
        .join('\n'),
    }))
    onResolve({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({ path, external: true }))
  },
}

/**
 * commander as ES modules. As CommonJS it stands inside a function, so V8 scans all of it at every start, and once more when
 * that function is called.
 */
const flatCommander = {
  name: 'flat-commander',
  setup({ onResolve, onLoad }) {
    const folder = resolve(root, 'node_modules/commander')
    onResolve({ filter: /^commander$/ }, () => ({ path: 'commander', namespace: 'flat-commander' }))
    onLoad({ filter: /.*/, namespace: 'flat-commander' }, () => ({
      resolveDir: folder,
      contents: ['argument', 'command', 'error', 'help', 'option']
        .map((name) => `export * from './lib/${name}.js'`)
        .join('\n'),
    }))
    onLoad({ filter: /[/\\]commander[/\\]lib[/\\]\w+\.js$/ }, async ({ path }) => {
      const contents = (await readFile(path, 'utf8'))
        .replaceAll(/^const (\{.*\}) = require\('(\..+)'\);$/gm, "import $1 from '$2';")
        .replaceAll(/^exports\.(\w+) = \1;/gm, 'export { $1 };')
      if (/\brequire\('\.|\bexports\./.test(contents)) throw new Error(`${path} is written in another way`)
      return { contents }
    })
  },
}

/**
 * The tables of iconv-lite for character sets other than UTF, a tenth of the package. Only express reads bodies through it,
 * and its reader of JSON takes UTF alone (RFC 8259 §8.1); any other charset is answered 415 without the tables.
 */
const noCharacterTables = {
  name: 'no-character-tables',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]iconv-lite[/\\]encodings[/\\](sbcs|dbcs)-data(-generated)?\.js$/ }, () => ({
      contents: 'module.exports = {}',
    }))
  },
}

/**
 * Most of mime-db, more than all of express: what the extensions of files stand for. The demo serves no files, and says and
 * reads JSON.
 */
const fewMediaTypes = {
  name: 'few-media-types',
  setup({ onLoad }) {
    const kept = ['application/json', 'application/octet-stream', 'text/html', 'text/plain']
    onLoad({ filter: /[/\\]mime-db[/\\]db\.json$/ }, async ({ path }) => {
      const types = JSON.parse(await readFile(path, 'utf8'))
      return {
        loader: 'json',
        contents: JSON.stringify(Object.fromEntries(kept.map((type) => [type, types[type]]))),
      }
    })
  },
}

/** Of our package.json the program needs the version. */
const versionAlone = {
  name: 'version-alone',
  setup({ onLoad }) {
    const own = resolve(root, 'package.json')
    onLoad({ filter: /[/\\]package\.json$/ }, async ({ path }) => {
      if (path !== own) return undefined
      const { version } = JSON.parse(await readFile(path, 'utf8'))
      return { loader: 'json', contents: JSON.stringify({ version }) }
    })
  },
}

/**
 * What reads `.proto` files, a third of @grpc/grpc-js. It loads that only for channelz and for load reports, which nothing
 * here has.
 */
const noProtoFiles = {
  name: 'no-proto-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ path }) => ({ path, namespace: 'no-proto-files' }))
    onLoad({ filter: /.*/, namespace: 'no-proto-files' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** SHA-3, of which otpauth makes tables at every start. RFC 6238 has SHA-1 and SHA-2, and so have we; age needs its own. */
const noSha3 = {
  name: 'no-sha3',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@noble\/hashes\/sha3\.js$/ }, ({ path, importer }) =>
      /[/\\]otpauth[/\\]/.test(importer) ? { path, namespace: 'no-sha3' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'no-sha3' }, () => ({
      contents: [224, 256, 384, 512].map((bits) => `export const sha3_${bits} = undefined`).join('\n'),
    }))
  },
}

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

rmSync(resolve(root, 'dist'), { recursive: true, force: true })
const results = await Promise.allSettled([
  bundle(resolve(root, 'src/cli/start.ts')),
  // Started as threads, so nothing imports them.
  bundle(resolve(root, 'src/import/qr-worker.ts')),
  bundle(resolve(root, 'src/import/own/yaml-worker.ts')),
  library(),
  writeManPages(),
])
for (const result of results) {
  if (result.status === 'fulfilled') continue
  process.exitCode = 1
  console.error(result.reason.message)
}
if (!process.exitCode) writeThirdParty(metafiles, resolve(root, 'dist'))
