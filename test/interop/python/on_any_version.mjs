// Runs on_any_version.py in the Pyodide at a path, and prints its report.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [, , folder = ''] = process.argv
const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')

const { loadPyodide } = await import(join(folder, 'pyodide.mjs'))
const python = await loadPyodide({ indexURL: `${folder}/` })
const modules = ['a2a_totp_server', 'a2a_totp_client']
const sources = Object.fromEntries(modules.map((name) => [name, read(`src/fragments/python/${name}.py`)]))
python.globals.set('sources', python.toPy(sources))
python.globals.set('wire', read('test/vectors/wire.json'))
python.globals.set('rfc', read('test/vectors/rfc.json'))
python.runPython(read('test/interop/python/on_any_version.py'))
console.log(python.globals.get('report'))
