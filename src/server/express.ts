/** The guard for Express 4 and 5. */
import type { Request, RequestHandler, Response } from 'express'
import { httpAnswer, refuse, type Refusal } from './refusal.js'
import type { AuthRequest } from './request.js'
import type { AuthOutcome, TOTPServerAuthScheme } from './totp-server-auth-scheme.js'
import { keepVerdict, verdictOn } from './verdicts.js'

export { callerOf, outcomeOf } from './verdicts.js'

const cardPath = '/.well-known/agent-card.json'

/** How much of a refused request's body is let through to nowhere, so that its sender gets to see the answer. */
const longestDrain = 1024 * 1024

/**
 * A middleware that lets only callers with both factors pass. It goes in front of the A2A handlers and of any
 * body parser: a refused request costs no memory.
 *
 * GET and HEAD of exactly `/.well-known/agent-card.json` below where it is mounted pass: the card is public. OPTIONS
 * is no exception, so where browsers call, a CORS middleware goes in front. Handlers behind ask `callerOf(req)`.
 * A request that passes the same scheme's guard twice is decided about once.
 */
export function totpGuard(scheme: TOTPServerAuthScheme): RequestHandler {
  return (req, res, next) => {
    if (isCardRequest(req) || passedBefore(req, scheme)) {
      next()
      return
    }
    void decide(scheme, req).then((outcome) => {
      keepVerdict(req, { scheme, outcome })
      if (outcome.refusal) answer(req, res, outcome.refusal)
      else next()
    })
  }
}

/** Fails closed, and without the error's text, even where the scheme itself is broken. */
async function decide(scheme: TOTPServerAuthScheme, req: Request): Promise<AuthOutcome> {
  try {
    return await scheme.authenticate(authRequestOf(req))
  } catch {
    return { refusal: refuse('unavailable', { reason: 'guard-failed' }, scheme.profile.header, true) }
  }
}

function isCardRequest({ method, url }: Request): boolean {
  return (method === 'GET' || method === 'HEAD') && url.split('?', 1)[0] === cardPath
}

function passedBefore(req: Request, scheme: TOTPServerAuthScheme): boolean {
  const verdict = verdictOn(req)
  return verdict?.scheme === scheme && verdict.outcome.caller !== undefined
}

function authRequestOf(req: Request): AuthRequest {
  return {
    binding: 'http',
    method: req.method,
    target: req.originalUrl,
    header: (name) => fieldLines(req.rawHeaders, name),
    // The socket's address, unless the application trusts a proxy.
    source: req.ip,
  }
}

/** All lines of a header field. `req.headers` will not do: of some fields Node keeps only the first. */
function fieldLines(rawHeaders: readonly string[], name: string): string[] {
  const wanted = name.toLowerCase()
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted)
}

function answer(req: Request, res: Response, refusal: Refusal): void {
  const { status, headers, body } = httpAnswer(refusal)
  // Not writeHead with a list: it drops repeated fields once any other header is set.
  for (const [name] of headers) res.removeHeader(name)
  for (const [name, value] of headers) res.appendHeader(name, value)
  res.statusCode = status
  res.end(req.method === 'HEAD' ? undefined : body)
  drain(req)
}

/** Reads what is still to come of the body, and hangs up on whoever sends too much of it. */
function drain(req: Request): void {
  let rest = longestDrain
  req.on('data', (chunk: Buffer) => {
    rest -= chunk.length
    if (rest < 0) req.destroy()
  })
  req.on('error', () => undefined)
}
