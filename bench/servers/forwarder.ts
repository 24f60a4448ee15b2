// Forwards to the port of its first argument, by the engine of the sidecars or by the least that node:http needs, or answers itself.
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listenMixed } from '../../src/service/mixed-listener.js'
import { readHead } from '../../src/sidecar/forward/head.js'
import { answerJson, callOver, contentOf, passOn, trailersOf } from '../../src/sidecar/forward/pass-on.js'
import { httpUpstream } from '../../src/sidecar/forward/upstream.js'

const [origin = '', kind] = process.argv.slice(2)

async function engine(): Promise<number> {
  const upstream = httpUpstream(new URL(`http://127.0.0.1:${origin}`))
  const { address } = await listenMixed({ host: '127.0.0.1', port: 0 }, (req, res) => {
    const head = readHead(req)
    if ('refused' in head) {
      answerJson(res, 400, 'INVALID_ARGUMENT', head.why)
      return
    }
    const { method, target, fields } = head
    const content = contentOf(req)
    upstream
      .send({ method, target, fields, content, trailers: trailersOf(req) }, callOver(res))
      .then((answer) => passOn(answer, res))
      .catch((error: unknown) => answerJson(res, 502, 'UNAVAILABLE', (error as Error).message))
  })
  return Number(address.split(':')[1])
}

/** Neither fields of a connection nor aborts nor backpressure are looked after, but by `pipe`. */
function bare(): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer((req, res) => {
    const { method, url, headers } = req
    const sent = request({ host: '127.0.0.1', port: origin, agent, method, path: url, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    sent.on('error', () => res.destroy())
    req.pipe(sent)
  })
  return listen(server)
}

/** Answers all with 200. */
function stub(): Promise<number> {
  return listen(createServer((_req, res) => void res.writeHead(200, { 'Content-Length': 0 }).end()))
}

function listen(server: Server): Promise<number> {
  // Idle ones stay: others are measured meanwhile.
  server.keepAliveTimeout = 0
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port))
  })
}

const start = { engine, bare, stub }[kind ?? ''] ?? bare
const port = await start()
process.on('disconnect', () => process.exit())
process.send?.({ port })
