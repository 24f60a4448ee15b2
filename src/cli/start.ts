import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'

interface Bundle {
  readonly run: () => void
}

/**
 * Runs this process's command line: what `bin/a2a-totp.cjs` calls.
 *
 * Loads the main bundle with the code that V8 made of it when it was built, which saves a third of the time of a
 * command. V8 refuses the code of another version of itself, and compiles then as ever.
 */
export function run(): void {
  const filename = join(__dirname, 'main.cjs')
  const source = `(function (exports, require, module) {${readFileSync(filename, 'latin1')}\n})`
  const cachedData = codeOf(filename)
  const script = new Script(source, { filename, ...(cachedData ? { cachedData } : {}) })
  const module = { exports: {} }
  const load = script.runInThisContext() as (exports: object, require: NodeJS.Require, module: object) => void
  load(module.exports, require, module)
  ;(module.exports as Bundle).run()
}

function codeOf(filename: string): Buffer | undefined {
  try {
    return readFileSync(`${filename}.cache`)
  } catch {
    return undefined
  }
}
