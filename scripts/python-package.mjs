// The source of the Python package, as one module of JavaScript: the CLI puts the vendored files together from it.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'

const folder = fileURLToPath(new URL('../python/src/a2a_totp/', import.meta.url))

/** What is imported. `src/fragments/text-modules.d.ts` declares it. */
const packageModule = 'a2a-totp:python-package'

/**
 * The text of each module by its path in the package, such as `scheme/scheme.py`. Those named `__init__.py` only re-export,
 * and are left out.
 */
const packageSources = () =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.py') && !path.endsWith('__init__.py'))
      .sort()
      .map((path) => [path, readFileSync(folder + path, 'utf8')]),
  )

/** A quarter of the size: it is in the tarball, and rarely asked for. */
const compressed = () => deflateRawSync(JSON.stringify(packageSources()), { level: 9 }).toString('base64')

/** For esbuild. */
export const esbuildPythonPackage = {
  name: 'python-package',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${packageModule}$`) }, ({ path }) => ({
      path,
      namespace: 'python-package',
    }))
    onLoad({ filter: /.*/, namespace: 'python-package' }, () => ({
      contents: `import { inflateRawSync } from 'node:zlib'
export default JSON.parse(inflateRawSync(Buffer.from('${compressed()}', 'base64')).toString())`,
    }))
  },
}

/** For Vite. */
export const vitePythonPackage = {
  name: 'python-package',
  resolveId: (id) => (id === packageModule ? `\0${packageModule}` : undefined),
  load: (id) =>
    id === `\0${packageModule}` ? `export default ${JSON.stringify(packageSources())}` : undefined,
}
