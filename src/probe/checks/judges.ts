import { isAnswer } from '../wire/answer.js'
import { checkIds, infoOf, type CheckId } from './catalogue.js'
import { wasLetIn, type CellRun } from '../run/cell-run.js'
import { surplusOf, unreadOf, type Cell } from '../target/cells.js'
import { judgeAnd, judgeBearerScheme, judgeTotpScheme } from './card.js'
import { judgeClock } from './clock.js'
import { judgeCoverage } from './coverage.js'
import { judgeAfterValid, judgeGuess, judgeRefusals, judgeStream } from './held.js'
import { judgeChallenge, judgeLeak, judgeStatus, judgeUniform } from './manners.js'
import { judgeReplay } from './replay.js'
import { judgeThrottle, judgeWindow } from './scans.js'
import { judgeValid } from './valid.js'
import type { Diagnosis } from './diagnosis.js'
import type { Discovery } from '../target/discovery.js'
import { isExposed } from '../target/hosts.js'
import type { ProbeOptions } from '../options.js'
import { failed, passed, skipped, warned, type Verdict } from '../report/report.js'
import type { Scans } from '../run/scans.js'
import type { Secrets } from '../run/secrets.js'

/** Everything that was seen, once all is sent. */
export interface Evidence {
  readonly options: ProbeOptions
  readonly target: URL
  readonly discovery: Discovery
  readonly cells: readonly Cell[]
  readonly runs: readonly CellRun[]
  readonly secrets: Secrets
  readonly noCrossPeer: string
  readonly scans: Scans
  readonly diagnosis: Diagnosis | undefined
}

type CellJudge = (run: CellRun, evidence: Evidence) => Verdict
type RunJudge = (evidence: Evidence) => Verdict

const refusals =
  (check: CheckId): CellJudge =>
  (run) =>
    judgeRefusals(check, run)

const guesses =
  (check: CheckId): CellJudge =>
  (run) =>
    judgeGuess(check, run)

const cellJudges: Readonly<Partial<Record<CheckId, CellJudge>>> = {
  'auth.none': refusals('auth.none'),
  'auth.bearer-only': refusals('auth.bearer-only'),
  'auth.totp-only': refusals('auth.totp-only'),
  'auth.wrong-token': refusals('auth.wrong-token'),
  'auth.malformed-code': refusals('auth.malformed-code'),
  'auth.duplicate-header': refusals('auth.duplicate-header'),
  'auth.stream': judgeStream,
  'auth.wrong-code': guesses('auth.wrong-code'),
  'auth.expired-code': guesses('auth.expired-code'),
  'auth.future-code': guesses('auth.future-code'),
  'auth.cross-peer': (run, { noCrossPeer }) =>
    noCrossPeer === '' ? judgeGuess('auth.cross-peer', run) : skipped(noCrossPeer),
  'auth.valid': (run, { options: { credentials }, discovery: { cards }, runs, diagnosis }) =>
    judgeValid(run, { credentials, cards, runs, diagnosis }),
  'auth.after-valid': judgeAfterValid,
  challenge: judgeChallenge,
  status: judgeStatus,
  uniform: judgeUniform,
  replay: (run, { options }) => judgeReplay(run, options.credentials),
  leak: (run, { secrets, discovery }) => judgeLeak([...run.answers, ...discovery.answers], secrets),
}

const runJudges: Readonly<Partial<Record<CheckId, RunJudge>>> = {
  reach: judgeReach,
  tls: judgeTls,
  'card.fetch': judgeCard,
  'card.bearer': withCard(({ discovery }) => judgeBearerScheme(discovery.cards)),
  'card.totp': withCard(({ discovery, options }) =>
    judgeTotpScheme(discovery.cards, options.credentials.header),
  ),
  'card.and': withCard(({ discovery, options }) => judgeAnd(discovery.cards, options.credentials.header)),
  window: ({ scans }) => judgeWindow(scans),
  throttle: ({ scans, runs }) => judgeThrottle(scans, runs),
  coverage: ({ cells, runs, discovery: { interfaces }, options }) =>
    judgeCoverage({ cells, runs, surplus: surplusOf(interfaces), unread: unreadOf(interfaces, options) }),
  clock: ({ runs, options }) =>
    judgeClock(
      runs.flatMap(({ answers }) => answers),
      options.credentials,
    ),
}

/** The verdict of a check on the agent as a whole. */
export function judgeRun(id: CheckId, evidence: Evidence): Verdict {
  return runJudges[id]?.(evidence) ?? skipped('this check is made per cell')
}

/** The verdict of a check on one cell. */
export function judgeCell(id: CheckId, run: CellRun, evidence: Evidence): Verdict {
  const { untestable } = run.cell
  if (untestable !== undefined) return skipped(untestable)
  const open = run.tried.some(({ answer }) => wasLetIn(answer, run) === 'yes')
  if (run.valid?.kind === 'unserved' && !open) {
    return { ...skipped('the agent does not serve this binding and version here'), actual: run.valid.summary }
  }
  return cellJudges[id]?.(run, evidence) ?? skipped('this check is made once')
}

/**
 * The verdicts where nothing answered: what was found out, and everything else as skipped. A refused TLS handshake
 * is an answer, though not one that a call could follow.
 */
export function judgeSilence(id: CheckId, { silence }: Discovery): Verdict {
  const explanation = silence?.explanation ?? 'no answer'
  if (silence?.reason === 'tls') {
    if (id === 'reach') return passed('a TLS handshake')
    if (id === 'tls') return failed(explanation, untrustedHint)
  }
  if (id === 'reach') {
    const grpc = silence?.reason === 'broken' ? ' An endpoint that has gRPC alone needs --binding grpc.' : ''
    return failed(explanation, `is the URL right, and the agent running?${grpc}`)
  }
  return skipped('nothing answered')
}

/** Checks of the agent as a whole, and those that are made per cell, in the order of the report. */
export const runChecks = checkIds.filter((id) => infoOf(id).scope === 'run')
export const cellChecks = checkIds.filter((id) => infoOf(id).scope === 'cell')

function judgeReach({ discovery, runs }: Evidence): Verdict {
  const [page] = discovery.answers
  if (page) return passed(`HTTP ${page.status}`)
  const answer = runs.flatMap(({ answers }) => answers).find(isAnswer)
  return answer ? passed(answer.summary) : judgeSilence('reach', discovery)
}

function judgeTls({ target, cells, runs }: Evidence): Verdict {
  const urls = [target, ...cells.filter(({ untestable }) => untestable === undefined).map(({ url }) => url)]
  const exposed = urls.find(isExposed)
  if (exposed) {
    return failed(
      `plain http to ${exposed.host}`,
      'token and code can be read on the way; serve it over https',
    )
  }
  const refused = runs.find(({ answers }) => answers.some(({ untrusted }) => untrusted))
  if (refused) {
    const { url } = refused.cell
    return failed(`${untrustedIn(refused)} at ${url.host}`, untrustedHint)
  }
  return passed(urls.every(({ protocol }) => protocol === 'https:') ? 'https' : 'http on loopback')
}

const untrustedHint = 'the certificate is not trusted; name its issuer with --ca FILE'

const untrustedIn = ({ answers }: CellRun): string =>
  answers.find(({ untrusted }) => untrusted)?.summary ?? ''

function judgeCard({ discovery, cells }: Evidence): Verdict {
  const { cards, problem, durationMs } = discovery
  if (cards.length === 0) {
    return { ...warned('no card', `${problem}; the URL itself was taken for the endpoint`), durationMs }
  }
  if (cells.length === 0) return { ...warned('a card', 'it names no interface that is known'), durationMs }
  return { ...passed(cards.length === 1 ? 'a card' : 'a card for each version'), durationMs }
}

function withCard(judge: RunJudge): RunJudge {
  return (evidence) => (evidence.discovery.cards.length === 0 ? skipped('there is no card') : judge(evidence))
}
