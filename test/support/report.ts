import { checkIds, type CheckResult, type ProbeReport } from '../../src/probe/index.js'
import { cellCheckIds } from '../../src/probe/check-ids.js'
import { summarise } from '../../src/probe/report/report.js'

/** A report with one cell and one result of each status, to change. */
export function reportOf(changes: Partial<ProbeReport> = {}): ProbeReport {
  const checks = changes.checks ?? [
    ...checkIds.map((id) => resultOf({ id, ...(isOfCell(id) ? cellOf('https://a.example/rest') : {}) })),
  ]
  return {
    version: 1,
    target: 'https://a.example',
    agent: 'billing',
    startedAt: '2030-01-01T00:00:10.000Z',
    durationMs: 1234,
    ok: !checks.some(({ status }) => status === 'fail'),
    strict: false,
    reachable: true,
    narrowed: [],
    guessesSpent: 4,
    requests: 99,
    summary: summarise(checks),
    ...changes,
    checks,
  }
}

export function resultOf(changes: Partial<CheckResult> & Pick<CheckResult, 'id'>): CheckResult {
  return {
    binding: null,
    protocolVersion: null,
    url: null,
    status: 'pass',
    expected: 'refused',
    actual: 'HTTP 401',
    detail: '',
    durationMs: 7,
    ...changes,
  }
}

export const cellOf = (
  url: string,
  binding: CheckResult['binding'] = 'rest',
  protocolVersion: CheckResult['protocolVersion'] = '1.0',
): Pick<CheckResult, 'binding' | 'protocolVersion' | 'url'> => ({ url, binding, protocolVersion })

const isOfCell = (id: string): boolean => (cellCheckIds as readonly string[]).includes(id)

/** Two failures in two cells that answered differently, a warning, a skip, and what is ignored. */
export const mixedReport = (changes: Partial<ProbeReport> = {}): ProbeReport => {
  const [rest, other] = [cellOf('https://a.example/rest'), cellOf('https://a.example/v2/rest')]
  return reportOf({
    narrowed: ['--skip leak'],
    diagnosis: 'REST 1.0 is not behind the guard (https://a.example/rest)',
    explain: 'auth.none',
    checks: [
      resultOf({ id: 'reach' }),
      resultOf({ id: 'card.and', status: 'warn', actual: 'an empty requirement', detail: 'anyone may call' }),
      resultOf({ id: 'auth.none', ...rest, status: 'fail', actual: 'HTTP 200', detail: 'let in: nothing' }),
      resultOf({ id: 'auth.none', ...other, status: 'fail', actual: 'HTTP 404', detail: 'let in: nothing' }),
      resultOf({
        id: 'uniform',
        ...rest,
        status: 'skip',
        actual: 'not tested',
        detail: 'nothing was refused',
      }),
      resultOf({
        id: 'status',
        ...rest,
        status: 'skip',
        ignored: true,
        actual: 'HTTP 403',
        detail: 'ignored until 2030-02-01: the proxy is replaced in January',
      }),
    ],
    ...changes,
  })
}
