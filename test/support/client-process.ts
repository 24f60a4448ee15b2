import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a program in a Node of its own; resolves to its stdout, and rejects with its stderr. */
export function runNode(
  code: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<string> {
  return new Promise((done, fail) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 }
    const all = [...args, '--input-type=module', '-']
    const child = execFile(process.execPath, all, options, (error, stdout, stderr) => {
      if (error) fail(new Error(stderr, { cause: error }))
      else done(stdout)
    })
    child.stdin?.end(code)
  })
}
