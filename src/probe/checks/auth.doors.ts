import type { CellEvidence, Evidence } from '../run/evidence.js'
import { doorsTriedIn, keyOf } from '../run/door-evidence.js'
import type { Exchange } from '../run/exchange.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import type { CellCheck } from './check.js'
import { oneGuard } from './shared/advice.js'
import { readDoors, type DoorReading } from './shared/door-reading.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const authDoors: CellCheck = {
  id: 'auth.doors',
  scope: 'cell',
  proves: 'every method of the protocol is guarded',
  expects: 'each is refused without credentials and with the token alone',
  needs: ['auth.none', 'auth.bearer-only'],
  judge: judgeDoors,
  means:
    'The calls that the other checks send are refused, and another method of the protocol is not: a guard that sits in the handlers, or in front of some routes, was forgotten for one. Messages were sent empty and ids were random, so nothing happened. An answer such as "invalid parameters" or a server error means that the call got past the guard. Methods that the agent does not have for anyone do not count, nor does an extended card that says no more than the public one. Over JSON-RPC, REST and gRPC the methods of both protocol versions are tried, whatever the card says; over REST some below a tenant, too, where SDKs serve them a second time.',
  fix: [
    oneGuard,
    'REST: guard the prefix of all routes, with and without `/v1`, and below any tenant. gRPC: guard every service, that of 0.3 too.',
    'Check credentials before the body and its parameters.',
  ],
}

/** Whether every method of the protocol was refused, or is not there for anyone. */
function judgeDoors(cell: CellEvidence, evidence: Evidence): Verdict {
  const tried = doorsTriedIn(cell).filter(({ door }) => door?.method !== 'invented')
  const first = tried[0]
  if (!first) return skipped(whyNotTried(cell))
  const durationMs = tried.reduce((sum, { answer }) => sum + answer.durationMs, 0)
  return { ...verdictOn(cell, evidence), durationMs }
}

function verdictOn(cell: CellEvidence, { discovery }: Evidence): Verdict {
  const read = readDoors(cell, discovery.cards).filter(({ exchange }) => !isReportedElsewhere(exchange, cell))
  const counted = read.filter(({ exchange }) => !isOpenedBySuccess(exchange, cell))
  const wrong = counted.filter(({ reading }) => ['let in', 'failed', 'silent'].includes(reading))
  if (wrong[0]) {
    const isSilent = wrong.every(({ reading }) => reading === 'silent')
    const verdict = failed(wrong[0].exchange.answer.summary, phrases(wrong).join('; '))
    return { ...verdict, ...(isSilent && { unanswered: true }) }
  }
  const refused = counted.filter(({ reading }) => reading === 'refused')
  const absent = counted.filter(({ reading }) => reading === 'absent')
  if (counted.length < read.length) {
    return skipped('the agent lets more in after a success, so this cannot be tested; see auth.after-valid')
  }
  if (!read.some(({ exchange }) => exchange.carried.length > 0)) return skipped(cell.whyNotSent)
  if (refused.length + absent.length === 0) return skipped('every answer came from something in front')
  const isOpen = triedIn(cell).some(
    ({ check, operation, answer }) =>
      (check === 'auth.none' || check === 'auth.bearer-only') &&
      operation === 'get' &&
      wasLetIn(answer, cell) === 'yes',
  )
  if (isOpen) return skipped('a call for a task is let in, so methods with an effect are left alone')
  const served = refused[0]?.exchange.answer.summary ?? 'the agent has no other method'
  return passed(served, absent.length === 0 ? '' : `not there for anyone: ${namesOf(absent)}`)
}

function whyNotTried(cell: CellEvidence): string {
  const asked = triedIn(cell).some(({ check }) => check === 'auth.none')
  return asked
    ? 'not tried: no call without credentials was refused, so methods with an effect are left alone'
    : cell.whyNotSent
}

/** What `auth.stream` reports for the stream of a task. */
function isReportedElsewhere({ door }: Exchange, cell: CellEvidence): boolean {
  return (
    door?.method === 'subscribe' &&
    door.protocol === cell.cell.protocol &&
    triedIn(cell).some(
      ({ check, isGuess, answer }) => check === 'auth.stream' && !isGuess && wasLetIn(answer, cell) === 'yes',
    )
  )
}

/** Whether the same credentials, refused before a success, were let in after it: `auth.after-valid` reports that. */
function isOpenedBySuccess(exchange: Exchange, cell: CellEvidence): boolean {
  const { check } = keyOf(exchange)
  const tried = triedIn(cell).filter((one) => one.check === check && one.operation === 'get')
  return (
    tried.some(({ when, answer }) => when === 'before' && wasLetIn(answer, cell) === 'no') &&
    tried.some(({ when, answer }) => when === 'after' && wasLetIn(answer, cell) === 'yes')
  )
}

/** Each way in which methods were not refused, with their names. */
function phrases(wrong: readonly DoorReading[]): string[] {
  const groups = new Map<string, DoorReading[]>()
  for (const one of wrong) {
    const phrase = phraseFor(one)
    groups.set(phrase, [...(groups.get(phrase) ?? []), one])
  }
  return [...groups].map(([phrase, ones]) => `${phrase}: ${namesOf(ones)}`)
}

function phraseFor({ exchange, reading }: DoorReading): string {
  const { label } = keyOf(exchange)
  if (reading === 'silent') return `no readable answer with ${label}`
  if (reading === 'failed') return `answered HTTP ${exchange.answer.status} with ${label}`
  return `let in with ${label}`
}

function namesOf(doors: readonly DoorReading[]): string {
  return [...new Set(doors.map(({ exchange }) => exchange.door?.name ?? ''))].join(', ')
}
