// The server behind a proxy: answers a GET with a stream of events that stays silent after its first, and anything else
// with a few bytes.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write('data: first\n\n')
    return
  }
  req
    .resume()
    .on('end', () =>
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 2 }).end('{}'),
    )
})
server.keepAliveTimeout = 0
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)
process.on('disconnect', () => process.exit())
