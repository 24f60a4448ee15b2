import { parseRfc3339 } from '../core/instant.js'
import { isObject, type JsonObject } from '../core/json.js'
import { proofReasons } from '../core/proof/profile.js'
import { eventOfGate } from './gate-line.js'

/** Under `observe` also that nobody saw the body which a proof is about. */
const reasons = [...proofReasons, 'content-unseen'] as const

/** Why a proof would refuse a request, or did. */
export type EventReason = (typeof reasons)[number]

/** How many of a peer's requests had which proof. */
export interface ProofTally {
  /** Let in, with a valid proof. */
  valid: number
  /** Without a proof: let in, or refused for a spent code. */
  absent: number
  /** Let in although the proof was invalid, under `observe`; or refused for a spent code. */
  readonly invalid: Map<EventReason, number>
  /** Refused for the proof. */
  readonly refused: Map<EventReason, number>
  /** When the first and the last of the counted requests came, where the events say so. */
  first?: Date
  last?: Date
}

export interface EventTally {
  readonly peers: ReadonlyMap<string, ProofTally>
  readonly lines: number
  /** Events about a proof of a peer that is known. */
  readonly counted: number
  /** Events about proofs of other peers. */
  readonly unknown: number
  /** Lines that are no events. */
  readonly foreign: number
}

/** No event is that long: its texts are names, reasons and addresses. */
const longestLine = 64 * 1024
const lineFeed = 0x0a

/**
 * Counts the events of a log with one JSON document a line, as `onEvent` or `gate --log json` writes them. Whatever is before
 * the document, such as the name of a container, is passed over. Nothing but counts is kept, so that a log may have any size.
 *
 * @param names the peers that are counted; what else the log names is not kept
 */
export async function tallyEvents(
  chunks: AsyncIterable<Uint8Array>,
  names: ReadonlySet<string>,
): Promise<EventTally> {
  const peers = new Map<string, ProofTally>()
  const counts = { lines: 0, counted: 0, unknown: 0, foreign: 0 }
  for await (const line of linesOf(chunks)) {
    if (line === '') continue
    counts.lines++
    const event = eventIn(line)
    if (!event) counts.foreign++
    else if (aboutProof(event)) {
      const { peer } = event
      if (typeof peer !== 'string' || !names.has(peer)) counts.unknown++
      else {
        const tally = peers.get(peer) ?? { valid: 0, absent: 0, invalid: new Map(), refused: new Map() }
        peers.set(peer, tally)
        add(tally, event)
        counts.counted++
      }
    }
  }
  // Where the log begins after the call whose body turned out to be another one.
  for (const tally of peers.values()) tally.valid = Math.max(0, tally.valid)
  return { peers, ...counts }
}

/** Lines without their ends. One that is too long is undefined, and is not kept. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string | undefined, void, void> {
  let pieces: Uint8Array[] = []
  let length = 0
  const keep = (piece: Uint8Array): void => {
    length += piece.length
    if (length > longestLine) pieces = []
    else pieces.push(piece)
  }
  const take = (): string | undefined => {
    const line = length > longestLine ? undefined : Buffer.concat(pieces).toString().trim()
    pieces = []
    length = 0
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      keep(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    keep(chunk.subarray(start))
  }
  if (length > 0) yield take()
}

function eventIn(line: string | undefined): JsonObject | undefined {
  const start = line?.indexOf('{') ?? -1
  if (line === undefined || start < 0) return undefined
  try {
    const event: unknown = JSON.parse(line.slice(start))
    if (!isObject(event)) return undefined
    return typeof event['type'] === 'string' ? event : eventOfGate(event)
  } catch {
    return undefined
  }
}

const aboutProof = ({ type, proof, reason }: JsonObject): boolean => {
  if (type === 'authenticated' || type === 'proof_observed' || (refusals.has(type) && isSpent(reason)))
    return proof === 'valid' || proof === 'absent' || proof === 'invalid'
  return refusals.has(type) && proof === 'invalid' && reasonOf(reason) !== undefined
}

/** `replayed` for a proof that was spent, or a code. Those for a wrong code are not about the proof. */
const refusals: ReadonlySet<unknown> = new Set(['refused', 'replayed', 'throttled'])

/** Token and code were right: it is a request of the peer's, whatever became of it. */
const isSpent = (reason: unknown): boolean => reason === 'code-replayed'

function add(tally: ProofTally, { type, proof, proofReason, reason, count, at }: JsonObject): void {
  const when = typeof at === 'string' ? parseRfc3339(at) : undefined
  if (when && (!tally.first || when < tally.first)) tally.first = when
  if (when && (!tally.last || when > tally.last)) tally.last = when
  const why = reasonOf(proofReason) ?? reasonOf(reason) ?? 'proof-malformed'
  if (proof === 'absent') tally.absent++
  else if (refusals.has(type) && !isSpent(reason))
    addTo(tally.refused, why, Number.isSafeInteger(count) ? Math.max(1, Number(count)) : 1)
  // A server that sees nothing of a request but its fields reports the same again, as `proof_observed`.
  else if (type === 'authenticated' && (proof === 'valid' || why === 'content-unseen')) tally.valid++
  else if (proof === 'invalid') {
    addTo(tally.invalid, why, 1)
    // A body that turned out to be another one: the request is counted as valid too, at a gate when its call is over.
    if (type === 'proof_observed') tally.valid--
  }
}

const reasonOf = (given: unknown): EventReason | undefined => reasons.find((reason) => reason === given)

const addTo = (counts: Map<EventReason, number>, reason: EventReason, more: number): void =>
  void counts.set(reason, (counts.get(reason) ?? 0) + more)
