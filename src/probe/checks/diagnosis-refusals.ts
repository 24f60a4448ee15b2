import { count } from '../../core/text.js'
import { validAnswer } from '../run/reading.js'
import type { Answer } from '../wire/answer.js'
import { unshown, type Rule } from './diagnosis-claim.js'
import type { View } from './diagnosis-view.js'
import { hasStopped, stopped } from './diagnosis-silence.js'
import { hopelessOffsetMs } from './shared/clock-offset.js'
import { declaresNoCode } from './shared/no-second-factor.js'

/** Right credentials are refused: the clock, a limiter, and something in front are known by the answers. */
export const refusedAll: Rule = (view) => {
  const { evidence, tested, failedIn, verdictsOf } = view
  const cells = failedIn('auth.valid')
  if (cells.length === 0 || verdictsOf('auth.valid').every(({ status }) => status !== 'fail'))
    return undefined
  const answers = evidence.cells
    .filter((one) => cells.includes(one.cell))
    .flatMap((one) => validAnswer(one) ?? [])
  const every = (kind: string): boolean =>
    answers.length > 0 && answers.every((answer) => (answer.kind as string) === kind)
  const claim = { cells, ids: unshown }
  const drift = driftOf(view)
  if (drift !== undefined) return { ...claim, text: drift, explain: 'clock' }
  const details = new Set(
    verdictsOf('auth.valid').flatMap((one) => (one.status === 'fail' ? one.detail : [])),
  )
  const why = details.size === 1 ? [...details].join('') : ''
  const seen = answers[0]?.summary ?? ''
  if (every('throttled')) return { ...claim, text: throttledText(view), explain: 'auth.valid' }
  if (every('foreign')) {
    const text = why.startsWith('a proxy') ? why : `something in front answers instead of the agent: ${seen}`
    return { ...claim, text, explain: 'auth.valid' }
  }
  if (every('unreadable') && hasStopped(evidence, cells)) {
    return { ...claim, text: stopped(seen), explain: 'reach' }
  }
  if (every('unreadable')) {
    return {
      ...claim,
      text: `right credentials get no answer that can be read: ${seen}`,
      explain: 'auth.valid',
    }
  }
  if (every('redirected')) {
    return {
      ...claim,
      text: `every call is redirected, and the probe follows none: ${seen}`,
      explain: 'auth.valid',
    }
  }
  if (answers.length > 0 && answers.every(isPage)) {
    const text = every('refused')
      ? `a page refuses every call, as a firewall in front of the agent does: ${seen}`
      : `no A2A endpoint answers here: ${seen}`
    return { ...claim, text, explain: 'auth.valid' }
  }
  if (declaresNoCode(evidence)) {
    return {
      ...claim,
      text: 'this agent declares no second factor, and refuses right credentials',
      explain: 'card.totp',
    }
  }
  const reason = why === '' ? '' : `: ${why}`
  const everywhere = cells.length === tested.length
  return {
    ...claim,
    text: `right credentials are ${every('failed') ? 'not answered properly' : 'refused'}${everywhere && tested.length > 1 ? ' everywhere' : ''}${reason}`,
    explain: 'auth.valid',
  }
}

function driftOf({ evidence: { exchanges, options } }: View): string | undefined {
  const ofCells = exchanges.filter(({ cell }) => cell !== null)
  const offset = hopelessOffsetMs(ofCells, options.credentials)
  if (offset === undefined) return undefined
  return `its clock is ${durationOf(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`
}

function durationOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 100) return count(seconds, 'second')
  const rounded = (exact: number, unit: string): string => `${Number(exact.toFixed(1))} ${unit}`
  return seconds < 6000 ? rounded(seconds / 60, 'minutes') : rounded(seconds / 3600, 'hours')
}

function throttledText({ evidence: { exchanges } }: View): string {
  const strangers = exchanges.filter(({ stage }) => stage === 'stranger')
  const live = strangers.some(({ answer }) => answer.kind !== 'throttled')
  return live
    ? 'this peer is throttled, so right credentials were not shown to be let in'
    : 'callers are throttled whatever their token is, so right credentials were not shown to be let in'
}

/** Whether a page or an empty answer stands where one of the protocol would. An agent's own 401 may be plain text. */
function isPage({ kind, status, offProtocol, summary }: Answer): boolean {
  if (offProtocol !== true || status === null) return false
  return kind === 'refused' ? status === 403 && summary.includes('an HTML page') : status < 400
}
