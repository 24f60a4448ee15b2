import type { CardJson } from '../../../core/card/shapes.js'
import type { CellEvidence } from '../../run/evidence.js'
import { asksForStream, doorsTriedIn, keyOf, showsNothing } from '../../run/door-evidence.js'
import { comparedWith, isMarkedOnly, isRefusedInside } from '../../run/compared.js'
import type { Exchange } from '../../run/exchange.js'
import { isInconclusive, isWorthless, triedIn, validAnswer, wasLetIn, type Tried } from '../../run/reading.js'
import type { Answer } from '../../wire/answer.js'
import { namesSecondFactor, soundsLikeRefusal } from '../../wire/words.js'
import { saysNoMethod } from './no-method.js'

/** What an answer shows of a method: `absent` is one that the agent has for nobody. */
export interface DoorReading {
  readonly exchange: Exchange
  readonly reading: 'refused' | 'absent' | 'let in' | 'failed' | 'silent' | 'nothing'
}

/** What every answer to a method shows, compared with how the cell refuses and with what it answers to invented ones. */
export function readDoors(cell: CellEvidence, cards: readonly CardJson[]): DoorReading[] {
  const tried = doorsTriedIn(cell)
  const invented = tried.filter(({ door }) => door?.method === 'invented')
  // The handlers of other requests have words of their own, and a malformed header may get what a malformed message gets.
  const refusals = triedIn(cell).filter(
    ({ check, operation, answer }) =>
      comparedWith.includes(check) && operation === 'get' && wasLetIn(answer, cell) === 'no',
  )
  const inStreams = refusalsInStreams(cell)
  const isPublic = publicTexts(cards)
  const valid = validAnswer(cell)
  return tried
    .filter(({ door }) => door?.method !== 'invented')
    .map((exchange) => {
      const { answer, door } = exchange
      const compared = asksForStream(exchange) ? [...refusals, ...inStreams] : refusals
      const isRefusal =
        compared.some((refusal) => isRefusedLike(answer, refusal.answer)) || isWorthless(exchange, cell)
      const same = invented.filter(
        (one) =>
          one.door?.protocol === door?.protocol &&
          one.door?.isOfTenant === door?.isOfTenant &&
          (one.door?.verb === door?.verb || door?.verb === 'DELETE') &&
          keyOf(one).label === keyOf(exchange).label,
      )
      const isPublicCard = door?.method === 'card' && answer.content?.saysOnly(isPublic) === true
      if (isPublicCard) return { exchange, reading: 'absent' }
      const isMarked = valid !== undefined && isMarkedOnly(answer, valid)
      return { exchange, reading: isMarked ? 'let in' : readAnswer(exchange, isRefusal, same) }
    })
}

function readAnswer(
  exchange: Exchange,
  isRefusal: boolean,
  invented: readonly Exchange[],
): DoorReading['reading'] {
  const { answer, door } = exchange
  const { kind, status } = answer
  if (showsNothing(exchange) && !(isRefusal && !isInconclusive(answer))) return 'nothing'
  if (kind === 'refused' || isRefusal) return 'refused'
  if (saysNoMethod(answer) || (door?.method === 'card' && isUnconfigured(answer))) return 'absent'
  if (invented.some((one) => isOfNobody(exchange, one))) return 'absent'
  if (kind === 'authenticated' || kind === 'answered') return 'let in'
  if (kind === 'unreadable' && status === null) return 'silent'
  if (kind === 'failed' || kind === 'redirected') return 'failed'
  return 'let in'
}

/** What a stream for a task says inside where it is refused: that of a message is refused no other way. */
function refusalsInStreams(cell: CellEvidence): Tried[] {
  return triedIn(cell).filter(
    ({ check, answer }) =>
      check === 'auth.stream' && isRefusedInside(answer) && wasLetIn(answer, cell) === 'no',
  )
}

/** Who reads parameters let the call in, even if their names are of tokens and authentication, as push configurations have. */
const isOfParameters = ({ status, signature }: Answer): boolean =>
  status === 422 || signature.split(' ').some((word) => /^(-32602|INVALID_ARGUMENT)$/.test(word))

/** One code for several errors is a refusal where the words are those of one too. */
function isRefusedLike(answer: Answer, refusal: Answer): boolean {
  if (!isAlike(answer, refusal) || isInconclusive(refusal)) return false
  if (answer.kind !== 'other' || saysTheSame(answer, refusal)) return true
  return !isOfParameters(answer) && (soundsLikeRefusal(answer.message) || namesSecondFactor(answer.message))
}

/** Without a message, and where an object without an error comes with a success, answers are the same only as a whole. */
function saysTheSame(answer: Answer, refusal: Answer): boolean {
  const isBare = answer.message === '' || (answer.content !== undefined && isSuccessful(answer))
  return isBare ? answer.face === refusal.face : answer.message === refusal.message
}

/** gRPC of 0.3 has this status alone for an extended card that is not configured. */
const isUnconfigured = ({ signature }: Answer): boolean => signature === 'grpc FAILED_PRECONDITION'

/**
 * Whether a method gets what an invented one gets because neither is there: a status that says so, a redirect, or one page
 * for everything. Any other status may be that of a framework that reads the request before the guard does.
 */
function isOfNobody({ answer, door }: Exchange, { answer: invented }: Exchange): boolean {
  if (!isAlike(invented, answer) || answer.kind === 'answered' || answer.kind === 'authenticated')
    return false
  if (saysMissing(answer)) return true
  if (answer.face !== invented.face) return false
  // An object may say what is wrong with a body, a page for everyone does not.
  const isPage = answer.content === undefined || (door?.verb !== undefined && door.verb !== 'POST')
  return answer.kind === 'unserved' || (answer.offProtocol === true && isSuccessful(answer) && isPage)
}

/** Whether a status says that there is nothing, whatever the text: that may name the method. */
const saysMissing = ({ status, kind }: Answer): boolean =>
  status === 404 || status === 405 || status === 501 || kind === 'redirected'

const isSuccessful = ({ status }: Answer): boolean => status !== null && status < 300

const isAlike = (one: Answer, other: Answer): boolean =>
  one.kind === other.kind && one.signature === other.signature && one.status === other.status

/** Words of the protocol that a card may hold in one version or binding and not in another. */
const ofProtocol =
  /^(apiKey|http|header|query|cookie|oauth2|openIdConnect|mutualTLS|JSONRPC|HTTP\+JSON|GRPC|bearer|basic|v?\d+(\.\d+)*)$/i

/** Whether a text stands in a public card, as a value or as the name of a scheme. */
function publicTexts(cards: readonly CardJson[]): (text: string) => boolean {
  const known = new Set<string>()
  const note = (value: unknown): void => {
    if (typeof value === 'string') known.add(value)
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      known.add(key)
      note(inner)
    }
  }
  for (const card of cards) note(card)
  return (text) => known.has(text) || ofProtocol.test(text)
}
