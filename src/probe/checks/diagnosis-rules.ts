import { refusedAll } from './diagnosis-refused.js'
import { cardless, notNamed } from './diagnosis-coverage.js'
import { unshown, type Rule } from './diagnosis-claim.js'
import { silent, unanswered } from './diagnosis-silence.js'
import { declaresNoCode } from './shared/no-second-factor.js'

const guesses = ['auth.wrong-code', 'auth.expired-code', 'auth.future-code', 'auth.cross-peer']
const forms = ['auth.malformed-code', 'auth.duplicate-header']
const afterOne = ['auth.after-valid', 'auth.stream', 'auth.doors', 'throttle', 'replay', 'isolation']
const withToken = ['auth.bearer-only', ...guesses, ...forms, ...afterOne]
const everything = ['auth.none', 'auth.totp-only', 'auth.wrong-token', ...withToken]
const noTrust = 'no trusted TLS connection'

const untrusted: Rule = ({ failed, verdictsOf }) => {
  const verdict = verdictsOf('tls').find(({ status }) => status === 'fail')
  if (!failed('tls') || !verdict) return undefined
  const { actual, detail } = verdict
  const text = actual.startsWith('plain http')
    ? `${actual}: token and code can be read in transit`
    : /client certificate/i.test(actual) || actual.startsWith(noTrust)
      ? actual
      : /client certificate/i.test(detail)
        ? `the agent demands a client certificate: ${actual}`
        : `${noTrust}: ${actual}`
  return { text, ids: unshown, explain: 'tls' }
}

/** The card is served, and no call gets an answer that can be read. */
const mute: Rule = ({ evidence, failedIn }) => {
  const cells = failedIn('auth.none')
  const answers = evidence.cells
    .filter((one) => cells.includes(one.cell))
    .flatMap(({ exchanges }) => exchanges.map(({ answer }) => answer))
  const [first] = answers
  if (!first || answers.some(({ kind }) => kind !== 'unreadable')) return undefined
  const text = `no call gets an answer that can be read: ${first.summary}`
  return { text, cells, ids: [...everything, ...unshown], explain: 'auth.valid' }
}

const open: Rule = ({ tested, failed, letIn, verdictsOf }) => {
  const cells = letIn('auth.none')
  if (cells.length === 0) return undefined
  // If only a caller without anything is let in, there is a guard, and it knows guests.
  const looks = verdictsOf('auth.bearer-only').length > 0 && !failed('auth.bearer-only')
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

const tokenAlone: Rule = ({ evidence, letIn, verdictsOf }) => {
  const cells = letIn('auth.bearer-only')
  if (cells.length === 0) return undefined
  const isRead = verdictsOf('auth.wrong-code').some(({ status }) => status === 'pass')
  const what = isRead ? 'the second factor is optional' : 'the second factor is not checked'
  const how = declaresNoCode(evidence) ? 'this agent declares no second factor, and checks none' : what
  return { text: `${how}: the token alone is enough`, cells, ids: withToken, explain: 'auth.bearer-only' }
}

const anyCode: Rule = ({ letIn }) => {
  const cells = letIn('auth.wrong-code').filter(
    (cell) => letIn('auth.expired-code').includes(cell) || letIn('auth.future-code').includes(cell),
  )
  if (cells.length === 0) return undefined
  return {
    text: 'the value of the code is not checked: wrong codes are let in',
    cells,
    ids: [...guesses, ...forms, ...afterOne],
    explain: 'auth.wrong-code',
  }
}

const anyToken: Rule = ({ letIn }) => {
  const cells = letIn('auth.wrong-token')
  if (cells.length === 0) return undefined
  return {
    text: 'the token is not checked: an unknown one is enough beside a right code',
    cells,
    ids: ['auth.wrong-token', 'auth.totp-only', 'auth.cross-peer', ...afterOne],
    explain: 'auth.wrong-token',
  }
}

/** Sentences for a check that fails without any of the reasons above, in the order in which they matter. */
const sentences: Readonly<Record<string, string>> = {
  'auth.totp-only': 'the token is not checked: a code alone is enough',
  'auth.wrong-code': 'a wrong code is let in',
  'auth.expired-code': 'codes of minutes ago are still let in',
  'auth.future-code': 'codes of minutes to come are let in already',
  'auth.cross-peer': "another peer's code is let in",
  'auth.stream': 'streams are not guarded',
  'auth.doors': 'not every method is behind the guard',
  isolation: "one peer can reach another peer's task",
  'auth.after-valid': 'the agent remembers callers: after a success it lets in what it refused before',
  'auth.malformed-code': 'malformed codes are read as right ones',
  'auth.duplicate-header': 'a header that is sent twice is not refused',
  leak: 'an answer contains a secret',
  replay: 'a used code is let in again',
  throttle: 'wrong codes are not slowed down',
  'auth.valid': 'right credentials are let in, but not as they should be',
  status: 'callers are not refused with 401',
  'card.signature': 'the signature of the card does not verify',
  coverage: 'not everything was tested',
  'card.totp': 'this agent declares no second factor',
  'card.bearer': 'this agent declares no bearer token',
  'card.and': 'the card does not demand both factors in every requirement',
  'card.fetch': 'no agent card is served',
  window: 'more time steps are accepted than needed',
  challenge: 'a 401 does not say how to authenticate',
  uniform: 'refusals reveal whether a token is live',
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
  mute,
  open,
  tokenAlone,
  anyCode,
  anyToken,
  unanswered,
  refusedAll,
  notNamed,
  cardless,
  crashing,
  clockIsOff,
  ...ofOneCheck,
]
