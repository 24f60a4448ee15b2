import { createServer } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { startBareAgent } from '../support/bare-agent.js'
import { listening } from '../support/listening.js'

type CallUnchanged = (url: string, log: (line: string) => void) => Promise<boolean>

const script = new URL('../../scripts/unchanged-client.mjs', import.meta.url)

async function call(url: string): Promise<{ good: boolean; lines: string[] }> {
  const { callUnchanged } = (await import(script.href)) as { callUnchanged: CallUnchanged }
  const lines: string[] = []
  const good = await callUnchanged(url, (line) => void lines.push(line.trim()))
  return { good, lines }
}

/** In place of a proxy: passes on to an agent, which is told who called. */
async function forwarder(agent: string, peer: string): Promise<string> {
  const server = createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk as Buffer)
      const headers = { 'content-type': 'application/json', 'a2a-version': '1.0', totppeer: peer }
      const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}
      const answer = await fetch(agent + (req.url ?? ''), { method: req.method ?? '', headers, ...body })
      const type = answer.headers.get('content-type') ?? ''
      const text = (await answer.text()).replaceAll(agent, `http://${req.headers.host ?? ''}`)
      res.writeHead(answer.status, { 'content-type': type }).end(text)
    })()
  })
  const at = await listening(server)
  onTestFinished(() => at[Symbol.asyncDispose]())
  return `http://127.0.0.1:${at.port}`
}

it('the demo says what the agent said to the client of the SDK, sent and streamed', async () => {
  const { good, lines } = await call(await forwarder(await startBareAgent(), 'alice'))
  expect(lines).toEqual(['send:   alice said: hello', 'stream: alice said: hello again, in 3 events'])
  expect(good).toBe(true)
})

it('the demo fails where the agent took the call for that of another', async () => {
  const { good, lines } = await call(await startBareAgent())
  expect(lines[0]).toBe('send:   nobody said: hello')
  expect(good).toBe(false)
})

it('the demo fails, and says how, where the call is refused', async () => {
  await using at = await listening(createServer((_, res) => void res.writeHead(503).end()))
  const { good, lines } = await call(`http://127.0.0.1:${at.port}`)
  expect(lines).toEqual([expect.stringMatching(/^FAILED: .*503/)])
  expect(good).toBe(false)
})
