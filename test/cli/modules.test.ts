import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'
import { loadedBy } from '../support/loaded-modules.js'

/**
 * What every command loads. To load a module costs a tenth of the time of a whole `node -e 0` and more: whoever adds
 * a line here has measured it with `npm run bench -- start`.
 */
const always = [
  'node:crypto',
  'node:events',
  'node:fs',
  'node:module',
  'node:os',
  'node:path',
  'node:process',
  'node:stream',
  'node:timers/promises',
  'node:vm',
]

const local: readonly (readonly string[])[] = [
  ['--help'],
  ['--version'],
  ['init', '--store', 'other.json'],
  ['add-peer', 'bob'],
  ['list'],
  ['list', '--json'],
  ['show', 'alice'],
  ['show', 'alice', '--uri'],
  ['config', 'server'],
  ['config', 'client', 'alice'],
  ['config', 'card'],
  ['remove-peer', 'alice', '--yes'],
]

describe('what a command loads', () => {
  it.each(local.map((args) => [args.join(' '), args] as const))(
    '%s: the main bundle and a few modules of Node',
    async (_, args) => {
      const cwd = await makeStore(['alice'])
      expect(await loadedBy(args, cwd)).toEqual({
        bundles: ['start.cjs', 'main.cjs'],
        builtins: always,
        others: [],
      })
    },
  )

  // The quick bundle is no module: it runs from the code that V8 made of it when it was built.
  it.each([
    ['code', 'alice'],
    ['code', 'alice', '--json'],
    ['verify', '-', 'alice'],
  ])('%s %s: the quick bundle and a few modules of Node', async (...args) => {
    const cwd = await makeStore(['alice'])
    const { stdout } = await runCli(['code', 'alice'], { cwd })
    const loaded = await loadedBy(args.filter(Boolean), cwd, stdout)
    expect(loaded).toEqual({ bundles: ['start.cjs'], builtins: always, others: [] })
  })

  it('the compiled code of the quick bundle is of this build', () => {
    const quick = fileURLToPath(new URL('../../dist/cli/quick.cjs', import.meta.url))
    const source = `(function (exports, require, module) {${readFileSync(quick, 'utf8')}\n})`
    const script = new Script(source, { filename: quick, cachedData: readFileSync(`${quick}.cache`) })
    expect(script.cachedDataRejected).toBe(false)
  })

  it('show --qr-file: the bundle that draws, besides', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, others } = await loadedBy(['show', 'alice', '--qr-file', 'alice.svg'], cwd)
    expect({ bundles, others }).toEqual({ bundles: ['start.cjs', 'main.cjs', 'qr.cjs'], others: [] })
  })

  it('an entry bundle stays small, since each command reads the whole of it', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url))
    expect(statSync(main).size).toBeLessThan(192 * 1024)
  })
})
