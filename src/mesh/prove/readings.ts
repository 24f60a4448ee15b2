import { listSome } from '../../core/text.js'
import type { CheckResult, ProbeReport } from '../../probe/index.js'

/** The calls with whole credentials, one for each interface that was tested. */
const calls = ({ checks }: ProbeReport): CheckResult[] =>
  checks.filter(({ id, status }) => id === 'auth.valid' && status !== 'skip')

const isLetIn = ({ status }: CheckResult): boolean => status === 'pass' || status === 'warn'

/** Whether every interface let the credentials of a report in; null where that was not shown. */
export function admittedBy(report: ProbeReport): boolean | null {
  const made = calls(report)
  if (made.length === 0) return null
  if (made.every(isLetIn)) return true
  return made.every((call) => isRefusal(call, report) || soundsRefused(call)) ? false : null
}

/** Agents may word the refusal of a wrong code in another way than that of no code. */
const soundsRefused = ({ actual }: CheckResult): boolean =>
  /^(HTTP 40[13]|gRPC (UNAUTHENTICATED|PERMISSION_DENIED))(?! from )\b/.test(actual)

/** Whether any interface let credentials in that all have to refuse; null where not each of them was seen to refuse. */
export function openedBy(report: ProbeReport): boolean | null {
  const made = calls(report)
  if (made.some(isLetIn)) return true
  const isWhole = !report.checks.some(({ id, status }) => id === 'auth.valid' && status === 'skip')
  return isWhole && made.length > 0 && made.every((call) => isRefusal(call, report)) ? false : null
}

/** Whether a call got the answer that strangers get in its interface, and so not that of a limiter, or of nobody. */
function isRefusal(call: CheckResult, { checks }: ProbeReport): boolean {
  return checks.some(
    (one) =>
      (one.id === 'auth.none' || one.id === 'auth.wrong-token' || one.id === 'auth.bearer-only') &&
      one.status === 'pass' &&
      one.actual === call.actual &&
      one.binding === call.binding &&
      one.protocolVersion === call.protocolVersion &&
      one.url === call.url,
  )
}

/** Whether callers without any credentials were let in. */
export const isOpen = ({ checks }: ProbeReport): boolean =>
  checks.some(
    ({ id, status, detail }) => id === 'auth.none' && status === 'fail' && detail.startsWith('let in'),
  )

/** Whether nothing that has to be refused was let in, and right credentials were, as far as a full probe shows. */
export const keepsOut = ({ checks }: ProbeReport): boolean =>
  checks.some(({ id }) => id === 'auth.valid') &&
  !checks.some(({ id, status }) => (id.startsWith('auth.') || id === 'coverage') && status === 'fail')

/** What a caller that is not declared may have: nothing, a part of somebody's credentials, or a code of another edge. */
const ofUndeclared = ['auth.none', 'auth.bearer-only', 'auth.wrong-token', 'auth.wrong-code'] as const

/** What a full probe did not see refused in every interface, of all that callers that are not declared may send. */
export function notRefusedIn({ checks }: ProbeReport, { withCodes }: { withCodes: boolean }): string[] {
  const ids = [...ofUndeclared, ...(withCodes ? (['auth.cross-peer'] as const) : [])]
  return ids.flatMap((wanted) => {
    const made = checks.filter(({ id }) => id === wanted)
    const open = made.find(({ status }) => status !== 'pass')
    if (made.length > 0 && !open) return []
    return [open ? `${wanted}: ${open.detail}` : wanted]
  })
}

/**
 * Whether right credentials were refused and nothing but other credentials on the agent's side explains it: neither its
 * clock, nor its settings, nor something in front.
 */
export function isUnknown(report: ProbeReport): boolean {
  const made = calls(report)
  return (
    admittedBy(report) === false &&
    report.explain !== 'clock' &&
    made.every(({ detail }) => detail.includes('knows another token or seed'))
  )
}

/** What went wrong, in a sentence. */
export function troubleIn(report: ProbeReport): string {
  if (report.diagnosis !== undefined) return report.diagnosis
  const bad = report.checks.filter(({ status }) => status === 'fail' || (report.strict && status === 'warn'))
  const named = [...new Set(bad.map(({ id, actual }) => `${id}: ${actual}`))]
  return listSome(named, 3)
}

/** The calls of a run whose credentials have to be refused, each as a check that passes where they were. */
export function invertedChecks(report: ProbeReport): CheckResult[] {
  return report.checks
    .filter(({ id, binding }) => id === 'auth.valid' && binding !== null)
    .map((call) => {
      const seen = isLetIn(call) ? 'fail' : isRefusal(call, report) ? 'pass' : 'skip'
      const details = {
        fail: 'let in, although it has to be refused',
        pass: '',
        skip: `it cannot be told whether this is a refusal: ${call.detail}`,
      }
      return { ...call, status: seen, expected: 'refused', detail: details[seen] }
    })
}
