import { isExposed } from '../../core/card/hosts.js'
import { readInterfaces, type CardInterface } from '../../core/card/interfaces.js'
import { wellKnownCard, type CardJson } from '../../core/card/shapes.js'
import { asObject } from '../../core/json.js'
import { parseShallowJson } from '../../core/shallow-json.js'
import { parseHttpUrl } from '../../core/url.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine, HttpAnswer, NoAnswer, RawAnswer } from '../wire/raw-answer.js'
import { shortened } from '../wire/text.js'
import { cardUrls, formerCardPath } from './card-paths.js'

/** What is learned of the agent before any of its interfaces is called. */
export interface Discovery {
  /** The cards served to clients of 1.0 and of 0.3; empty when there is none, one when they are the same. */
  readonly cards: readonly CardJson[]
  /** Every interface that the cards name, including those that were not understood. */
  readonly interfaces: readonly CardInterface[]
  /** Set when nothing answered at all. */
  readonly silence?: NoAnswer
  /** Why there is no card; empty when there is one. */
  readonly problem: string
  /** Why it is not known which card, if any, clients of 0.3 get; undefined where it is. */
  readonly olderUnread?: string
  /** What is odd about the way in which the card is served. */
  readonly remarks: readonly string[]
  readonly durationMs: number
}

/** A request for the card that was refused: its header lines, and the values of WWW-Authenticate. */
export interface RefusedRequest {
  readonly url: URL
  readonly fields: readonly FieldLine[]
  readonly challenges: readonly string[]
}

/** The header lines with token and code for one more request, and what is done where they are refused. */
export interface CardCredentials {
  /** None where no more codes are to be spent on the card. */
  readonly next: (request: RefusedRequest) => Promise<readonly FieldLine[] | undefined>
  readonly noteRefused: () => void
}

const largestCard = 1024 * 1024

const behindCredentials =
  'the card is behind credentials, so clients cannot learn from it that they need two factors'

/**
 * Looks for the card under the URL, at it, and at the origin, without redirects. It asks without credentials, and where
 * that is refused once more with them.
 *
 * @param credentials undefined where none may be sent
 */
export async function discover(
  client: Pick<HttpClient, 'connection' | 'exchange'>,
  target: URL,
  credentials?: CardCredentials,
): Promise<Discovery> {
  const connection = client.connection(target)
  const received: RawAnswer[] = []
  const problems: string[] = []
  let durationMs = 0
  const get = async (url: URL, version: '1.0' | undefined, fields: readonly FieldLine[] = []) => {
    const answer = await client.exchange(connection, {
      method: 'GET',
      url,
      mostBytes: largestCard,
      fields: [...plainFields(version), ...fields],
    })
    durationMs += answer.durationMs
    received.push(answer)
    return answer
  }
  /** Asks again with credentials for what was refused without them. */
  const getEither = async (url: URL, version: '1.0' | undefined): Promise<Either> => {
    const plain = await get(url, version)
    if (!isRefusal(plain)) return { answer: plain, plain }
    const challenges = plain.answered ? plain.header('www-authenticate') : []
    const fields = await credentials?.next({ url, fields: plainFields(version), challenges })
    if (fields === undefined) return { answer: plain, plain }
    const answer = await get(url, version, fields)
    if (isRefusal(answer)) credentials?.noteRefused()
    return { answer, plain }
  }

  for (const url of cardUrls(target)) {
    const { answer, plain } = await getEither(url, '1.0')
    if (!answer.answered) {
      problems.push(`${url.pathname}: ${answer.explanation}`)
      // An agent that cannot be reached at one path cannot be reached at another.
      if (answer.reason !== 'broken') break
      continue
    }
    const card = cardIn(answer)
    if (!card) {
      const refusedAnyway = plain !== answer && isRefusal(answer)
      problems.push(`${describe(answer, url)}${refusedAnyway ? ', with credentials too' : ''}`)
      continue
    }
    // Agents that speak both versions serve clients of 0.3 another card.
    const { answer: older } = await getEither(url, undefined)
    const olderCard = older.answered && older.body !== answer.body ? cardIn(older) : undefined
    const olderUnread = whyUnread(older, url)
    const cards = olderCard ? [card, olderCard] : [card]
    const interfaces = cards.flatMap((one) => readInterfaces(one, url))
    const remarks = [
      ...(plain === answer ? [] : [behindCredentials]),
      ...(url.pathname.endsWith(formerCardPath) ? [formerPathRemark] : []),
    ]
    return { cards, interfaces, problem: '', remarks, durationMs, ...(olderUnread && { olderUnread }) }
  }
  const silence = received.every(({ answered }) => !answered)
    ? received.findLast((answer) => !answer.answered)
    : undefined
  return {
    ...{ cards: [], interfaces: [], problem: problemOf(problems), remarks: [], durationMs },
    ...(silence && { silence }),
  }
}

const plainFields = (version: '1.0' | undefined): readonly FieldLine[] => [
  ['Accept', 'application/json'],
  ...(version ? [['A2A-Version', version] as const] : []),
]

/** The answer that counts, and the one to a request without credentials: the same unless that was refused. */
interface Either {
  readonly answer: RawAnswer
  readonly plain: RawAnswer
}

const formerPathRemark = `it is at ${formerCardPath}, the path of A2A 0.2; clients look for it at /.well-known/agent-card.json`

const isRefusal = (answer: RawAnswer): boolean =>
  answer.answered && (answer.status === 401 || answer.status === 403)

function cardIn({ status, body }: HttpAnswer): CardJson | undefined {
  const json = status === 200 ? asObject(parseShallowJson(body)) : {}
  const marks = ['supportedInterfaces', 'url', 'skills', 'securitySchemes', 'capabilities']
  return marks.some((mark) => mark in json) ? json : undefined
}

/** Why an answer to a client of 0.3 leaves open which card it gets; undefined where it is a card, or says there is none. */
function whyUnread(answer: RawAnswer, url: URL): string | undefined {
  if (!answer.answered) return `${url.pathname}: ${answer.explanation}`
  return cardIn(answer) || hasNone(answer) ? undefined : describe(answer, url)
}

/**
 * Whether an agent says that it has no card for clients that name no version: by a status for what is not there or not
 * asked for well, or by the error for a version that it does not support (A2A 1.0 §3.6.2).
 */
function hasNone({ status, body }: HttpAnswer): boolean {
  if (/-32009\b|VERSION_?NOT_?SUPPORTED/i.test(body)) return true
  return status === 501 || (status >= 400 && status < 500 && !mayBeThere.has(status))
}

/** Refusals, and limits: another client, or the same one later, may get what is there. */
const mayBeThere: ReadonlySet<number> = new Set([401, 402, 403, 407, 408, 421, 425, 429, 451])

/** What was asked for first, then what is more than a 404. */
function problemOf([first = 'there is no card', ...others]: readonly string[]): string {
  return [first, ...others.filter((problem) => !problem.endsWith('HTTP 404'))].join('; ')
}

function describe({ status, header, body }: HttpAnswer, url: URL): string {
  const { pathname } = url
  if (status >= 300 && status < 400) {
    return `${pathname} answers HTTP ${status}, a redirect that is not followed${destinationOf(header('location')[0], url)}`
  }
  if (status !== 200) return `${pathname} answers HTTP ${status}`
  const type = shortened(header('content-type')[0] ?? 'no type', 60)
  return `${pathname} answers HTTP 200, but no card (${parseShallowJson(body) === undefined ? type : 'JSON without the fields of a card'})`
}

/** Where a redirect leads, without its query, and what to probe instead. */
function destinationOf(location: string | undefined, from: URL): string {
  if (location === undefined || !URL.canParse(location, from.href)) return ''
  const to = parseHttpUrl(new URL(location, from).href)
  if (to === undefined || to.href === from.href) return ''
  const place = shortened(to.origin + to.pathname, 120)
  if (isExposed(to)) return ` to ${place}`
  const base = to.pathname.replace(wellKnownCard, '')
  return ` to ${place}; if that is the agent, probe ${shortened(to.origin + base, 120)}`
}
