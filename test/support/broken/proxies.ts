import type { ServerResponse } from 'node:http'
import { isLive, notShown, overHttpOnly, type Circumstances, type Defect } from './defect.js'

function page(response: ServerResponse, status: number, title: string): true {
  response
    .writeHead(status, { 'Content-Type': 'text/html', Server: 'nginx' })
    .end(`<html><head><title>${status} ${title}</title></head><body><h1>${title}</h1></body></html>`)
  return true
}

/** Agents that something in front of them keeps callers from, so that nothing is shown. */
export function proxyDefects({ peers }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    { name: 'is behind a proxy that drops the code', quirks: { pickCode: () => undefined }, named: notShown },
    ...overHttpOnly([
      {
        name: 'is down, behind a proxy that says so',
        quirks: { answers: (response) => page(response, 502, 'Bad Gateway') },
        named: notShown,
      },
      {
        name: 'is refused by a guard in front, and does not answer behind it',
        quirks: {
          answers: (response, _, seen) =>
            live(seen) && seen.codes.length === 1 && page(response, 504, 'Gateway Time-out'),
        },
        named: notShown,
      },
      {
        name: 'is behind a firewall that blocks every call',
        quirks: { answers: (response) => page(response, 403, 'Request blocked') },
        named: notShown,
        // A 403 it is, whoever it is from.
        follows: ['status'],
      },
      {
        name: 'is behind a proxy that sends every call to another address',
        quirks: {
          answers: (response) => {
            response.writeHead(301, { Location: 'https://agent.invalid/' }).end()
            return true
          },
        },
        named: notShown,
      },
      {
        name: 'is behind a page that welcomes everyone',
        quirks: { answers: (response) => page(response, 200, 'Welcome') },
        named: notShown,
      },
    ]),
  ]
}
