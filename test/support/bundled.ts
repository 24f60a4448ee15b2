import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What is not named after its file. */
const sources: Readonly<Record<string, string>> = {
  'a2a-totp': 'src/index.ts',
  'a2a-totp/client': 'src/client/index.ts',
  'a2a-totp/server': 'src/server/index.ts',
}

/**
 * A program as JavaScript, with this package's sources in it and everything else to be imported. Its `./agent.js` is the
 * agent of the pages' readers, by default that of the tests.
 */
export async function bundled(code: string, agent?: string): Promise<string> {
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
          bundle.onResolve({ filter: /^a2a-totp($|\/)/ }, ({ path }) => ({
            path: join(root, sources[path] ?? `src/${path.slice('a2a-totp/'.length)}.ts`),
          }))
          bundle.onResolve({ filter: /^\.\/agent\.js$/ }, () =>
            agent === undefined
              ? { path: join(root, 'test/support/docs-agent.ts') }
              : { path: 'agent.ts', namespace: 'of-a-page' },
          )
          bundle.onLoad({ filter: /^agent\.ts$/, namespace: 'of-a-page' }, () => ({
            contents: agent ?? '',
            loader: 'ts',
            resolveDir: root,
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ''
}
