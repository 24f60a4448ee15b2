import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A program as JavaScript, with this package's sources in it and everything else to be imported. */
export async function bundled(code: string): Promise<string> {
  const sources: Readonly<Record<string, string>> = {
    'a2a-totp/client': 'src/client/index.ts',
    'a2a-totp/client/a2a': 'src/client/a2a.ts',
    'a2a-totp/client/grpc': 'src/client/grpc.ts',
  }
  const { outputFiles } = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: root },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    plugins: [
      {
        name: 'own-sources',
        setup: (bundle) => {
          bundle.onResolve({ filter: /^a2a-totp\// }, ({ path }) => ({
            path: join(root, sources[path] ?? path),
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}

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
