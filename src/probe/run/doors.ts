import { doorsOf, opensStream, sendsMessage, type Door } from '../bindings/methods.js'
import type { CheckId } from '../check-ids.js'
import { protocolVersions } from '../../core/card/shapes.js'
import type { Cell } from '../target/cells.js'
import { patience, type CellRun } from './cell-run.js'
import { doorKeys, doorLabel, doorsTriedIn, keyOf, showsNothing, type DoorKey } from './door-evidence.js'
import { bearerField } from './material.js'
import type { Exchange } from './exchange.js'
import { isInconclusive, isShown, triedIn, wasLetIn } from './reading.js'
import type { Session } from './session.js'

/** One call of a method. */
export interface DoorCall {
  readonly door: Door
  readonly key: DoorKey
}

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
  // A method is tried only where a call that is known to do nothing was refused.
  const answering = runs.filter((run) => answerTo('auth.none', run) !== 'unclear')
  const cells = answering.map(({ cell }) => cell)
  await Promise.all(
    answering.map(async (run) => {
      // To an agent that does not know the token, each call with it is a stranger's, and there are many.
      const knowsToken = trusted.includes(run) && isShown(run)
      const calls = doorCalls(run.cell, cells, session.plan.performed).filter(
        ({ door, key }) =>
          (knowsToken || !carriesToken(key)) && !(sendsMessage(door) && isOpenWith(key, run)),
      )
      await callDoors(session, run, calls)
    }),
  )
}

/** Sends again what was answered by a limiter, or by something else in front, alone. */
export async function tryDoorsAgain(session: Session, run: CellRun): Promise<void> {
  const calls = untoldDoors(run).map(({ door, label }) => ({ door, key: keyOf({ label }) }))
  await callDoors(
    session,
    run,
    calls.flatMap(({ door, key }) => (door ? [{ door, key }] : [])),
  )
}

/** The methods about which nothing was shown. */
export const untoldDoors = (run: CellRun): ReturnType<typeof doorsTriedIn> =>
  doorsTriedIn(run).filter(showsNothing)

const carriesToken = ({ check }: DoorKey): boolean => check === 'auth.bearer-only'

/** Whether messages are left alone: a call that does nothing was let in. */
function isOpenWith({ check }: DoorKey, run: CellRun): boolean {
  return answerTo('auth.none', run) === 'yes' || answerTo(check, run) === 'yes'
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
 * The calls of a cell: to the methods of its version, and to those of the other one unless another of the cells, at the
 * same URL, has it. Agents serve methods that their card does not name.
 */
export function doorCalls(
  cell: Cell,
  cells: readonly Cell[],
  performed: ReadonlySet<CheckId>,
): readonly DoorCall[] {
  const { binding, url } = cell
  const isElsewhere = (protocol: Cell['protocol']): boolean =>
    cells.some(
      (other) => other.binding === binding && other.protocol === protocol && other.url.href === url.href,
    )
  const doors = protocolVersions
    .filter((protocol) => protocol === cell.protocol || !isElsewhere(protocol))
    .flatMap((protocol) => doorsOf(binding, protocol))
    .filter((door) => !isTriedBefore(door, cell, performed.has('auth.stream')))
    // A cell with a tenant of its own is below it.
    .filter(({ isOfTenant }) => !isOfTenant || cell.tenant === undefined)
  return doorKeys.flatMap((key) => doors.map((door) => ({ door, key })))
}

/** GetTask is what `auth.none` and `auth.bearer-only` send, SubscribeToTask what `auth.stream` sends. */
function isTriedBefore(door: Door, cell: Cell, streams: boolean): boolean {
  if (door.protocol !== cell.protocol || door.verb === 'POST' || door.isOfTenant) return false
  return door.method === 'get' || (streams && door.method === 'subscribe')
}

async function callDoors({ options }: Session, run: CellRun, calls: readonly DoorCall[]): Promise<void> {
  // An opened stream may stay silent until it times out, so streams come last.
  const inOrder = [...calls].sort(
    (one, other) => Number(opensStream(one.door)) - Number(opensStream(other.door)),
  )
  const call = async ({ door, key }: DoorCall): Promise<void> => {
    // An agent that answers no request would delay a run for minutes.
    if (doorsTriedIn(run).filter(({ answer }) => answer.kind === 'unreadable').length >= patience) return
    const label = doorLabel(door.name, key)
    const fields = carriesToken(key) ? [bearerField(options.credentials.token.value)] : []
    await run.send('door', { check: 'auth.doors', label, operation: 'door', door, fields }, 'beside')
  }
  await Promise.all(inOrder.map((one) => run.sideBySide.take(() => call(one))))
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
    const untold = untoldDoors(run).filter(
      (tried) => tried.door?.method !== 'invented' && !isBlockedAlike(tried, run),
    )
    if (untold.length === 0) continue
    const names = untold.map(({ label }) => label).join(', ')
    run.gaps = [...run.gaps, `nothing but ${untold[0]?.answer.summary ?? ''} was answered to ${names}`]
  }
}
