import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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
  'node:os',
  'node:path',
  'node:process',
  'node:stream',
  'node:timers/promises',
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
  ['code', 'alice'],
  ['code', 'alice', '--json'],
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
      expect(await loadedBy(args, cwd)).toEqual({ bundles: ['main.cjs'], builtins: always, others: [] })
    },
  )

  it('verify -: no more than what it is for', async () => {
    const cwd = await makeStore(['alice'])
    const { stdout } = await runCli(['code', 'alice'], { cwd })
    const loaded = await loadedBy(['verify', '-', 'alice'], cwd, stdout)
    expect(loaded).toEqual({ bundles: ['main.cjs'], builtins: always, others: [] })
  })

  it('show --qr-file: the bundle that draws, besides', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, others } = await loadedBy(['show', 'alice', '--qr-file', 'alice.svg'], cwd)
    expect({ bundles, others }).toEqual({ bundles: ['main.cjs', 'qr.cjs'], others: [] })
  })

  it('an entry bundle stays small, since each command reads the whole of it', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url))
    expect(statSync(main).size).toBeLessThan(192 * 1024)
  })
})
