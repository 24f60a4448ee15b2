import { readInterfaces, type CardInterface } from '../../core/card/interfaces.js'
import { cardPath, type CardJson } from '../../core/card/shapes.js'
import { asObject, parseJson } from '../../core/json.js'
import type { HttpClient } from '../wire/http.js'
import type { HttpAnswer, RawAnswer, NoAnswer } from '../wire/raw-answer.js'

/** What the agent says of itself, to a caller without credentials. */
export interface Discovery {
  /** The cards served to clients of 1.0 and of 0.3; empty when there is none, one when they are the same. */
  readonly cards: readonly CardJson[]
  /** Every interface that the cards name, those that were not understood too. */
  readonly interfaces: readonly CardInterface[]
  /** Answers received, to search for secrets. */
  readonly answers: readonly HttpAnswer[]
  /** Set when nothing answered at all. */
  readonly silence?: NoAnswer
  /** Why there is no card. */
  readonly problem: string
  readonly durationMs: number
}

const largestCard = 1024 * 1024

/** Looks for the card under the URL, at it, and at the origin; without credentials and without redirects. */
export async function discover(
  client: Pick<HttpClient, 'connection' | 'exchange'>,
  target: URL,
): Promise<Discovery> {
  const answers: HttpAnswer[] = []
  const connection = client.connection(target)
  let problem = 'there is no card'
  let silence: NoAnswer | undefined
  let durationMs = 0
  const get = async (url: URL, version: '1.0' | undefined): Promise<RawAnswer> => {
    const outcome = await client.exchange(connection, {
      method: 'GET',
      url,
      mostBytes: largestCard,
      fields: [['Accept', 'application/json'], ...(version ? ([['A2A-Version', version]] as const) : [])],
    })
    durationMs += outcome.durationMs
    if (outcome.answered) answers.push(outcome)
    return outcome
  }

  for (const url of cardUrls(target)) {
    const outcome = await get(url, '1.0')
    if (!outcome.answered) {
      silence = outcome
      // An agent that cannot be reached at one path cannot be reached at another.
      if (outcome.reason !== 'broken') break
      continue
    }
    const card = cardIn(outcome)
    if (!card) {
      problem = describe(outcome, url)
      continue
    }
    // Agents that speak both versions serve clients of 0.3 another card.
    const older = await get(url, undefined)
    const olderCard = older.answered && older.body !== outcome.body ? cardIn(older) : undefined
    const cards = olderCard ? [card, olderCard] : [card]
    const interfaces = cards.flatMap((one) => readInterfaces(one, url))
    return { cards, interfaces, answers, problem: '', durationMs }
  }
  const nothing = answers.length === 0 ? silence : undefined
  return { cards: [], interfaces: [], answers, problem, durationMs, silence: nothing }
}

function cardUrls(target: URL): URL[] {
  const at = (pathname: string): URL => Object.assign(new URL(target), { pathname, search: '' })
  const base = target.pathname.replace(/\/\.well-known\/.*$/, '').replace(/\/$/, '')
  const urls = [...(target.pathname.endsWith('.json') ? [target] : []), at(base + cardPath), at(cardPath)]
  return urls.filter((url, index) => urls.findIndex(({ href }) => href === url.href) === index)
}

function cardIn({ status, body }: HttpAnswer): CardJson | undefined {
  const json = status === 200 ? asObject(parseJson(body)) : {}
  const marks = ['supportedInterfaces', 'url', 'skills', 'securitySchemes', 'capabilities']
  return marks.some((mark) => mark in json) ? json : undefined
}

function describe({ status, header }: HttpAnswer, { pathname }: URL): string {
  if (status >= 300 && status < 400) return `${pathname} redirects, which is not followed`
  const type = header('content-type')[0]
  return `${pathname} answers HTTP ${status}${status === 200 ? `, no card (${type ?? 'no type'})` : ''}`
}
