import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

/** Debian has it on the PATH, a tarball from go.dev has it here. */
const go = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin']
  .map((folder) => join(folder, 'go'))
  .find((path) => existsSync(path))

/** `describe` where there is Go. In CI the package golang-go is installed; elsewhere it may be missing. */
export const describeWithGo = describe.skipIf(go === undefined && !process.env['CI'])

/**
 * The environment of Go's tools, and of programs that they build: nothing of this process's but the path, no C, and no
 * module from anywhere.
 *
 * @param home a folder
 */
export const goEnvironment = (
  home: string,
  given: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: home,
  // Kept, since to compile net/http takes a minute.
  GOCACHE: fileURLToPath(new URL('../../.venvs/go-cache', import.meta.url)),
  CGO_ENABLED: '0',
  GOPROXY: 'off',
  GOTOOLCHAIN: 'local',
  GOFLAGS: '-mod=mod',
  ...given,
})

interface GoOptions {
  readonly tool?: 'go' | 'gofmt'
  readonly input?: string
  /** Variables besides. */
  readonly given?: Readonly<Record<string, string>>
}

/** Go keeps counters below its home, which must not be the folder of a module here. */
const ownHome = fileURLToPath(new URL('../../.venvs/go-home', import.meta.url))

/** Runs `go`, or `gofmt`, in a folder, and returns what it prints. */
export function runGo(
  cwd: string,
  args: readonly string[],
  { tool = 'go', input = '', given = {} }: GoOptions = {},
): string {
  const command = join(dirname(go ?? 'go'), tool)
  return execFileSync(command, args, {
    cwd,
    env: goEnvironment(ownHome, given),
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 26,
  })
}

/** The modules of others are kept here. */
const modules = fileURLToPath(new URL('../../.venvs/go-modules', import.meta.url))

/** Whether Go is new enough for modules that need 1.25; Debian's may not be, and fetches no other here. */
export const isNewGo = go !== undefined && hasVersion(25)

function hasVersion(least: number): boolean {
  const [, minor = 0] = /go1\.(\d+)/.exec(runGo('/', ['version']))?.map(Number) ?? []
  return minor >= least
}

/**
 * Builds programs of a module that needs others, which come from the Go proxy the first time.
 *
 * @param folder of the module; its go.mod is written here
 * @param required `MODULE@VERSION` each
 * @param packages what is built, into the folder `bin`
 */
export function buildGo(folder: string, required: readonly string[], packages: readonly string[]): void {
  const lines = required.map((one) => `require ${one.replace('@', ' ')}\n`).join('')
  writeFileSync(join(folder, 'go.mod'), `module example\n\ngo 1.25.0\n\n${lines}`)
  const proxy = process.env['GOPROXY'] ?? 'https://proxy.golang.org,direct'
  const given = { GOPROXY: proxy, GOMODCACHE: modules, GOFLAGS: '-mod=mod -modcacherw -buildvcs=false' }
  runGo(folder, ['build', '-o', 'bin/', ...packages], { given })
}
