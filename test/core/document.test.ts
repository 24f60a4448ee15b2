import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { describeIssue, formatPath, resultOrNone, type Path } from '../../src/core/document.js'

const secret = 'NBSWY3DPEB3W64TMMQXC4LQ'

describe('a path in a document', () => {
  it.each<[Path, string]>([
    [[], 'the document'],
    [['peers'], 'peers'],
    [['peers', 'alice', 'seeds', 0, 'seed'], 'peers.alice.seeds[0].seed'],
    [['peers', secret, 'replay'], 'peers.(a key that is not shown).replay'],
    [['a2at_x'], '(a key that is not shown)'],
    [['two\nlines'], '(a key that is not shown)'],
  ])('%j is shown as %s', (path, shown) => {
    expect(formatPath(path)).toBe(shown)
  })
})

describe('an issue of a schema', () => {
  const schema = v.strictObject({
    name: v.custom<string>((value) => value === 'a', 'must be a'),
    list: v.array(v.object({ id: v.string('must be a string') })),
  })
  const issueOf = (value: unknown): string => {
    const [issue] = v.safeParse(schema, value, { abortEarly: true }).issues ?? []
    return issue ? describeIssue(issue, ['at', 1]) : 'none'
  }

  it.each<[unknown, string]>([
    [secret, 'at[1] must be an object'],
    [{ list: [] }, 'at[1].name is missing'],
    [{ name: secret, list: [] }, 'at[1].name must be a'],
    [{ name: 'a', list: secret }, 'at[1].list must be a list'],
    [{ name: 'a', list: [secret] }, 'at[1].list[0] must be an object'],
    [{ name: 'a', list: [{ id: 7 }] }, 'at[1].list[0].id must be a string'],
    [{ name: 'a', list: [], more: secret }, 'at[1].more is not known to this version'],
    [{ name: 'a', list: [] }, 'none'],
  ])('with %j is: %s', (value, words) => {
    expect(issueOf(value)).toBe(words)
  })
})

it('a parser that throws has no result', () => {
  expect(resultOrNone(() => 7)).toBe(7)
  const failing = (): string => {
    throw new Error(secret)
  }
  expect(resultOrNone(failing)).toBeUndefined()
})
