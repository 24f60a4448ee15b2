import type { RequestHandler } from 'express'
import { hybridCard } from '../../core/card/hybrid.js'
import { asObject } from '../../core/json.js'

export interface CardHandlerOptions {
  /** How long clients may keep the card, in seconds; by default they ask each time whether it has changed. */
  readonly maxAge?: number
}

/**
 * Serves the agent card: to a client that asks with `A2A-Version: 1.0` or later as it is, to all others as a hybrid that
 * readers of 1.0 and of 0.3 both take (see `hybridCard`). Use it in place of the SDK's `agentCardHandler`, neither of
 * whose two shapes a2a-go can read.
 *
 * Mount it on the card's address: the card is public.
 *
 * @param card of A2A 1.0: that of `totpAgentCard`, or as JSON. It is serialized for each request, so it may change.
 */
export function totpCardHandler(card: object, { maxAge = 0 }: CardHandlerOptions = {}): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next()
      return
    }
    const newer = /^[1-9]/.test(req.get('A2A-Version') ?? '')
    const json = asObject(JSON.parse(JSON.stringify(card)))
    res.vary('A2A-Version')
    res.setHeader('Cache-Control', maxAge > 0 ? `public, max-age=${String(maxAge)}` : 'no-cache')
    res.json(newer ? json : hybridCard(json))
  }
}
