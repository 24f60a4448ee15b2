import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import { both, expectGuarded, firstAgent, start } from '../support/docs-servers.js'
import { peers } from '../support/guarded.js'
import { findings } from '../support/probing.js'

/** With the agent that express.md begins with, as printed. */
const startAgent = (page: string): Promise<number> => start(page, undefined, firstAgent())

const probeAt = (port: number): Promise<ProbeReport> =>
  probe({
    url: `http://127.0.0.1:${port}`,
    credentials: { ...defaultProfile, token: Token.parse(peers.alice.token), seed: peers.alice.seed },
    binding: 'auto',
    protocol: 'auto',
    timeoutMs: 10_000,
    now: () => new Date(),
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    pause: () => Promise.resolve(),
    random: randomBytes,
  })

/** The events of an answer to a message that asks for a stream. */
async function streamed(port: number): Promise<object[]> {
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hello' }] }
  const response = await fetch(`http://127.0.0.1:${port}/a2a/jsonrpc`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0', ...both() },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'SendStreamingMessage', params: { message } }),
  })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const text = await response.text()
  return Array.from(text.matchAll(/^data: (.*)$/gm), ([, data = '']) => JSON.parse(data) as object)
}

describe.each(['README', 'express', 'fastify', 'hono'])(
  'the server of %s.md with the agent of express.md',
  (page) => {
    it('lets in whom it should, and a probe finds nothing wrong with it', async () => {
      const port = await startAgent(page)
      await expectGuarded(port, 'Task not found')
      const report = await probeAt(port)
      expect(findings(report)).toEqual({})
      const passed = report.checks.filter(({ status }) => status === 'pass').map(({ id }) => id)
      expect(passed).toEqual(expect.arrayContaining(['card.and', 'auth.valid', 'auth.stream', 'coverage']))
    })

    it('streams, and says who called', async () => {
      const events = await streamed(await startAgent(page))
      expect(JSON.stringify(events)).toMatch(/"hello".*"caller":"alice"/)
      expect(events[0]).toMatchObject({ jsonrpc: '2.0', id: 1, result: {} })
    })
  },
)
