import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import { totpGuard } from '../../src/server/fastify.js'
import { Clock, schemeFor } from '../support/guarded.js'

it('runs no handler for a refused client that disconnects while the answer is still being made', async () => {
  const app = fastify()
  const handled: string[] = []
  const { scheme } = schemeFor(new Clock())
  app.addHook('onRequest', totpGuard(scheme))
  const left = new Promise<void>((done) => {
    app.addHook('onSend', async (request, _reply, payload) => {
      await once(request.raw.socket, 'close')
      // Fastify hears of the end of the connection in the same turn.
      setImmediate(done)
      await turn()
      return payload
    })
  })
  app.get('/', (request) => handled.push(request.url))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n', () => socket.destroy())
  await left
  for (let turns = 0; turns < 10; turns++) await turn()
  await app.close()
  expect(handled).toEqual([])
})
