import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface DelayedAgent {
  readonly card: string
  close(): Promise<void>
}

/** A card of both versions; that of 0.3 prefers JSON-RPC. */
interface Card {
  readonly supportedInterfaces?: readonly { readonly protocolBinding: string }[]
  readonly additionalInterfaces?: readonly { readonly transport: string }[]
}

/** An agent on this machine as it would be far away: each answer is held back, and its card names those bindings only. */
export async function delayedAgent(
  card: string,
  delayMs: number,
  bindings: readonly string[],
): Promise<DelayedAgent> {
  const { origin: behind, pathname } = new URL(card)
  const server = createServer((asked, response) => {
    const { method, url = '', rawHeaders: headers } = asked
    const onward = request(behind + url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const body = Buffer.concat(chunks)
        const text = url === pathname ? moved(body.toString()) : body
        const {
          'content-type': type,
          'www-authenticate': challenge,
          date,
          'cache-control': cache,
        } = answer.headers
        const fields = { 'content-type': type, 'www-authenticate': challenge, date, 'cache-control': cache }
        setTimeout(() => {
          for (const [name, value] of Object.entries(fields))
            if (value !== undefined) response.setHeader(name, value)
          response.writeHead(answer.statusCode ?? 502).end(text)
        }, delayMs)
      })
    })
    onward.on('error', () => response.destroy())
    asked.pipe(onward)
  })
  const moved = (text: string): string => {
    const json = JSON.parse(text.replaceAll(behind, origin)) as Card
    const { supportedInterfaces, additionalInterfaces } = json
    return JSON.stringify({
      ...json,
      supportedInterfaces: supportedInterfaces?.filter((one) => bindings.includes(one.protocolBinding)),
      additionalInterfaces: additionalInterfaces?.filter((one) => bindings.includes(one.transport)),
    })
  }
  server.listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    card: origin + pathname,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
