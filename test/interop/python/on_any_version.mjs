// Runs on_any_version.py in the Pyodide at a path, with the modules of these folders, and prints its report.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [, , pyodide = '', ...folders] = process.argv
const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')

const { loadPyodide } = await import(join(pyodide, 'pyodide.mjs'))
const python = await loadPyodide({ indexURL: `${pyodide}/` })
for (const folder of folders) {
  for (const path of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.py'))) {
    python.FS.mkdirTree(dirname(`/modules/${path}`))
    python.FS.writeFile(`/modules/${path}`, readFileSync(join(folder, path), 'utf8'))
  }
}
python.runPython('import sys; sys.path.insert(0, "/modules")')
python.globals.set('wire', read('test/vectors/wire.json'))
python.globals.set('rfc', read('test/vectors/rfc.json'))
await python.runPythonAsync(read('test/interop/python/on_any_version.py'))
console.log(python.globals.get('report'))
