import { cellCheckIds } from '../check-ids.js'
import { unshown, type Rule } from './diagnosis-claim.js'
import { notNamed, notTested } from './diagnosis-coverage.js'
import { refusedAll } from './diagnosis-refusals.js'
import { sentences } from './diagnosis-sentences.js'
import { silent, unanswered } from './diagnosis-silence.js'
import { declaresNoCode } from './shared/no-second-factor.js'

const guesses = ['auth.wrong-code', 'auth.expired-code', 'auth.future-code', 'auth.cross-peer']
const forms = ['auth.malformed-code', 'auth.duplicate-header']
const afterOne = ['auth.after-valid', 'auth.stream', 'auth.doors', 'throttle', 'replay', 'isolation']
const ofProofs = cellCheckIds.filter((id) => id.startsWith('signed.'))
const withToken = ['auth.bearer-only', ...guesses, ...forms, ...afterOne, ...ofProofs]
const everything = ['auth.none', 'auth.totp-only', 'auth.wrong-token', ...withToken]

const noTrust = 'no trusted TLS connection'

const untrusted: Rule = ({ evidence, failed, verdictsOf }) => {
  const verdict = verdictsOf('tls').find(({ status }) => status === 'fail')
  if (!failed('tls') || !verdict) return undefined
  const { actual } = verdict
  if (actual.startsWith('plain http')) {
    return { text: `${actual}: token and code can be read in transit`, ids: unshown, explain: 'tls' }
  }
  const cells = evidence.cells
    .filter(({ exchanges }) => exchanges.some(({ answer }) => answer.untrusted === true))
    .map(({ cell }) => cell)
  return {
    text: /client certificate/i.test(actual) || actual.startsWith(noTrust) ? actual : `${noTrust}: ${actual}`,
    ...(cells.length > 0 && { cells }),
    // Nothing was sent there, so nothing was refused.
    ids: [...everything, ...unshown],
    explain: 'tls',
  }
}

const open: Rule = ({ tested, letInBy, failedIn, verdictsOf }) => {
  const cells = letInBy('auth.none')
  if (cells.length === 0) return undefined
  // If only a caller without anything is let in, there is a guard, and it knows guests.
  const looks =
    verdictsOf('auth.bearer-only', cells).length > 0 &&
    !failedIn('auth.bearer-only').some((cell) => cells.includes(cell))
  if (looks) return { text: 'callers without any credentials are let in', cells, ids: ['auth.none'] }
  return {
    text: 'this agent demands no credentials at all',
    ...(cells.length < tested.length && { about: behindNoGuard }),
    cells,
    ids: everything,
    explain: 'auth.none',
  }
}

const behindNoGuard = (names: string): string =>
  `${names} ${names.includes(' and ') ? 'are' : 'is'} not behind the guard`

const tokenAlone: Rule = ({ evidence, letInBy, verdictsOf }) => {
  const cells = letInBy('auth.bearer-only')
  if (cells.length === 0) return undefined
  const isRead = verdictsOf('auth.wrong-code', cells).some(({ status }) => status === 'pass')
  const what = isRead ? 'the second factor is optional' : 'the second factor is not checked'
  const how = declaresNoCode(evidence) ? 'this agent declares no second factor, and checks none' : what
  return { text: `${how}: the token alone is enough`, cells, ids: withToken, explain: 'auth.bearer-only' }
}

const anyCode: Rule = ({ letInBy }) => {
  const others = [...letInBy('auth.expired-code'), ...letInBy('auth.future-code')]
  const cells = letInBy('auth.wrong-code').filter((cell) => others.includes(cell))
  if (cells.length === 0) return undefined
  return {
    text: 'the value of the code is not checked: wrong codes are let in',
    cells,
    ids: [...guesses, ...forms, ...afterOne],
    explain: 'auth.wrong-code',
  }
}

const anyToken: Rule = ({ letInBy }) => {
  const cells = letInBy('auth.wrong-token')
  if (cells.length === 0) return undefined
  return {
    text: 'the token is not checked: an unknown one is enough beside a right code',
    cells,
    ids: ['auth.wrong-token', 'auth.totp-only', 'auth.cross-peer', ...afterOne],
    explain: 'auth.wrong-token',
  }
}

const cardLeaks: Rule = ({ evidence: { exchanges, secrets }, failed }) => {
  const leaking = exchanges.find(
    ({ cell, answer: { raw, receivedAt } }) =>
      cell === null && receivedAt !== undefined && secrets.foundIn(raw, receivedAt) !== undefined,
  )
  if (!failed('leak') || !leaking) return undefined
  return { text: 'the agent card contains a secret', ids: ['leak'] }
}

const crashing: Rule = ({ failedIn, verdictsOf }) =>
  verdictsOf('status').some(({ status }) => status === 'fail')
    ? { text: 'the agent fails instead of refusing', cells: failedIn('status'), ids: ['status'] }
    : undefined

const clockIsOff: Rule = ({ failed, verdictsOf }) =>
  failed('clock')
    ? { text: `its clock is ${verdictsOf('clock')[0]?.actual ?? 'off'}`, ids: ['clock'] }
    : undefined

/** What follows from one of them. */
const alsoFail: Readonly<Record<string, readonly string[]>> = {
  'auth.wrong-code': ['auth.after-valid', 'auth.stream'],
  'card.totp': ['card.and'],
  'card.bearer': ['card.and'],
}

const ofOneCheck = Object.entries(sentences).map(([id, text]): Rule => (view) => {
  if (!view.failed(id)) return undefined
  const cells = view.failedIn(id)
  return { text, ...(cells.length > 0 && { cells }), ids: [id, ...(alsoFail[id] ?? [])] }
})

/** In the order in which they are tried: what explains more comes first. */
export const rules: readonly Rule[] = [
  silent,
  untrusted,
  open,
  tokenAlone,
  anyCode,
  anyToken,
  unanswered,
  refusedAll,
  notNamed,
  notTested,
  cardLeaks,
  crashing,
  clockIsOff,
  ...ofOneCheck,
]
