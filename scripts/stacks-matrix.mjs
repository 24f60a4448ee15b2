// Writes the table of docs/stacks/README.md: what a run of all stacks ran, and with what result.
//
//   node scripts/stacks-matrix.mjs REPORT [PAGE [PINS]]
//
// REPORT is what vitest's JSON reporter wrote.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const inRepository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const [report, page = inRepository('docs/stacks/README.md'), pins = inRepository('test/stacks/pins.json')] =
  process.argv.slice(2)
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

const begin = '<!-- written by npm run test:stacks -->'
const end = '<!-- end -->'

const [before, rest = ''] = readFileSync(page, 'utf8').split(begin)
const [, after] = rest.split(end)
if (after === undefined) throw new Error(`${page} needs "${begin}" and "${end}"`)
writeFileSync(page, `${before}${begin}\n\n${tableOf(readJson(pins), readJson(report))}\n\n${end}${after}`)

function tableOf(pins, { startTime, testResults }) {
  const date = new Date(startTime).toISOString().slice(0, 10)
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const rows = Object.entries(pins).flatMap(([stack, { packages, grouped }]) => {
    const all = tests.filter(({ ancestorTitles }) => ancestorTitles[0] === stack)
    const ran = grouped ? groupsOf(all) : all
    const version = packages.map(shown).join(', ')
    if (ran.length === 0) return [[linkTo(stack), version, 'nothing', '**not run**', date]]
    return ran.map(({ ancestorTitles, title, status }, index) => [
      index === 0 ? linkTo(stack) : '',
      index === 0 ? version : '',
      [...ancestorTitles.slice(1), title].join(': ').replaceAll('|', '\\|'),
      status === 'passed' ? 'passed' : `**${status}**`,
      date,
    ])
  })
  return aligned([['stack', 'version', 'what ran', 'result', 'date'], ...rows])
}

/** One in place of all tests of a group: the first that did not pass, or how many did. */
function groupsOf(tests) {
  const nameOf = ({ ancestorTitles }) => ancestorTitles.join('\0')
  return [...new Set(tests.map(nameOf))].map((name) => {
    const group = tests.filter((test) => nameOf(test) === name)
    const other = group.find(({ status }) => status !== 'passed')
    return other ?? { ...group[0], title: `${group.length} cases` }
  })
}

function linkTo(stack) {
  return `[${stack}](${stack}.md)`
}

/** `google-adk[a2a]==2.13.0` and `github.com/a2aproject/a2a-go/v2@v2.4.0` as people read them. */
function shown(pinned) {
  const [name, version] = pinned.split(/==|@/)
  return `${name.replace(/\[.*\]/, '').replace(/^.*\/(?!v\d+$)/, '')} ${version}`
}

/** As prettier writes tables. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (cells) => `| ${cells.join(' | ')} |`
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]))))
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n')
}
