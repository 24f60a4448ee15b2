import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { HttpClient } from '../../src/probe/wire/http.js'
import { listening } from '../support/listening.js'
import { midStep } from '../support/probing.js'

const most = 3

/** An agent that answers once on each connection, all of the first ones together, and closes it at the next request. */
function forgetfulAgent() {
  const answered = new Set<Socket>()
  const waiting: (() => void)[] = []
  const server = createServer(({ socket }, response) => {
    if (answered.has(socket)) {
      socket.resetAndDestroy()
      return
    }
    answered.add(socket)
    waiting.push(() => response.end('hello'))
    if (answered.size >= most) for (const answer of waiting.splice(0)) answer()
  })
  return listening(server)
}

describe('connections that the agent closed meanwhile', () => {
  it('are all given up once one of them is found to be closed', async () => {
    await using agent = await forgetfulAgent()
    const client = new HttpClient({ timeoutMs: 20_000, now: () => midStep })
    try {
      const url = new URL(`http://127.0.0.1:${agent.port}/`)
      const connection = client.connection(url, most)
      const ask = () => client.exchange(connection, { method: 'GET', url, fields: [], mostBytes: 100 })
      const first = await Promise.all(Array.from({ length: most }, ask))
      const answer = { answered: true, status: 200, body: 'hello' }
      expect(first).toMatchObject(Array.from({ length: most }, () => answer))
      expect(await ask()).toMatchObject(answer)
    } finally {
      client.close()
    }
  })
})
