import { readInterfaces, type CardInterface } from '../../core/card/interfaces.js'
import { cardPath, type CardJson } from '../../core/card/shapes.js'
import { asObject, parseJson } from '../../core/json.js'
import type { HttpClient } from '../wire/http.js'
import type { HttpAnswer, NoAnswer, RawAnswer } from '../wire/raw-answer.js'

/** What a caller without credentials learns of the agent. */
export interface Discovery {
  /** The cards served to clients of 1.0 and of 0.3; empty when there is none, one when they are the same. */
  readonly cards: readonly CardJson[]
  /** Every interface that the cards name, including those that were not understood. */
  readonly interfaces: readonly CardInterface[]
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
  const received: RawAnswer[] = []
  const connection = client.connection(target)
  let problem = 'there is no card'
  let silence: NoAnswer | undefined
  let durationMs = 0
  const get = async (url: URL, version: '1.0' | undefined): Promise<RawAnswer> => {
    const answer = await client.exchange(connection, {
      method: 'GET',
      url,
      mostBytes: largestCard,
      fields: [['Accept', 'application/json'], ...(version ? ([['A2A-Version', version]] as const) : [])],
    })
    durationMs += answer.durationMs
    received.push(answer)
    return answer
  }

  for (const url of cardUrls(target)) {
    const answer = await get(url, '1.0')
    if (!answer.answered) {
      silence = answer
      // An agent that cannot be reached at one path cannot be reached at another.
      if (answer.reason !== 'broken') break
      continue
    }
    const card = cardIn(answer)
    if (!card) {
      problem = describe(answer, url)
      continue
    }
    // Agents that speak both versions serve clients of 0.3 another card.
    const older = await get(url, undefined)
    const olderCard = older.answered && older.body !== answer.body ? cardIn(older) : undefined
    const cards = olderCard ? [card, olderCard] : [card]
    const interfaces = cards.flatMap((one) => readInterfaces(one, url))
    return { cards, interfaces, problem: '', durationMs }
  }
  const isSilent = received.every(({ answered }) => !answered)
  return { cards: [], interfaces: [], problem, durationMs, silence: isSilent ? silence : undefined }
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
