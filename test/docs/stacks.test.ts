import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { pins, type Stack } from '../support/stacks.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
const stacks = Object.keys(pins) as Stack[]

describe('the pages of docs/stacks', () => {
  it.each(stacks)('%s has a page, a test, and a place in the index', (stack) => {
    expect(existsSync(join(root, `test/stacks/${stack}.test.ts`))).toBe(true)
    expect(textOf('docs/stacks/README.md')).toContain(`](${stack}.md)`)
  })

  it.each(stacks)('the page of %s names the version that its test runs', (stack) => {
    const [first = ''] = pins[stack].packages
    const version = first.split(/==|@v?/).at(-1) ?? ''
    expect(version).toMatch(/^\d/)
    expect(textOf(`docs/stacks/${stack}.md`)).toContain(version)
  })

  it.each(stacks)('%s has exact versions alone', (stack) => {
    for (const one of pins[stack].packages) expect(one).toMatch(/^[\w./:[\],-]+(==|@v?)\d[\w.+-]*$/)
  })
})

describe('the table of the last whole run', () => {
  const folder = temporaryFolder()
  const some = {
    one: { packages: ['one[extra]==1.2', 'two==3'] },
    go: { packages: ['example.com/go-one/v2@v2.4.0'] },
    late: { packages: ['late==4'] },
    many: { packages: ['five==5'], grouped: true },
  }
  const marked = 'before\n<!-- written by npm run test:stacks -->\nold\n<!-- end -->\nafter\n'

  function written(page: string, assertionResults: readonly object[]): string {
    const [pagePath, pinsPath, reportPath] = ['page.md', 'pins.json', 'report.json'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    writeFileSync(pagePath, page)
    writeFileSync(pinsPath, JSON.stringify(some))
    writeFileSync(
      reportPath,
      JSON.stringify({ startTime: Date.UTC(2026, 10, 29, 21), testResults: [{ assertionResults }] }),
    )
    const script = join(root, 'scripts/stacks-matrix.mjs')
    execFileSync(process.execPath, [script, reportPath, pagePath, pinsPath], { stdio: 'pipe' })
    return readFileSync(pagePath, 'utf8')
  }

  it('has a line for each test of a stack, and for a stack that was not run', () => {
    const results = [
      { ancestorTitles: ['one'], title: 'a client', status: 'passed' },
      { ancestorTitles: ['one', 'a server'], title: 'a | b', status: 'failed' },
      { ancestorTitles: ['go'], title: 'calls', status: 'skipped' },
      { ancestorTitles: [], title: 'of no stack', status: 'failed' },
    ]
    expect(written(marked, results)).toBe(`before
<!-- written by npm run test:stacks -->

| stack           | version          | what ran         | result      | date       |
| --------------- | ---------------- | ---------------- | ----------- | ---------- |
| [one](one.md)   | one 1.2, two 3   | a client         | passed      | 2026-11-29 |
|                 |                  | a server: a \\| b | **failed**  | 2026-11-29 |
| [go](go.md)     | go-one/v2 v2.4.0 | calls            | **skipped** | 2026-11-29 |
| [late](late.md) | late 4           | nothing          | **not run** | 2026-11-29 |
| [many](many.md) | five 5           | nothing          | **not run** | 2026-11-29 |

<!-- end -->
after
`)
  })

  it('has a line for each group of tests of a stack that has a table of its own', () => {
    const results = ['a', 'b', 'c'].map((title) => ({
      ancestorTitles: ['many', title === 'c' ? 'two' : 'one'],
      title,
      status: title === 'c' ? 'failed' : 'passed',
    }))
    const page = written(marked, results)
    expect(page).toMatch(/\| \[many\]\(many\.md\) +\| five 5 +\| one: 2 cases +\| passed/)
    expect(page).toMatch(/\| two: c +\| \*\*failed\*\*/)
  })

  it('replaces the last one', () => {
    expect(written(written(marked, []), [])).toBe(written(marked, []))
  })

  it('needs the place for it', () => {
    expect(() => written('no place', [])).toThrow('needs "<!-- written by npm run')
  })
})
