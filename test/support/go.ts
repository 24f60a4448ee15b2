import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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

/** Runs `go`, or `gofmt`, in a folder, and returns what it prints. */
export function runGo(
  cwd: string,
  args: readonly string[],
  { tool = 'go', input = '' }: { readonly tool?: 'go' | 'gofmt'; readonly input?: string } = {},
): string {
  const command = join(dirname(go ?? 'go'), tool)
  return execFileSync(command, args, {
    cwd,
    env: goEnvironment(cwd),
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 26,
  })
}
