import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkIds, explainCheck, pageOf } from '../../src/probe/index.js'

const folder = new URL('../../docs/probe/', import.meta.url)

/** Pages that are about all checks. */
const others = ['README.md', 'conformance.md']

describe('the page of a check', () => {
  // `npx vitest run --project suite test/probe/explanations.test.ts -u` writes them.
  it.each([...checkIds])('%s is the one in docs/probe', async (id) => {
    await expect(pageOf(id)).toMatchFileSnapshot(fileURLToPath(new URL(`${id}.md`, folder)))
  })

  it('is there for each check, and for nothing else', () => {
    const pages = readdirSync(folder).filter((name) => !others.includes(name))
    expect(new Set(pages)).toEqual(new Set(checkIds.map((id) => `${id}.md`)))
  })

  it('is listed in the table of contents with what the check proves', async () => {
    const rows = checkIds.map((id) => `- [\`${id}\`](${id}.md): ${explainCheck(id).proves}`)
    const text = [
      '# The checks of `a2a-totp probe`',
      '',
      '`a2a-totp probe --explain ID` prints the same pages. Recipes for CI: [../ci](../ci). [Conformance suites](conformance.md) of A2A: which check covers which case.',
      '',
      ...rows,
      '',
    ].join('\n')
    await expect(text).toMatchFileSnapshot(fileURLToPath(new URL('README.md', folder)))
  })

  it('is refused for an id that is none', () => {
    expect(() => pageOf('auth.magic')).toThrow(/auth\.bearer-only/)
  })
})
