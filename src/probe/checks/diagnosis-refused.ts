import { validAnswer } from '../run/reading.js'
import { isAnswer, type Answer } from '../wire/answer.js'
import { unshown, type Rule } from './diagnosis-claim.js'
import type { View } from './diagnosis-view.js'
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
  const [first] = answers
  if (first && answers.every((answer) => !isAnswer(answer))) {
    return { ...claim, text: `right credentials got no answer: ${first.summary}`, explain: 'auth.valid' }
  }
  const drift = driftOf(view)
  if (drift !== undefined) return { ...claim, text: drift, explain: 'clock' }
  if (every('throttled')) return { ...claim, text: throttledText(view), explain: 'auth.valid' }
  if (every('foreign')) {
    const summary = answers[0]?.summary ?? ''
    return {
      ...claim,
      text: `something in front answers instead of the agent: ${summary}`,
      explain: 'auth.valid',
    }
  }
  if (first && answers.every((answer) => isOffProtocol(answer))) {
    return { ...claim, text: `no A2A endpoint answers here: ${first.summary}`, explain: 'auth.valid' }
  }
  if (declaresNoCode(evidence)) {
    return {
      ...claim,
      text: 'this agent declares no second factor, and refuses right credentials',
      explain: 'card.totp',
    }
  }
  const details = new Set(
    verdictsOf('auth.valid').flatMap((one) => (one.status === 'fail' ? one.detail : [])),
  )
  const why = details.size === 1 ? [...details].join('') : ''
  const reason = why === '' ? '' : `: ${why}`
  const everywhere = cells.length === tested.length
  return {
    ...claim,
    text: `right credentials are refused${everywhere && tested.length > 1 ? ' everywhere' : ''}${reason}`,
    explain: 'auth.valid',
  }
}

/** A page, plain text or nothing, which is no refusal in any form. */
const isOffProtocol = ({ kind, offProtocol }: Answer): boolean =>
  offProtocol === true && kind !== 'refused' && kind !== 'redirected'

function driftOf({ evidence: { exchanges, options } }: View): string | undefined {
  const ofCells = exchanges.filter(({ cell }) => cell !== null)
  const offset = hopelessOffsetMs(ofCells, options.credentials)
  if (offset === undefined) return undefined
  return `its clock is ${durationOf(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`
}

function durationOf(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 100) return `${seconds} seconds`
  const rounded = (count: number, unit: string): string => `${Number(count.toFixed(1))} ${unit}`
  return seconds < 6000 ? rounded(seconds / 60, 'minutes') : rounded(seconds / 3600, 'hours')
}

function throttledText({ evidence: { exchanges } }: View): string {
  const strangers = exchanges.filter(({ stage }) => stage === 'stranger')
  const live = strangers.some(({ answer }) => answer.kind !== 'throttled')
  return live
    ? 'this peer is throttled, so right credentials were not shown to be let in'
    : 'something in front throttles, so right credentials were not shown to be let in'
}
