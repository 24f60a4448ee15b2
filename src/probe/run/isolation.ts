import { doorsOf, type Method } from '../bindings/methods.js'
import type { ProbeCredentials, ProbeOptions } from '../options.js'
import type { Answer } from '../wire/answer.js'
import type { CellRun } from './cell-run.js'
import type { Attempt } from './exchange.js'
import { isolationLabels } from './isolation-labels.js'
import { credentialFields } from './material.js'
import type { Session } from './session.js'
import { ValidCodes } from './valid-codes.js'

/** What is sent if no text was given. */
const defaultText = 'ping'

/** Rows of a list to ask for: a task that was just made is among the first. */
const pageSize = 50

/** The methods by which another peer may reach a task; to cancel it comes last. */
const reaches = ['get', 'list', 'subscribe', 'cancel'] as const satisfies readonly Method[]

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
  const { plan, options, sleep, announce } = session
  const other = otherCredentials(options)
  if (!plan.performed.has('isolation') || !other) return
  const otherCodes = new ValidCodes({ credentials: other, now: options.now, sleep, announce })
  if (codes.once) otherCodes.learnOnce()
  const isolateIn = async (run: CellRun): Promise<void> => {
    const own = async (): Promise<Attempt['fields']> =>
      credentialFields(options.credentials, await codes.next())
    const text = options.send ?? defaultText
    const message = await send(run, isolationLabels.message, { operation: 'send', text, fields: await own() })
    const taskId = message.content?.taskId
    if (taskId === undefined) return
    const read = await send(run, isolationLabels.own, { operation: 'get', taskId, fields: await own() })
    if (read.kind !== 'answered') return
    for (const method of reaches) {
      const attempt = attemptTo(method, run, taskId)
      if (!attempt) continue
      const label = isolationLabels[method]
      const fields = async (): Promise<Attempt['fields']> => credentialFields(other, await otherCodes.next())
      const { kind } = await send(run, label, { ...attempt, fields: await fields() })
      if (method === 'list' || kind === 'authenticated' || kind === 'answered' || kind === 'refused') continue
      // What it answers to that peer where there is no task, to compare.
      const nobodys = attemptTo(method, run)
      if (!nobodys) continue
      await send(run, `${label}: ${isolationLabels.stranger}`, { ...nobodys, fields: await fields() })
    }
  }
  // Under `once` each call takes a time step of its own.
  if (codes.once) for (const run of runs) await isolateIn(run)
  else await Promise.all(runs.map(isolateIn))
}

function send(run: CellRun, label: string, attempt: Omit<Attempt, 'check' | 'label'>): Promise<Answer> {
  return run.send('isolation', { check: 'isolation', label, ...attempt }, 'beside')
}

type Reach = (typeof reaches)[number]

/** A call for a task, by default for one that nobody has; undefined where the version has no such method. */
function attemptTo(
  method: Reach,
  { cell }: CellRun,
  taskId?: string,
): Pick<Attempt, 'operation' | 'door' | 'taskId' | 'pageSize'> | undefined {
  const given = taskId === undefined ? {} : { taskId }
  if (method === 'get' || method === 'subscribe') return { operation: method, ...given }
  // 0.3 has no list: some agents have one of their own.
  const door = doorsOf(cell.binding, cell.protocol).find((one) => one.method === method)
  if (!door || (method === 'list' && cell.protocol === '0.3')) return undefined
  return { operation: 'door', door, ...(method === 'list' ? { pageSize } : given) }
}

/** Both peers are peers of one agent, which has one header and one window. */
function otherCredentials({ credentials, otherPeer }: ProbeOptions): ProbeCredentials | undefined {
  if (otherPeer?.token === undefined) return undefined
  const { token, seed, algorithm, digits, period } = otherPeer
  const { header, window, replay } = credentials
  return { token, seed, algorithm, digits, period, header, window, ...(replay && { replay }) }
}
