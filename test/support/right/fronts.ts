import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import { testAgent, type RightAgent } from './right-agent.js'

function html(response: ServerResponse, status: number, title: string): true {
  response
    .writeHead(status, { 'Content-Type': 'text/html', Server: 'nginx' })
    .end(`<html><head><title>${status} ${title}</title></head><body><h1>${title}</h1></body></html>`)
  return true
}

const isDoubled = ({ rawHeaders }: IncomingMessage, name: string): boolean =>
  rawHeaders.filter((one, index) => index % 2 === 0 && one.toLowerCase() === name).length > 1

/** Agents behind what stands in front of agents in the field, each right. */
export const rightFronts: readonly RightAgent[] = [
  { name: 'is behind a proxy that passes everything on', start: testAgent({}, { front: {} }) },
  {
    name: 'is behind a proxy that answers 400 with a page to a doubled header',
    start: testAgent(
      {},
      {
        front: {
          answers: (request, response) =>
            (isDoubled(request, 'authorization') || isDoubled(request, 'x-totp')) &&
            html(response, 400, 'Bad Request'),
        },
      },
    ),
  },
  {
    name: 'is behind a proxy that answers 400 with a page to what is not ASCII',
    start: testAgent(
      {},
      {
        front: {
          answers: ({ rawHeaders }, response) =>
            rawHeaders.some((one) => /[^\x20-\x7e]/.test(one)) && html(response, 400, 'Bad Request'),
        },
      },
    ),
  },
  {
    name: 'is behind a proxy that numbers each answer',
    start: testAgent({}, { front: { fields: () => ({ 'X-Request-Id': randomUUID(), Via: '1.1 front' }) } }),
  },
  {
    name: 'compresses what it was not asked to compress',
    start: testAgent({}, { front: { gzip: true } }),
    tolerated: ['card.fetch'],
  },
  { name: 'closes each connection', start: testAgent({}, { front: { closes: true } }) },
  { name: 'listens on [::1]', start: testAgent({}, { front: { host: '::1' } }) },
  {
    name: 'serves TLS with a certificate of its own',
    start: testAgent(
      {
        card: (card, origin) =>
          JSON.parse(JSON.stringify(card).replaceAll(origin, origin.replace('http:', 'https:'))) as unknown,
      },
      { front: { tls: true } },
    ),
  },
  { name: 'answers after 100 ms', start: testAgent({}, { front: { delayMs: 100 } }) },
  { name: 'answers after 300 ms', start: testAgent({}, { front: { delayMs: 300 } }) },
  {
    name: 'is behind a limiter of ten requests a second that answers 429',
    start: testAgent({}, { front: { rate: 10 }, realTime: true }),
  },
  {
    name: 'is behind a limiter of ten requests a second that answers 503 with a page',
    start: testAgent(
      {},
      {
        front: {
          rate: 10,
          limited: (response) => html(response, 503, 'Service Temporarily Unavailable'),
        },
        realTime: true,
      },
    ),
  },
]
