// Writes the table of docs/stacks/fronts.md: which case was run with which proxy, and with what result.
//
//   node scripts/fronts-matrix.mjs REPORT [PAGE]
//
// REPORT is what vitest's JSON reporter wrote.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [report, page = fileURLToPath(new URL('../docs/stacks/fronts.md', import.meta.url))] =
  process.argv.slice(2)
const begin = '<!-- written by npm run test:stacks -->'
const end = '<!-- end -->'

const [before, rest = ''] = readFileSync(page, 'utf8').split(begin)
const [, after] = rest.split(end)
if (after === undefined) throw new Error(`${page} needs "${begin}" and "${end}"`)
writeFileSync(
  page,
  `${before}${begin}\n\n${tableOf(JSON.parse(readFileSync(report, 'utf8')))}\n\n${end}${after}`,
)

function tableOf({ startTime, testResults }) {
  const date = new Date(startTime).toISOString().slice(0, 10)
  const tests = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ ancestorTitles }) => ancestorTitles[0] === 'fronts')
  const fronts = [...new Set(tests.map(({ ancestorTitles }) => ancestorTitles[1]))]
  const cases = [...new Set(tests.map(({ title }) => title))]
  const cell = (front, title) => {
    const found = tests.find((test) => test.ancestorTitles[1] === front && test.title === title)
    if (found === undefined) return ''
    return found.status === 'passed' ? 'passed' : `**${found.status}**`
  }
  const rows = cases.map((title) => [
    title.replaceAll('|', '\\|'),
    ...fronts.map((front) => cell(front, title)),
  ])
  return aligned([[`case (${date})`, ...fronts], ...rows])
}

/** As prettier writes tables. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (cells) => `| ${cells.join(' | ')} |`
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]))))
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n')
}
