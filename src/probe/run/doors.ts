import { protocolVersions } from '../../core/card/shapes.js'
import { doorsOf, opensStream, sendsMessage, type Door } from '../bindings/methods.js'
import type { CheckId } from '../check-ids.js'
import type { Cell } from '../target/cells.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { patience, type CellRun } from './cell-run.js'
import { doorKeys, doorLabel, doorsTriedIn, keyOf, showsNothing } from './door-evidence.js'
import type { Exchange } from './exchange.js'
import { bearerField } from './material.js'
import { isInconclusive, isShown, triedIn, wasLetIn } from './reading.js'
import type { Session } from './session.js'
import { sideBySide } from './side-by-side.js'

/**
 * Tries every method of the protocol in each cell, without credentials and with the bearer alone. None of the calls has
 * an effect if it is let in: messages are empty and ids are random.
 */
export async function tryDoors(
  session: Session,
  runs: readonly CellRun[],
  trusted: readonly CellRun[],
): Promise<void> {
  if (!session.plan.performed.has('auth.doors')) return
  await Promise.all(runs.map(async (run) => tryDoorsOf(session, run, runs, trusted.includes(run))))
}

async function tryDoorsOf(
  { plan, options }: Session,
  run: CellRun,
  runs: readonly CellRun[],
  trusted: boolean,
): Promise<void> {
  // A method is tried only where a call that is known to do nothing was refused.
  const withNone = answerTo('auth.none', run)
  if (withNone === 'unclear') return
  const others = runs.filter((other) => answerTo('auth.none', other) !== 'unclear')
  const cells = others.map(({ cell }) => cell)
  const doors = doorsAt(run.cell, cells, plan.performed.has('auth.stream'))
  for (const key of doorKeys) {
    const { check } = key
    const isBearer = check === 'auth.bearer-only'
    // To an agent that does not know the token, each call with it is a stranger's, and there are many.
    if (isBearer && !(trusted && isShown(run))) continue
    const open = withNone === 'yes' || answerTo(check, run) === 'yes'
    const fields: FieldLine[] = isBearer ? [bearerField(options.credentials.token.value)] : []
    const harmless = doors.filter((door) => !open || !sendsMessage(door))
    await sideBySide(streamsLast(harmless), async (door) => {
      // An agent that answers no request would delay a run for minutes.
      if (doorsTriedIn(run).filter(({ answer }) => answer.kind === 'unreadable').length >= patience) return
      const label = doorLabel(door.name, key)
      await run.send('door', { check: 'auth.doors', label, operation: 'door', door, fields }, 'beside')
    })
  }
}

/** Whether GetTask was let in with the same credentials, before any success. */
function answerTo(check: CheckId, run: CellRun): 'yes' | 'no' | 'unclear' {
  const asked = triedIn(run).filter(
    (tried) => tried.check === check && tried.when === 'before' && !isInconclusive(tried.answer),
  )
  const readings = asked.map(({ answer }) => wasLetIn(answer, run))
  return readings.includes('yes') ? 'yes' : (readings.at(-1) ?? 'unclear')
}

/**
 * The methods to try in a cell: those of its version that no other check sends, and those of the other version unless
 * another cell at the same URL tries them. Agents serve methods that their card does not name.
 *
 * @param cells those whose own methods are tried
 * @param streams whether `auth.stream` subscribes to a task
 */
export function doorsAt(cell: Cell, cells: readonly Cell[], streams: boolean): Door[] {
  const { binding, url } = cell
  return protocolVersions
    .filter(
      (protocol) =>
        protocol === cell.protocol ||
        !cells.some(
          (other) => other.binding === binding && other.protocol === protocol && other.url.href === url.href,
        ),
    )
    .flatMap((protocol) => doorsOf(binding, protocol))
    .filter((door) => !isTriedElsewhere(door, cell, streams))
}

/** GetTask is what `auth.none` and `auth.bearer-only` send, SubscribeToTask what `auth.stream` sends. */
function isTriedElsewhere(door: Door, cell: Cell, streams: boolean): boolean {
  if (door.protocol !== cell.protocol || door.verb === 'POST') return false
  return door.method === 'get' || (streams && door.method === 'subscribe')
}

/** An opened stream may stay silent until it times out. */
function streamsLast(doors: readonly Door[]): Door[] {
  return [...doors].sort((one, other) => Number(opensStream(one)) - Number(opensStream(other)))
}

/** Whether what stands in front, a firewall, blocks a method as it blocks GetTask with the same credentials. */
function isBlockedAlike(tried: Exchange, run: CellRun): boolean {
  const { answer } = tried
  if (isInconclusive(answer)) return false
  return triedIn(run).some(
    (one) =>
      one.check === keyOf(tried).check &&
      one.answer.kind === answer.kind &&
      one.answer.signature === answer.signature,
  )
}

/** Names the methods about which nothing was shown: they may be open. */
export function noteUntriedDoors(runs: readonly CellRun[]): void {
  for (const run of runs) {
    const untold = doorsTriedIn(run).filter(
      (tried) => showsNothing(tried) && tried.door?.method !== 'invented' && !isBlockedAlike(tried, run),
    )
    if (untold.length === 0) continue
    const names = untold.map(({ label }) => label).join(', ')
    run.gaps = [...run.gaps, `nothing but ${untold[0]?.answer.summary ?? ''} was answered to ${names}`]
  }
}
