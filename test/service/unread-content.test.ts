import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { listenMixed } from '../../src/service/mixed-listener.js'

const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n'

it.each([
  ['in one burst with its head', true],
  ['behind its head', false],
])('leaves a content that nobody reads where it is: %s', async (_, isBurst) => {
  let arrived: (req: IncomingMessage) => void = () => undefined
  const request = new Promise<IncomingMessage>((done) => (arrived = done))
  const listener = await listenMixed({ host: '127.0.0.1', port: 0 }, (req) => arrived(req))
  onTestFinished(() => listener.stop())
  const client = connect(Number(listener.address.split(':').at(-1)), '127.0.0.1')
  client.on('error', () => undefined)
  const content = Buffer.alloc(50_000_000)
  if (isBurst) client.write(Buffer.concat([Buffer.from(head), content]))
  else client.write(head)
  const req = await request
  if (!isBurst) client.write(content)
  // There is no event for what does not happen.
  await sleep(300)
  expect(req.readableLength).toBeLessThan(200_000)
  let length = 0
  req.on('data', (chunk: Buffer) => (length += chunk.length))
  await once(req, 'end')
  expect(length).toBe(content.length)
  client.destroy()
})
