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
 * command. Where that is missing, V8 compiles the bundle as ever.
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

/**
 * Where the code that V8 made of a bundle is kept, for the same release of Node.js on the same kind of machine alone:
 * V8 takes that of others for its own, and dies of it (nodejs/node#62781, zertosh/v8-compile-cache#36).
 */
export function codePath(bundle: string): string {
  const { version, platform, arch } = process
  return `${bundle}.${version}-${platform}-${arch}.cache`
}

function codeOf(bundle: string): Buffer | undefined {
  try {
    return readFileSync(codePath(bundle))
  } catch {
    return undefined
  }
}
