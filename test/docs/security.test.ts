import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'SECURITY.md'), 'utf8')

/** The rows of the table of faults. A row without a fault has another test for the one above. */
const [, section = ''] = page.split('## Faults that other verifiers had')
const rows = Array.from(
  (section.split('\n## ')[0] ?? '').matchAll(/^\| (?!-|fault )(.*?) +\| (.*?) +\| (.*?) +\|$/gm),
  ([, fault = '', elsewhere = '', cell = '']) => ({ fault, elsewhere, cell }),
)

interface NamedTest {
  readonly file: string
  readonly title: string
}

function testIn(cell: string): NamedTest {
  const [, file = '', title = ''] = /^`(test\/[\w/.-]+\.ts)`: "([^"]+)"$/.exec(cell) ?? []
  return { file, title }
}

/** Whether a file has a test of that name that runs: `it('…',` or `it.each([…])('…',`. */
function exists({ file, title }: NamedTest): boolean {
  if (file === '' || !existsSync(join(root, file))) return false
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<!\\.(?:skip|todo))\\(\\s*(['"\`])${literal}\\1,`).test(
    readFileSync(join(root, file), 'utf8'),
  )
}

describe('the faults of SECURITY.md', () => {
  it('are held by tests that exist', () => {
    expect(rows.length).toBeGreaterThan(8)
    expect(rows.filter(({ cell }) => !exists(testIn(cell)))).toEqual([])
  })

  it('would be found without their test', () => {
    const file = 'test/docs/security.test.ts'
    const wrong = [
      { file, title: 'are held by tests that do not exist' },
      { file: 'test/docs/insecurity.test.ts', title: 'are held by tests that exist' },
      { file, title: 'the faults of' },
    ]
    expect(wrong.filter(exists)).toEqual([])
    expect(exists({ file, title: 'are held by tests that exist' })).toBe(true)
  })

  it('have a CVE each', () => {
    const faults = rows.filter(({ fault }) => fault !== '')
    expect(faults).toHaveLength(4)
    expect(rows[0]?.fault).not.toBe('')
    expect(faults.filter(({ elsewhere }) => !/CVE-\d{4}-\d{4,}/.test(elsewhere))).toEqual([])
  })
})
