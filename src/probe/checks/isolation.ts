import { isTelling } from '../run/compared.js'
import type { CellEvidence } from '../run/evidence.js'
import type { Exchange } from '../run/exchange.js'
import { isolationLabels as labels } from '../run/isolation-labels.js'
import { isShown } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import type { CellCheck } from './check.js'
import { saysNoMethod } from './shared/no-method.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const isolation: CellCheck = {
  id: 'isolation',
  scope: 'cell',
  proves: "a peer cannot reach another peer's tasks",
  expects: 'not found, or refused',
  needs: ['auth.none', 'auth.valid'],
  optIn: true,
  judge: judgeIsolation,
  means:
    "Runs only with `--isolation`: the probe sends a message as the peer, which the agent acts on, and asks for the task that it makes with another peer's token and code. That peer could read, list, cancel or subscribe to it: the agent knows who calls, and its tasks belong to nobody. Anyone with credentials of the agent reaches everyone's tasks. Where the other peer was throttled, or not let in, or an answer shows neither, nothing is shown, and `coverage` names it.",
  fix: [
    '@a2a-js/sdk 1.3 keeps tasks by the user name of the call: pass `userBuilder` and `contextBuilder` of `TOTPCallContextBuilder` to every handler.',
    '@a2a-js/sdk 0.3.14 and a2a-sdk 0.3 for Python share one task store among all users: give each peer its own store, or check the owner in the executor and in the store.',
    'a2a-sdk 1.x for Python: the middleware must set `scope["user"]`, which the default builder reads.',
  ],
}

const reaches = [
  [labels.get, 'read it'],
  [labels.list, 'list it'],
  [labels.subscribe, 'subscribe to it'],
  [labels.subscribePost, 'subscribe to it'],
  [labels.cancel, 'cancel it'],
] as const

/** Whether another peer reached the task that the peer made. */
function judgeIsolation(cell: CellEvidence): Verdict {
  return isShown(cell) ? readIsolation(cell) : skipped(cell.whyNotSent)
}

/** What was sent shows nothing, in words, although there was something to ask for. */
export function isolationGaps(cell: CellEvidence): string[] {
  if (!cell.exchanges.some(({ stage }) => stage === 'isolation')) return []
  const { isGap, detail, actual } = readIsolation(cell)
  return isGap === true ? [`isolation: ${detail} (${actual})`] : []
}

/** A verdict, and whether it is a gap: there may be tasks that others reach. */
type Reading = Verdict & { readonly isGap?: boolean }

function readIsolation(cell: CellEvidence): Reading {
  const sent = cell.exchanges.filter(({ stage }) => stage === 'isolation')
  const find = (label: string): Exchange | undefined => sent.findLast((one) => one.label === label)
  const message = find(labels.message)
  if (!message) return skipped('no message was sent')
  const taskId = message.answer.content?.taskId
  if (taskId === undefined) {
    return message.answer.kind === 'answered'
      ? untold('the agent answered with a message and made no task', message, false)
      : untold('the message made no task', message)
  }
  const own = find(labels.own)
  if (own?.answer.kind !== 'answered') {
    const isGap = own === undefined || !isTelling(own.answer)
    return untold('the agent does not show its task to the peer that made it', own, isGap)
  }
  return judgeReaches(find, taskId)
}

function judgeReaches(find: Find, taskId: string): Reading {
  const tried = reaches.flatMap(([label, what]) => {
    const exchange = find(label)
    return exchange ? [{ exchange, what, reached: isReached(exchange, find, taskId) }] : []
  })
  const open = tried.filter(({ reached }) => reached === 'yes')
  if (open[0]) {
    const names = [...new Set(open.map(({ what }) => what))].join(', ')
    return failed(open[0].exchange.answer.summary, `another peer can: ${names}`)
  }
  const read = find(labels.get)
  // A 401 says that the other peer was not let in, so it could not even ask.
  if (read?.answer.status === 401)
    return untold("the other peer's credentials were not let in, so it could not ask for the task", read)
  const isRead = tried.some(({ exchange, reached }) => exchange === read && reached === 'no')
  if (!read || !isRead) return untold('nothing shows whether another peer can read it', read)
  const lost = tried.find(({ reached }) => reached === 'unclear')
  return lost
    ? untold(`nothing shows whether another peer can ${lost.what}`, lost.exchange)
    : passed(read.answer.summary)
}

function untold(detail: string, exchange: Exchange | undefined, isGap = true): Reading {
  return { ...skipped(detail), actual: exchange?.answer.summary ?? '', isGap }
}

type Find = (label: string) => Exchange | undefined

function isReached({ label, answer }: Exchange, find: Find, taskId: string): 'yes' | 'no' | 'unclear' {
  const isListed = label === labels.list && answer.raw.includes(taskId)
  if (!isListed && isForNobody(answer, find(`${label}: ${labels.itself}`)?.answer)) return 'no'
  switch (answer.kind) {
    case 'answered':
      return label !== labels.list || isListed ? 'yes' : 'no'
    case 'authenticated':
    case 'refused':
      return 'no'
    case 'throttled':
    case 'foreign':
    case 'unreadable':
      return 'unclear'
    case 'other':
    case 'unserved':
    case 'failed':
    case 'redirected': {
      if (label === labels.list) return isListed ? 'yes' : listsNothing(answer)
      // Another answer than to a task that nobody has: the agent looked at this one.
      const compared = find(`${label}: ${labels.stranger}`)?.answer
      if (!compared || !isTelling(compared)) return 'unclear'
      if (compared.kind !== answer.kind || compared.signature !== answer.signature) return 'yes'
      // An agent that fails for every task did not look at whose it is.
      return answer.kind === 'failed' || answer.kind === 'redirected' ? 'unclear' : 'no'
    }
  }
}

/** Whether the peer whose task it is gets no more: a2a-sdk 0.3 for Python fails for any list, and breaks off subscriptions. */
const isForNobody = (answer: Answer, own: Answer | undefined): boolean =>
  own !== undefined &&
  // Where nothing came there may be a stream that says nothing yet.
  (own.status ?? own.unread?.status) !== undefined &&
  own.kind === answer.kind &&
  own.summary === answer.summary

/** Any object without the task is a list without it. An agent that has no list, as 0.3 has none, shows none to anyone. */
function listsNothing(answer: Answer): 'no' | 'unclear' {
  const isList = answer.content !== undefined && answer.status === 200
  return isList || answer.status === 404 || saysNoMethod(answer) ? 'no' : 'unclear'
}
