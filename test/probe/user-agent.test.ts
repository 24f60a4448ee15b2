import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { HttpClient } from '../../src/probe/wire/http.js'
import type { FieldLine } from '../../src/probe/wire/raw-answer.js'
import { respond } from '../support/grpc-responses.js'
import { listening } from '../support/listening.js'
import { midStep } from '../support/probing.js'

const own = `a2a-totp/${packageJson.version}`

it.each<[string, readonly FieldLine[], string]>([
  ['its name and version', [], own],
  ['nothing beside a header of the caller’s', [['user-agent', '123456']], '123456'],
])('the probe sends %s as User-Agent, over HTTP/1.1 and gRPC', async (_, fields, expected) => {
  const seen: unknown[] = []
  await using plain = await listening(
    createServer(({ headers }, response) => {
      seen.push(headers['user-agent'])
      response.end()
    }),
  )
  const http2 = createHttp2Server().on('stream', (stream, headers) => {
    seen.push(headers['user-agent'])
    respond(stream, 0, '')
  })
  await using rpc = await listening(http2)
  const client = new HttpClient({ timeoutMs: 10_000, now: () => midStep })
  const url = new URL(`http://127.0.0.1:${plain.port}`)
  await client.exchange(client.connection(url), { method: 'GET', url, fields, mostBytes: 1024 })
  const there = { url: new URL(`http://127.0.0.1:${rpc.port}`), path: '/a.B/C' }
  await client.grpcConnection().call({ ...there, fields, message: Buffer.alloc(5) })
  client.close()
  expect(seen).toEqual([expected, expected])
})
