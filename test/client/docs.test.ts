import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { seed, token } from '../support/client-scheme.js'
import { selfSigned } from '../support/tls.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['fetch', 'a2a-js', 'grpc']

/** The code blocks of a page, each named by the heading it stands under. */
function blocksOf(page: string): { heading: string; code: string }[] {
  const text = readFileSync(join(root, 'docs/client', `${page}.md`), 'utf8')
  return Array.from(text.matchAll(/```ts\n(.*?)```/gs), ({ 1: code = '', index }) => {
    const before = text.slice(0, index)
    return { heading: /.*^#+ (.+?)$/ms.exec(before)?.[1] ?? page, code }
  })
}

/** The block as JavaScript, with this package's sources in it and everything else to be imported. */
async function bundled(code: string): Promise<string> {
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

/** Where the pages say billing.example. */
const pointedAt =
  ({ origin, grpc }: ClientAgent, scheme: string) =>
  (code: string) =>
    code
      .replaceAll('https://billing.example:50051', `${scheme}://${grpc}`)
      .replaceAll('billing.example:50051', grpc)
      .replaceAll("'https://billing.example'", `'${origin}'`)
      .replaceAll('https://billing.example/', `${origin}/`)

function run(code: string, env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((done, fail) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 }
    const child = execFile(
      process.execPath,
      ['--input-type=module', '-'],
      options,
      (error, stdout, stderr) => {
        if (error) fail(new Error(stderr, { cause: error }))
        else done(stdout)
      },
    )
    child.stdin?.end(code)
  })
}

describe.each(pages)('docs/client/%s.md', (page) => {
  it.each(blocksOf(page))('shows code that calls a real agent: $heading', async ({ code }) => {
    const tls = page === 'grpc' ? selfSigned() : undefined
    const replay = code.includes("replay: 'once'") ? 'once' : 'reuse'
    await using agent = await clientAgent({ now: () => new Date() }, { replay, ...(tls && { tls }) })
    const roots = join(makeFolder(), 'roots.pem')
    if (tls) writeFileSync(roots, tls.cert)
    const point = pointedAt(agent, tls ? 'https' : 'http')
    const printed = await run(await bundled(point(code)), {
      A2A_TOTP_TOKEN: token,
      A2A_TOTP_SEED: seed.base32,
      BILLING_TOKEN: token,
      BILLING_SEED: seed.base32,
      ...(tls && { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots }),
    })
    expect(printed.trim()).not.toBe('')
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true])
  })
})

it('the pages have code to try', () => {
  expect(pages.map((page) => blocksOf(page).length)).toEqual([3, 4, 3])
})
