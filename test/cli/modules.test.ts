import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeStore, runCli } from '../support/cli.js'
import { loadedBy } from '../support/loaded-modules.js'

const dist = fileURLToPath(new URL('../../dist/cli', import.meta.url))

/**
 * What commands load. Loading a module or a bundle takes up to an eighth of the time of `node -e 0`: measure with
 * `npm run bench -- start` before adding to these lists.
 */
const program = ['node:events', 'node:fs', 'node:module', 'node:path', 'node:process']
const withStore = [...program, 'node:os', 'node:timers/promises'].sort()
/** Commands that create or compare credentials. */
const withCrypto = [...withStore, 'node:crypto'].sort()

type Expected = readonly [args: readonly string[], command: string | undefined, builtins: readonly string[]]

const local: readonly Expected[] = [
  [['--help'], undefined, program],
  [['--version'], undefined, program],
  [['code', 'alice'], 'codes-code', withStore],
  [['code', 'alice', '--json'], 'codes-code', withStore],
  [['list'], 'peers-list', withStore],
  [['list', '--json'], 'peers-list', withStore],
  [['show', 'alice'], 'peers-show', withStore],
  [['show', 'alice', '--uri'], 'peers-show', withStore],
  [['config', 'client', 'alice'], 'config-config', withStore],
  [['verify', '-', 'alice'], 'codes-verify', withCrypto],
  [['add-peer', 'bob'], 'peers-add-peer', withCrypto],
  [['remove-peer', 'alice', '--yes'], 'peers-remove-peer', withCrypto],
  [['set', 'alice', '--note', 'hello'], 'peers-set', withCrypto],
  [['rename', 'alice', 'alicia'], 'peers-rename', withCrypto],
  [['log'], 'store-log', withStore],
]

/** The bundle of the program, that of one command, and others, as {@link loadedBy} lists them. */
const bundlesOf = (command: string | undefined, ...others: string[]): string[] =>
  ['start', 'main', ...(command === undefined ? [] : [`commands-${command}`]), ...others]
    .map((name) => `${name}.cjs`)
    .sort()

describe('what a command loads', () => {
  it.each(local.map(([args, command, builtins]) => [args.join(' '), args, command, builtins] as const))(
    '%s: its own bundle and a few modules of Node',
    async (_, args, command, builtins) => {
      const cwd = await makeStore(['alice'])
      const { stdout } = await runCli(['code', 'alice'], { cwd })
      expect(await loadedBy(args, cwd, stdout)).toEqual({
        bundles: bundlesOf(command),
        builtins,
        others: [],
      })
    },
  )

  it('init: also the bundle that creates a store, which no other command carries', async () => {
    expect(await loadedBy(['init', '--store', 'other.json'], await makeStore(['alice']))).toEqual({
      bundles: bundlesOf('store-init', 'store-create-store'),
      builtins: withCrypto,
      others: [],
    })
  })

  it('config card: also the bundle that makes cards', async () => {
    expect(await loadedBy(['config', 'card'], await makeStore(['alice']))).toEqual({
      bundles: bundlesOf('config-config', 'commands-config-card-content'),
      builtins: withStore,
      others: [],
    })
  })

  it('config server: also the reader of server files', async () => {
    expect(await loadedBy(['config', 'server'], await makeStore(['alice']))).toEqual({
      bundles: bundlesOf('config-config', 'commands-config-server-reader'),
      builtins: withCrypto,
      others: [],
    })
  })

  it('remove-peer --server-out: also the bundles that write server files', async () => {
    const args = ['remove-peer', 'alice', '--yes', '--server-out', 'server.json']
    const { bundles, others } = await loadedBy(args, await makeStore(['alice', 'bob']))
    const more = ['commands-config-server-reader', 'commands-server-out', 'store-result-out-of-git']
    expect({ bundles, others }).toEqual({ bundles: bundlesOf('peers-remove-peer', ...more), others: [] })
  })

  it('mesh init: its own bundle, and no reader of YAML', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, builtins } = await loadedBy(['mesh', 'init', 'a2a-totp.json'], cwd)
    expect(bundles).toEqual(bundlesOf('mesh-mesh', 'commands-mesh-init-mesh'))
    expect(builtins).toEqual(withCrypto)
  })

  it('code --for: also the bundles that sign', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, builtins } = await loadedBy(['code', 'alice', '--for', 'GET', 'http://h/'], cwd)
    expect(bundles).toEqual(
      bundlesOf('codes-code', 'commands-codes-request-line', 'commands-codes-request-proof'),
    )
    expect(builtins).toEqual(withCrypto)
  })

  it('show --qr-file: also the bundle that draws', async () => {
    const cwd = await makeStore(['alice'])
    const { bundles, others } = await loadedBy(['show', 'alice', '--qr-file', 'alice.svg'], cwd)
    expect({ bundles, others }).toEqual({
      bundles: bundlesOf('peers-show', 'io-qr', 'store-result-out-of-git'),
      others: [],
    })
  })

  it('bundles stay small, since a command parses the whole of its own', () => {
    const sizeOf = (name: string): number => statSync(join(dist, name)).size
    const commands = readdirSync(dist).filter((name) => /^commands-.*\.cjs$/.test(name))
    expect(commands.length).toBeGreaterThan(15)
    // What a command of a mesh does has a bundle of its own, which its help does not load.
    const work = commands.filter((name) => /^commands-mesh-.*-run\.cjs$/.test(name))
    expect(work.filter((name) => sizeOf(name) > 344 * 1024)).toEqual([])
    const others = commands.filter((name) => !work.includes(name))
    expect(others.filter((name) => sizeOf(name) > 105 * 1024)).toEqual([])
    expect(sizeOf('main.cjs')).toBeLessThan(64 * 1024)
    expect(sizeOf('start.cjs')).toBeLessThan(4 * 1024)
  })
})
