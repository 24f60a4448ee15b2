import { describe, expect, it } from 'vitest'
import { quoteForShell } from '../../src/core/shell.js'

describe('a text as one word of a shell', () => {
  it.each(['alice', 'a_b-c.d', '/etc/a2a/7.json', 'me@host:22', 'a=1,b+2%'])('is %s itself', (text) => {
    expect(quoteForShell(text)).toBe(text)
  })

  it.each([
    ['', `''`],
    ['a b', `'a b'`],
    ['$(id)', `'$(id)'`],
    ['`id`', "'`id`'"],
    ['a;b', `'a;b'`],
    ['*', `'*'`],
    ['~/x', `'~/x'`],
    ['x~', `'x~'`],
    ['#a', `'#a'`],
    ['a\nb', `'a\nb'`],
    ['"\\', `'"\\'`],
    ['é', `'é'`],
    ["it's", `'it'\\''s'`],
    ["''", `''\\'''\\'''`],
  ])('is quoted where the shell would act on %j', (text, quoted) => {
    expect(quoteForShell(text)).toBe(quoted)
  })
})
