import type { ServerResponse } from 'node:http'
import { sendJson } from '../broken-agent.js'
import { fails, isLive, notShown, type Circumstances, type Defect } from './defect.js'

type Fields = Readonly<Record<string, string>>

function later(response: ServerResponse, status: 429 | 503, fields: Fields = {}): true {
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
  const words = status === 429 ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE'
  sendJson(response, status, { error: { code: status, status: words, message: 'later' } })
  return true
}

function limited(response: ServerResponse): true {
  response
    .writeHead(503, { 'Content-Type': 'text/html', Server: 'nginx' })
    .end('<html><head><title>503 Service Temporarily Unavailable</title></head></html>')
  return true
}

/** Agents that slow callers down in place of checking them, or not at all. */
export function throttlingDefects({ peers }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    {
      name: 'knows no second factor, and throttles whoever has the token',
      quirks: { answers: (response, _, seen) => live(seen) && later(response, 429, { 'Retry-After': '1' }) },
      named: notShown,
    },
    {
      name: 'throttles everyone',
      quirks: { answers: (response) => later(response, 429) },
      named: notShown,
    },
    {
      name: 'throttles everyone for an hour',
      quirks: { answers: (response) => later(response, 429, { 'Retry-After': '3600' }) },
      named: notShown,
    },
    {
      name: 'throttles everyone until a date',
      quirks: {
        answers: (response) => later(response, 429, { 'Retry-After': 'Tue, 01 Jan 2030 03:00:00 GMT' }),
      },
      named: notShown,
    },
    {
      name: 'has locked the peer out',
      quirks: {
        answers: (response, _, seen) =>
          live(seen) && seen.codes.length > 0 && later(response, 429, { 'Retry-After': '600' }),
      },
      named: notShown,
    },
    {
      name: 'throttles whoever has no token, and never says more',
      quirks: {
        answers: (response, _, { authorization }) => authorization.length === 0 && later(response, 429),
      },
      named: fails('coverage'),
    },
    {
      name: 'is behind a limiter that is never content',
      quirks: { answers: limited },
      named: notShown,
      httpOnly: true,
    },
    {
      name: 'has lost its state, and says so to everyone',
      quirks: { answers: (response) => later(response, 503, { 'Retry-After': '1' }) },
      named: fails('auth.valid', 'coverage', 'status'),
      // Another cell at the same URL may be asked for the methods of this one, and gets the same.
      follows: ['auth.doors'],
    },
    {
      name: 'has lost its state, and says so where it has to look at a code',
      quirks: {
        answers: (response, _, seen) => live(seen) && seen.codes.length === 1 && later(response, 503),
      },
      named: fails('auth.valid', 'coverage', 'status'),
    },
    {
      name: 'counts no wrong codes',
      quirks: { budget: 100_000 },
      options: () => ({ throttle: true }),
      named: fails('throttle'),
    },
  ]
}
