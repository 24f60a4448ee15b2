import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { codePath } from '../../src/cli/start.js'
import { makeStore, runCli } from '../support/cli.js'
import { loadedBy } from '../support/loaded-modules.js'

/**
 * What every command loads. To load a module costs a tenth of the time of a whole `node -e 0` and more: whoever adds
 * a line here has measured it with `npm run bench -- start`.
 */
const always = ['node:events', 'node:fs', 'node:path', 'node:process', 'node:vm']
/** Those that make credentials, and note who did it where. */
const making = [...always, 'node:crypto', 'node:os'].sort()

const local: readonly (readonly [args: readonly string[], builtins: readonly string[]])[] = [
  [['--help'], always],
  [['--version'], always],
  [['code', 'alice'], always],
  [['code', 'alice', '--json'], always],
  [['list'], always],
  [['list', '--json'], always],
  [['show', 'alice'], always],
  [['show', 'alice', '--uri'], always],
  [['config', 'client', 'alice'], always],
  [['config', 'card'], always],
  [['verify', '-', 'alice'], [...always, 'node:crypto'].sort()],
  [['init', '--store', 'other.json'], making],
  [['add-peer', 'bob'], making],
  [['remove-peer', 'alice', '--yes'], making],
]

describe('what a command loads', () => {
  // The main bundle is no module: it runs from the code that V8 made of it when it was built.
  it.each(local.map(([args, builtins]) => [args.join(' '), args, builtins] as const))(
    '%s: the main bundle and a few modules of Node',
    async (_, args, builtins) => {
      const cwd = await makeStore(['alice'])
      const { stdout } = await runCli(['code', 'alice'], { cwd })
      expect(await loadedBy(args, cwd, stdout)).toEqual({ bundles: ['start.cjs'], builtins, others: [] })
    },
  )

  it('the compiled code of the main bundle is of this build', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url))
    const source = `(function (exports, require, module) {${readFileSync(main, 'latin1')}\n})`
    const script = new Script(source, { filename: main, cachedData: readFileSync(codePath(main)) })
    expect(script.cachedDataRejected).toBe(false)
  })

  it('the main bundle is ASCII, since it is read as Latin-1: esbuild leaves regular expressions as they are', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url))
    expect(readFileSync(main).findIndex((byte) => byte > 0x7f)).toBe(-1)
  })

  it.each([
    ['as it is', '', true],
    ['of another release', "{ version: { value: 'v20.19.0' } }", false],
    ['of another system', "{ platform: { value: 'aix' } }", false],
    ['on another processor', "{ arch: { value: 'loong64' } }", false],
  ])('a Node.js %s: the compiled code is its own or is not used', (_, difference, used) => {
    const start = fileURLToPath(new URL('../../dist/cli/start.cjs', import.meta.url))
    const script = `
      const vm = require('node:vm')
      const { Script } = vm
      vm.Script = class extends Script {
        constructor(source, options) {
          super(source, options)
          console.log(options.cachedData !== undefined)
        }
      }
      Object.defineProperties(process, ${difference || '{}'})
      process.argv.push('a2a-totp', '--version')
      require(${JSON.stringify(start)}).run()`
    const output = execFileSync(process.execPath, ['-e', script]).toString()
    expect(output).toMatch(new RegExp(`^${used}\\n\\d+\\.\\d+\\.\\d+\\n$`))
  })

  it('config server: the reader of server files, besides', async () => {
    const loaded = await loadedBy(['config', 'server'], await makeStore(['alice']))
    const builtins = [...always, 'node:crypto'].sort()
    expect(loaded).toEqual({ bundles: ['start.cjs', 'reader.cjs'], builtins, others: [] })
  })

  it('show --qr-file: the bundle that draws, besides', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, others } = await loadedBy(['show', 'alice', '--qr-file', 'alice.svg'], cwd)
    expect({ bundles, others }).toEqual({ bundles: ['start.cjs', 'qr.cjs'], others: [] })
  })

  it('an entry bundle stays small, since each command reads the whole of it', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url))
    expect(statSync(main).size).toBeLessThan(192 * 1024)
  })
})
