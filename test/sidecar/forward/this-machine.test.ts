import dns from 'node:dns'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Server } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { grpcUpstream, httpUpstream } from '../../../src/sidecar/forward/upstream.js'
import { listening } from '../../support/listening.js'

afterEach(() => vi.restoreAllMocks())

const request = { method: 'GET', target: '/', fields: [], content: undefined }

describe('an agent at localhost', () => {
  const answer = (_request: unknown, response: { end(text: string): unknown }): void =>
    void response.end('here')
  const http = (): Server => createServer(answer)
  const http2 = (): Server => createHttp2Server(answer)
  it.each([
    ['HTTP/1.1', '127.0.0.1', http, httpUpstream],
    ['HTTP/1.1', '::1', http, httpUpstream],
    ['HTTP/2', '127.0.0.1', http2, grpcUpstream],
    ['HTTP/2', '::1', http2, grpcUpstream],
  ] as const)(
    'is reached by %s at %s of this machine, and no resolver is asked',
    async (_by, host, server, open) => {
      await using agent = await listening(server(), host)
      const asked = vi.spyOn(dns, 'lookup').mockImplementation(() => {
        throw new Error('a resolver was asked')
      })
      const upstream = open(new URL(`http://localhost:${agent.port}`))
      try {
        const { content } = await upstream.send(request, new AbortController().signal)
        expect((await buffer(content)).toString()).toBe('here')
        expect(asked).not.toHaveBeenCalled()
      } finally {
        upstream.close()
      }
    },
  )
})
