import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { bundled, runNode } from '../support/client-process.js'
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

/** Where the pages say billing.example. */
const pointedAt =
  ({ origin, grpc }: ClientAgent, scheme: string) =>
  (code: string) =>
    code
      .replaceAll('https://billing.example:50051', `${scheme}://${grpc}`)
      .replaceAll('billing.example:50051', grpc)
      .replaceAll("'https://billing.example'", `'${origin}'`)
      .replaceAll('https://billing.example/', `${origin}/`)

describe.each(pages)('docs/client/%s.md', (page) => {
  it.each(blocksOf(page))('shows code that calls a real agent: $heading', async ({ code }) => {
    const tls = page === 'grpc' ? selfSigned() : undefined
    const replay = code.includes("replay: 'once'") ? 'once' : 'reuse'
    await using agent = await clientAgent({ now: () => new Date() }, { replay, ...(tls && { tls }) })
    const roots = join(makeFolder(), 'roots.pem')
    if (tls) writeFileSync(roots, tls.cert)
    const point = pointedAt(agent, tls ? 'https' : 'http')
    const printed = await runNode(await bundled(point(code)), {
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
  expect(pages.map((page) => blocksOf(page).length)).toEqual([4, 4, 3])
})
