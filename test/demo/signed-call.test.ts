import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { binary, makeStore } from '../support/cli.js'
import { listening } from '../support/listening.js'

interface Run {
  readonly cli: string
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly log: (line: string) => void
}
type CallTwice = (cardUrl: string, run: Run) => Promise<boolean>

const script = new URL('../../scripts/signed-call.mjs', import.meta.url)

type Answer = readonly [status: number, body: string]

const echo: Answer = [200, 'alice said: hello']
const refusal: Answer = [401, 'no']

it.each<[Answer[], string[], boolean]>([
  [[echo, refusal], ['200, let in', '401, refused'], true],
  [[echo, echo], ['200, let in', '200, NOT refused'], false],
  [[refusal, refusal], ['401, NOT let in', '401, refused'], false],
  [[[200, 'an error'], refusal], ['200, NOT let in', '401, refused'], false],
  [[echo, [503, 'later']], ['200, let in', '503, NOT refused'], false],
  [[echo, [401, 'alice said: hello']], ['200, let in', '401, NOT refused'], false],
])('the demo says what an agent did with a signed call that came twice: %j', async (answers, said, good) => {
  const sent: string[] = []
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      const { port } = server.address() as AddressInfo
      const url = `http://127.0.0.1:${port}/rpc`
      res.end(
        JSON.stringify({
          supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
        }),
      )
      return
    }
    const { signature, authorization } = req.headers
    const [status, body] = answers[sent.push(`${String(signature)} ${String(authorization)}`) - 1] ?? [
      500,
      '',
    ]
    res.writeHead(status).end(body)
  })
  await using at = await listening(server)
  const folder = await makeStore(['alice'])
  const lines: string[] = []
  const { callTwice } = (await import(script.href)) as { callTwice: CallTwice }
  const run = {
    cli: binary,
    folder,
    env: { PATH: process.env['PATH'] ?? '' },
    log: (line: string) => void lines.push(line),
  }
  expect(await callTwice(`http://127.0.0.1:${at.port}/card`, run)).toBe(good)
  expect(lines.slice(1).map((line) => line.replace(/^.*: +/, '').trim())).toEqual(said)
  expect(sent).toHaveLength(2)
  expect(sent[1]).toBe(sent[0])
  expect(sent[0]).toMatch(/^a2a-totp=:[^ ]+: Bearer a2at_/)
})
