import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { bundled } from '../support/bundled.js'
import { runNode } from '../support/client-process.js'
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

/** Alice's, for agents that take the same credentials. */
function clientFile(agents: Readonly<Record<string, ClientAgent>>): string {
  const entries = Object.entries(agents).map(([name, { origin }]) => [
    name,
    { url: origin, token, seed: seed.base32, replay: 'reuse', signed: 'off' },
  ])
  return JSON.stringify({ version: 1, peer: 'alice', agents: Object.fromEntries(entries) as object })
}

describe.each(pages)('docs/client/%s.md', (page) => {
  it.each(blocksOf(page))('shows code that calls a real agent: $heading', async ({ code }) => {
    const tls = page === 'grpc' ? selfSigned() : undefined
    const replay = code.includes("replay: 'once'") ? 'once' : 'reuse'
    await using agent = await clientAgent({ now: () => new Date() }, { replay, ...(tls && { tls }) })
    const roots = join(makeFolder(), 'roots.pem')
    if (tls) writeFileSync(roots, tls.cert)
    const point = pointedAt(agent, tls ? 'https' : 'http')
    // The page of a client file calls a second agent.
    await using stock = await clientAgent({ now: () => new Date() })
    const file = join(makeFolder(), 'alice.json')
    writeFileSync(file, clientFile({ billing: agent, stock }), { mode: 0o600 })
    const placed = code
      .replace("'alice.json'", JSON.stringify(file))
      .replace('https://stock.example/', `${stock.origin}/`)
    const printed = await runNode(await bundled(point(placed)), {
      A2A_TOTP_TOKEN: token,
      A2A_TOTP_SEED: seed.base32,
      BILLING_TOKEN: token,
      BILLING_SEED: seed.base32,
      ...(tls && { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots }),
    })
    expect(printed.trim()).not.toBe('')
    expect(agent.seen.map(({ passed }) => passed)).toEqual([true])
    expect(stock.seen.map(({ passed }) => passed)).toEqual(code.includes('stock.example') ? [true] : [])
  })
})

it('the pages have code to try', () => {
  expect(pages.map((page) => blocksOf(page).length)).toEqual([5, 4, 3])
})
