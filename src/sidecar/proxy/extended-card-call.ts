import { Readable } from 'node:stream'
import { readCard } from '../../core/card/received.js'
import type { CardJson } from '../../core/card/shapes.js'
import { isObject } from '../../core/json.js'
import { readCardAnswer } from '../card/received-card.js'
import type { IncomingAnswer } from '../forward/exchange.js'
import { withoutFields } from '../forward/fields.js'
import type { HeldContent } from './held-content.js'

/** Over JSON-RPC, of A2A 1.0 and of 0.3. */
const methods: readonly unknown[] = ['GetExtendedAgentCard', 'agent/getAuthenticatedExtendedCard']

/** Such a request is short. */
const mostBytes = 64 * 1024

/** Whether a call asks over JSON-RPC for the card that only callers with credentials see. */
export function asksForExtendedCard(method: string, content: HeldContent | undefined): boolean {
  const { whole } = content ?? {}
  if (method !== 'POST' || whole === undefined || whole.byteLength > mostBytes) return false
  // Most requests are others, and are not parsed.
  if (!/Extended(Agent)?Card/.test(Buffer.from(whole).toString('latin1'))) return false
  const request = readCard(whole)
  return request.ok && methods.includes(request.card['method'])
}

/**
 * The answer to such a call with the card in it rewritten; an answer without one, such as an error, is as it was.
 *
 * @returns the answer, or why it cannot be used
 */
export async function withRewrittenCard(
  answer: IncomingAnswer,
  rewrite: (card: CardJson) => CardJson,
): Promise<IncomingAnswer | string> {
  const found = await readCardAnswer(answer)
  if (!found.ok) return found.why
  const { result } = found.card
  const response = isObject(result) ? { ...found.card, result: rewrite(result) } : found.card
  const bytes = Buffer.from(JSON.stringify(response))
  const former = ['content-length', 'content-encoding', 'content-digest', 'etag']
  return {
    status: answer.status,
    fields: [
      ...withoutFields(answer.fields, (name) => former.includes(name)),
      ...['Content-Length', String(bytes.byteLength)],
    ],
    content: Readable.from([bytes]),
    trailers: () => [],
  }
}
