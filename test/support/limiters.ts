import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FrontRules } from './front.js'

type Answers = NonNullable<FrontRules['answers']>
type Refuse = (response: ServerResponse, retryAfterSeconds: number) => void

/** How limiters answer a request that is too much. */
export const tooMany = {
  nginx503: (response) => {
    const page = '<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n</html>\r\n'
    response.writeHead(503, { Server: 'nginx', 'Content-Type': 'text/html' }).end(page)
  },
  nginx429: (response) => {
    const page = '<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n</html>\r\n'
    response.writeHead(429, { Server: 'nginx', 'Content-Type': 'text/html' }).end(page)
  },
  json429: (response, seconds) => {
    response.writeHead(429, { 'Content-Type': 'application/json', 'Retry-After': String(seconds) })
    response.end('{"error":"too many requests"}')
  },
  dated429: (response, seconds) => {
    const until = new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000)
    response.writeHead(429, { 'Content-Type': 'text/plain', 'Retry-After': until.toUTCString() })
    response.end('Too many requests')
  },
} satisfies Record<string, Refuse>

const everyone: (request: IncomingMessage) => boolean = () => true

/** nginx's `limit_req`: a leaky bucket. What it refuses does not count. */
export function leakyBucket(perSecond: number, burst: number, refuse: Refuse, counts = everyone): Answers {
  let excess = 0
  let last = 0
  return (request, response) => {
    if (!counts(request)) return false
    const now = performance.now()
    const after = last === 0 ? 0 : Math.max(0, excess - ((now - last) / 1000) * perSecond + 1)
    if (after > burst) {
      refuse(response, 1)
      return true
    }
    excess = after
    last = now
    return false
  }
}

/** HAProxy's `http_req_rate`: a sliding window, in which refused requests count as well. */
export function slidingWindow(most: number, windowMs: number, refuse: Refuse): Answers {
  let seen: number[] = []
  return (_request, response) => {
    const now = performance.now()
    seen = [...seen.filter((at) => at > now - windowMs), now]
    if (seen.length <= most) return false
    refuse(response, 1)
    return true
  }
}

/** So many requests a window, as most middlewares count, with the rest of the window as Retry-After. */
export function fixedWindow(most: number, windowMs: number, refuse: Refuse, counts = everyone): Answers {
  let begun = -Infinity
  let count = 0
  return (request, response) => {
    if (!counts(request)) return false
    const now = performance.now()
    if (now >= begun + windowMs) [begun, count] = [now, 0]
    if (++count <= most) return false
    refuse(response, Math.ceil((begun + windowMs - now) / 1000))
    return true
  }
}

/** Whether a request carries this token. */
export const carries =
  (token: string) =>
  ({ headers }: IncomingMessage): boolean =>
    headers.authorization === `Bearer ${token}`
