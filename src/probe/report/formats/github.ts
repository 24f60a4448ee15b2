import { linesOf } from '../lines.js'
import { isFailing, type ProbeReport } from '../report.js'
import { costOf, countsOf } from './pretty.js'

/** The report as workflow commands of GitHub Actions: an annotation for each failed check and each warning, and one for the verdict. */
export function renderGithub(report: ProbeReport): string {
  const annotations = linesOf(report.checks)
    .filter(({ check }) => check.status !== 'skip')
    .map(({ check, columns }) => {
      const { id, expected, actual, detail } = check
      const title = columns.length > 0 ? `${id} (${columns.join(', ')})` : id
      const level = isFailing(check, report) ? 'error' : 'warning'
      return command(level, title, `expected ${expected}, actual ${actual}. ${detail}`)
    })
  const verdict = `${report.ok ? 'PASS' : 'FAIL'} ${countsOf(report)} (${costOf(report)})`
  return `${[...annotations, command('notice', 'a2a-totp probe', verdict)].join('\n')}\n`
}

/** What an agent says ends up in the message only, where its `::` and line ends mean nothing any more. */
function command(level: 'error' | 'warning' | 'notice', title: string, message: string): string {
  return `::${level} title=${escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C')}::${escaped(message)}`
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
