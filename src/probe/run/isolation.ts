import { usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { doorsOf, type Door } from '../bindings/methods.js'
import type { ProbeCredentials, ProbeOptions } from '../options.js'
import type { Answer } from '../wire/answer.js'
import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { isolationLabels } from './isolation-labels.js'
import { credentialFields } from './material.js'
import type { Proofs } from './proofs.js'
import type { Session } from './session.js'
import { ValidCodes } from './valid-codes.js'

/** What is sent if no text was given. */
const defaultText = 'ping'

/** Rows of a list to ask for: a task that was just made is among the first. */
const pageSize = 50

/** The ways by which another peer may reach a task; to cancel it comes last. */
const reaches = ['get', 'list', 'subscribe', 'subscribePost', 'cancel'] as const

/** What an agent answers where it cannot do something for anyone, among other reasons. */
const worksForNobody: readonly Answer['kind'][] = ['failed', 'redirected', 'unreadable']

/** Announces what will be sent: it is a side effect. */
export function announceIsolation({ plan, options, announce }: Session): void {
  if (!plan.performed.has('isolation')) return
  const who = options.credentials.peer ?? 'the peer'
  announce(
    `isolation: sends the message "${options.send ?? defaultText}" as ${who} to each interface, then asks for the task that it makes as another peer`,
  )
}

/**
 * In each cell, makes a task by a message and asks for it with the credentials of another peer: to read it, to find it in
 * a list, to subscribe to it, and to cancel it.
 */
export async function isolate(session: Session, runs: readonly CellRun[], codes: ValidCodes): Promise<void> {
  const { plan, options, proofs, sleep, announce } = session
  const other = otherCredentials(options)
  if (!plan.performed.has('isolation') || !other) return
  const otherSigns = signs(proofs, options.otherPeer?.signed)
  const otherCodes = new ValidCodes({
    ...{ credentials: other, now: options.now, sleep, announce },
    allSigned: () => otherSigns,
  })
  if (codes.once) otherCodes.learnOnce()
  const isolateIn = async (run: CellRun): Promise<void> => {
    // Signed calls may share a time step, plain ones need one each.
    const own = async (): Promise<Pick<Attempt, 'fields' | 'signing'>> => ({
      fields: credentialFields(options.credentials, proofs.matter ? codes.shared() : await codes.next()),
      ...(proofs.matter && { signing: 'right' }),
    })
    const text = options.send ?? defaultText
    const message = await send(run, isolationLabels.message, { operation: 'send', text, ...(await own()) })
    const taskId = message.content?.taskId
    if (taskId === undefined) return
    const read = await send(run, isolationLabels.own, { operation: 'get', taskId, ...(await own()) })
    if (read.kind !== 'answered') return
    for (const reach of reaches) {
      const attempt = attemptTo(reach, run, taskId)
      if (!attempt) continue
      const label = isolationLabels[reach]
      const others = async (): Promise<Pick<Attempt, 'fields' | 'signing' | 'by'>> => ({
        fields: credentialFields(other, await otherCodes.next()),
        by: 'other-peer',
        signing: otherSigns ? 'right' : 'none',
      })
      const { kind } = await send(run, label, { ...attempt, ...(await others()) })
      if (kind === 'authenticated' || kind === 'answered' || kind === 'refused') continue
      // What it answers to the peer whose task it is, to compare. That one is not to lose it.
      if (worksForNobody.includes(kind) && reach !== 'cancel')
        await send(run, `${label}: ${isolationLabels.itself}`, { ...attempt, ...(await own()) })
      if (reach === 'list') continue
      // What it answers to that peer where there is no task, to compare.
      const nobodys = attemptTo(reach, run)
      if (!nobodys) continue
      await send(run, `${label}: ${isolationLabels.stranger}`, { ...nobodys, ...(await others()) })
    }
  }
  // Under `once` each plain call takes a time step of its own.
  if (codes.once || otherCodes.once) for (const run of runs) await isolateIn(run)
  else await Promise.all(runs.map(isolateIn))
}

/** Whether the calls of the other peer are signed; if its policy is unknown, it is taken to be that of the first. */
function signs(proofs: Proofs, policy: SignedPolicy | undefined): boolean {
  return policy === undefined ? proofs.matter : proofs.canSign && usesProofs(policy)
}

function send(run: CellRun, label: string, attempt: Omit<Attempt, 'check' | 'label'>): Promise<Answer> {
  return run.send('isolation', { check: 'isolation', label, ...attempt }, 'beside')
}

type Reach = (typeof reaches)[number]

/** A call for a task, by default for one that nobody has; undefined where the binding has no such method. */
function attemptTo(
  reach: Reach,
  { cell }: CellRun,
  taskId?: string,
): Pick<Attempt, 'operation' | 'door' | 'taskId' | 'pageSize'> | undefined {
  const given = taskId === undefined ? {} : { taskId }
  if (reach === 'get' || reach === 'subscribe') return { operation: reach, ...given }
  const isMeant = ({ method, verb }: Door): boolean =>
    reach === 'subscribePost' ? method === 'subscribe' && verb === 'POST' : method === reach
  const door = doorsOf(cell.binding, cell.protocol).find(isMeant)
  return door && { operation: 'door', door, ...(reach === 'list' ? { pageSize } : given) }
}

/** Both peers are peers of one agent, which has one header and one window. */
function otherCredentials({ credentials, otherPeer }: ProbeOptions): ProbeCredentials | undefined {
  if (otherPeer?.token === undefined) return undefined
  const { token, seed, algorithm, digits, period } = otherPeer
  const { header, window, replay } = credentials
  return { token, seed, algorithm, digits, period, header, window, ...(replay && { replay }) }
}
