import fc from 'fast-check'
import { expect } from 'vitest'
import { anyCharacter } from './arbitraries.js'
import { hostile } from './hostile-text.js'

/** What is a directive, an end, a placeholder or a line of its own in one of the formats. */
const pieces = [
  hostile,
  'x:',
  'x#',
  '\n::error::x',
  '##vso[task.setvariable variable=PATH]y',
  'X ##[stop-commands]z',
  '##teamcity[x]',
  '\nBail out!',
  '\nnot ok 1 - x',
  ' # SKIP ',
  ' # TODO ',
  '# Subtest: x',
  '\\',
  '\\#',
  '...',
  '---',
  '"',
  "'",
  '\n',
  '\r\n',
  '# EOF\n',
  '{0}',
  '[a](https://evil.example)',
  '](',
  '|',
  '`',
  '@team',
  '<script>alert(1)</script>',
  '</style><b onclick="x">',
  '<!--',
  '-->',
  ']]>',
  '<?xml ',
  '&amp;',
  '&#0;',
  '\ud800',
  '\udc00',
  '\ufffe',
  '\uffff',
  '\0',
  '\u001b[31m',
  '\u0085',
  '\u2028',
  '\u202e',
  '%0A::error::',
  '::',
  '#',
]
/** Text of them, in any order. */
export const hostileTexts = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: anyCharacter, maxLength: 8 })), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''))

/** Fails for a tag or an attribute that no report has where texts are harmless. */
export function expectOurTags(text: string): void {
  const tag =
    /^<(?:!doctype html|\/?(?:html|head|body|main|header|footer|section|h[1-4]|p|dl|div|dt|dd|table|thead|tbody|tr|th|td|ul|li|b|code|span|details|summary|title|style|meta|link|br|svg|g|rect|circle|path|line|text)(?:\s+(?:lang|charset|name|content|http-equiv|rel|href|class|scope|title|aria-hidden|aria-label|role|viewBox|width|height|transform|d|x|y|x1|x2|y1|y2|cx|cy|r|rx|text-anchor)="[^"<>]*")*\s*\/?)>$/
  for (const [found] of text.replace(/<style>.*?<\/style>/s, '').matchAll(/<[^>]*>?/g))
    expect(found).toMatch(tag)
}
