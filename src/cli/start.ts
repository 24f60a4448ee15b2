import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * What scripts call for every request. They have a bundle of their own, because to compile the one with every command
 * takes as long again as they do.
 */
const quick = new Set(['code', 'verify'])

interface Bundle {
  readonly run: () => void
}

/** Runs this process's command line: what `bin/a2a-totp.cjs` calls. */
export async function run(): Promise<void> {
  const bundle: Bundle = quick.has(process.argv[2] ?? '') ? loadQuick() : await import('./main.js')
  bundle.run()
}

/**
 * Requires the quick bundle, with the code that V8 made of it when it was built: a quarter of the whole time of
 * `code`. V8 refuses the code of another version of itself, and compiles then as ever.
 */
function loadQuick(): Bundle {
  const path = join(__dirname, 'quick.cjs')
  const requireFrom = createRequire(path)
  const cachedData = cacheOf(path)
  if (!cachedData) return requireFrom(path) as Bundle
  const module = { exports: {} }
  const source = `(function (exports, require, module) {${readFileSync(path, 'utf8')}\n})`
  const load = new Script(source, { filename: path, cachedData }).runInThisContext() as Load
  load(module.exports, requireFrom, module)
  return module.exports as Bundle
}

type Load = (exports: object, requireFrom: NodeJS.Require, module: object) => void

function cacheOf(path: string): Buffer | undefined {
  try {
    return readFileSync(`${path}.cache`)
  } catch {
    return undefined
  }
}
