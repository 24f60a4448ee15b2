// Builds dist/ where it is missing, or older than something that it is made of.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const madeOf = ['src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']

/** The folders as well, since a file that was deleted changes its folder alone. */
function withinOf(path) {
  return statSync(path).isDirectory()
    ? [path, ...readdirSync(path, { recursive: true }).map((name) => join(path, name))]
    : [path]
}

/** Without the folders: Python writes its caches into them whenever it runs. */
const pythonSources = () => withinOf(join(root, 'python/src')).filter((path) => path.endsWith('.py'))

/** @returns {number} a time before everything where the path does not exist */
const timeOf = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const sources = [...madeOf.flatMap((path) => withinOf(join(root, path))), ...pythonSources()]
const changed = Math.max(...sources.map(timeOf))
const built = Math.min(...['dist/cli/main.cjs', 'dist/index.js'].map((path) => timeOf(join(root, path))))
if (changed > built) await import('./build.mjs')
