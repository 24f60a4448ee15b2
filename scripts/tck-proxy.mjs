// Adds a peer's credentials to every request, for a tool that knows none: node scripts/tck-proxy.mjs URL [--port N]
//
// $A2A_TOTP_TOKEN, $A2A_TOTP_SEED and what else `a2a-totp config client NAME` prints come from the environment. Listens on
// 127.0.0.1, prints its URL once it does, and replaces the agent's origin by its own in the card. HTTP only: no gRPC.
//
// For tests alone: whoever reaches it calls the agent as the peer.
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { BearerTokenAuth, TOTPClientAuthScheme, totpFetch } from '../dist/client/index.js'

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '0' } },
  allowPositionals: true,
})
const agent = URL.canParse(positionals[0] ?? '') ? new URL(positionals[0]) : null
if (agent === null) {
  console.error('usage: node scripts/tck-proxy.mjs URL [--port N], with URL the origin of the agent')
  process.exit(2)
}

/** Fields of one connection, those that fetch sets itself, and those of the body as it was sent, not as it was read. */
const ownFields = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-connection',
  'host',
  'expect',
  'content-length',
  'content-encoding',
]

const send = totpFetch(new TOTPClientAuthScheme({ delegate: new BearerTokenAuth() }), {
  origins: [agent.origin],
})

/** @param {import('node:http').IncomingMessage} request */
async function bodyOf(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length > 0 ? Buffer.concat(chunks) : undefined
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function forward(request, response) {
  const left = new AbortController()
  response.on('close', () => left.abort())
  const headers = Object.entries(request.headersDistinct)
    .filter(([name]) => !ownFields.includes(name))
    .flatMap(([name, lines = []]) => lines.map((line) => [name, line]))
  const answer = await send(agent.origin + request.url, {
    method: request.method,
    headers,
    body: await bodyOf(request),
    redirect: 'manual',
    signal: left.signal,
  })
  response.statusCode = answer.status
  for (const [name, value] of answer.headers)
    if (!ownFields.includes(name)) response.appendHeader(name, value)
  if (/^\/\.well-known\/agent(-card)?\.json/.test(request.url)) {
    const own = `http://${request.headers.host}`
    response.end((await answer.text()).replaceAll(agent.origin, own))
  } else if (answer.body === null) response.end()
  else await pipeline(Readable.fromWeb(answer.body), response)
}

const server = createServer((request, response) => {
  forward(request, response).catch((error) => {
    if (response.destroyed) return
    console.error(`${request.method} ${JSON.stringify(request.url)}: ${error.message}`)
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
})
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
