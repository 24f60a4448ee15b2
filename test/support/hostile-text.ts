import { expect } from 'vitest'

const range = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => String.fromCharCode(from + n)).join('')

/** All of C0 but NUL, which no argument can hold; DEL; all of C1, U+0085 and CSI among them. */
const controls = range(1, 0x20) + range(0x7f, 0xa0)

/** Bidi overrides, line separators, and what takes no space. */
const invisible = '\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\u{e0041}'

/** What GitHub, Azure and TeamCity obey, at the start of a line and within one. */
const commands = [
  '\n::error::x',
  'a ::set-output name=x::y',
  '::add-mask::z',
  '##[group]g',
  ' ##vso[task.setvariable variable=PATH]v',
  "##teamcity[buildStop comment='x']",
].join(' ')

const markup =
  '<script>alert(1)</script> [link](http://evil.example) `code` | cell | "quoted" \'single\' $(id) ]]>'

/** Text from outside, with everything that a terminal, a log, a CI runner or a report obeys. */
export const hostile = `a${controls}${invisible}${commands} ${markup}`

/** The same as the name of a file: short, without a slash. */
export const hostileName =
  `f${controls.slice(0, 40)}\u202e\u2028::error:: ##[x] ##vso[y] ##teamcity[z]`.replaceAll('/', '')

/** Fails for a text in which any of it is raw. */
export function expectHarmlessText(text: string): void {
  // An address in brackets keeps its colons, and holds nothing else.
  const shown = text.replace(/\[[\da-f.]*(:[\da-f.]*)+\]/gi, '')
  expect(shown).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u)
  expect(shown).not.toMatch(/::|##\w*\[/)
}
