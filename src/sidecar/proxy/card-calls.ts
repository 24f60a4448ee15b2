import type { ServerResponse } from 'node:http'
import { cardAnswer, CardChanges, cardContent, sendCard } from '../card/card-answer.js'
import { readCardAnswer } from '../card/received-card.js'
import type { IncomingAnswer, RequestHead } from '../forward/exchange.js'
import { withoutFields } from '../forward/fields.js'
import { answerJson, passOn } from '../forward/pass-on.js'
import type { AgentCalls, CallOptions, Course } from './agent-calls.js'
import { clientFields, sentTarget, type OpenCall } from './signed-call.js'

/** Fetches cards of an agent, and serves them with addresses of the proxy. */
export class CardCalls {
  readonly #calls: AgentCalls
  readonly #options: CallOptions & { readonly now: () => Date }
  readonly #changes = new CardChanges()

  constructor(calls: AgentCalls, options: CallOptions & { readonly now: () => Date }) {
    this.#calls = calls
    this.#options = options
  }

  /** Answers a request for the card that is public. */
  async serve(
    head: RequestHead,
    res: ServerResponse,
    { target, self, over, course }: { target: string; self: URL; over: AbortSignal; course: Course },
  ): Promise<void> {
    const answer = await this.fetch(target, head.fields, over, course)
    if (answer.status === 200) await this.answer(head, res, answer, { target, self, course })
    else await passOnFor(course, answer, res)
  }

  /**
   * Fetches a card from the agent. Under `once` first without credentials: it is usually public, and a step is scarce.
   *
   * @param fields of the client, or none
   */
  async fetch(
    target: string,
    fields: readonly string[],
    over: AbortSignal,
    course: Course = { path: '' },
  ): Promise<IncomingAnswer> {
    const { peer, card } = this.#options
    const { scheme, breaker } = peer
    const to = card.url
    const call = uncompressed({
      ...{ isGrpc: false, method: 'GET', origin: to.origin, target: sentTarget(to.origin, { target }) },
      fields: clientFields(fields, scheme.profile.header),
      ...{ content: undefined, trailers: undefined, most: 0 },
    })
    if (scheme.replay === 'once') {
      if (breaker.isOpen) throw this.#calls.breakerOpen()
      const answer = await this.#calls.sendBare(to, call, over, course)
      if (answer.status !== 401) return answer
      answer.content.destroy()
    }
    return this.#calls.send(to, call, over, course)
  }

  /** Answers with a card that was fetched, rewritten. */
  async answer(
    head: RequestHead,
    res: ServerResponse,
    answer: IncomingAnswer,
    {
      target,
      self,
      course,
      isPublic = true,
    }: { target: string; self: URL; course: Course; isPublic?: boolean },
  ): Promise<void> {
    const { card, now } = this.#options
    const found = await readCardAnswer(answer)
    if (!found.ok) {
      course.own = 'upstream-answer'
      answerJson(res, 502, 'BAD_GATEWAY', `the agent's card cannot be used: ${found.why}`)
      return
    }
    const content = cardContent(card.rewrite(found.card, target, self, isPublic).card, head)
    const lastModified = this.#changes.since(content, now())
    sendCard(res, cardAnswer(content, head, { lastModified, shared: false }))
  }
}

/** A card is read here, so it is asked for as it is. */
export function uncompressed(call: OpenCall): OpenCall {
  const conditional = [
    'accept-encoding',
    'if-none-match',
    'if-modified-since',
    'if-match',
    'if-range',
    'range',
  ]
  const kept = withoutFields(call.fields, (name) => conditional.includes(name))
  return { ...call, fields: [...kept, 'Accept-Encoding', 'identity'] }
}

/** Passes an answer on, and notes for the log if it could not be. */
export async function passOnFor(course: Course, answer: IncomingAnswer, res: ServerResponse): Promise<void> {
  const passed = await passOn(answer, res)
  if (passed === 'cut') course.own = 'upstream-cut'
  if (passed === 'unusable') course.own = 'upstream-answer'
}
