import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { count, jsonText, listSome, printable, printableUrl } from '../../src/core/text.js'
import { anyCharacter } from '../support/arbitraries.js'

/** What runners look for: GitHub Actions, Azure Pipelines and TeamCity, in any case of letters. */
const obeyed = /::|##\w*\[/

/** Texts as a stranger would write them. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('::', ':', '#', '##', '[', ']', 'vso[', 'teamcity[', 'error', '[::1]', 'fe80', ' '),
      fc.constantFrom(
        '\u001b[2J',
        '\u009b31m',
        '\r',
        '\n',
        '\u202e',
        '\u2028',
        '\u200b',
        '\ud800',
        '\u{e0041}',
      ),
      fc.string({ unit: anyCharacter, maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

const withoutAddresses = (text: string): string => text.replace(/\[[\da-f.:]+\]/gi, '[]')

describe('a text from outside', () => {
  it.each([
    ['alice', 'alice'],
    ['a\u001b[2Jb', 'a [2Jb'],
    ['one\r\n::error::two', 'one : :error: :two'],
    ['X ::stop-commands::t', 'X : :stop-commands: :t'],
    ['##[error]no', '# #[error]no'],
    ['X ##vso[task.setvariable variable=PATH]/tmp', 'X # #vso[task.setvariable variable=PATH]/tmp'],
    ['##TeamCity[buildStop]', '# #TeamCity[buildStop]'],
    ['#\u200b#[group]', '# #[group]'],
    [':::', ': : :'],
    ['\u202egnp.exe', 'gnp.exe'],
    ['Jürgen 🙂 日本', 'Jürgen 🙂 日本'],
    ['## a heading', '## a heading'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it.each(['http://[::1]:4100/a', '[::]', 'ipv6:[2001:db8::1]:50051', '[::ffff:127.0.0.1]'])(
    'keeps the address in %s',
    (text) => {
      expect(printable(text)).toBe(text)
    },
  )

  it.each(['[::error::]', '[::add-mask::a]', '[::', '::1]', '[::1] ::error::'])(
    'takes %s for no address',
    (text) => {
      expect(withoutAddresses(printable(text))).not.toMatch(obeyed)
    },
  )

  it('is one line that neither a terminal nor a CI runner obeys, and stays as it is the second time', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = printable(text)
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(withoutAddresses(shown)).not.toMatch(obeyed)
        expect(printable(shown)).toBe(shown)
      }),
    )
  })

  it('takes time that grows with its length alone', () => {
    for (const part of ['[a:', '[a', ':', '#', '[::', '[a:a', '##a'])
      expect(printable(part.repeat(200_000)).length).toBeGreaterThan(0)
  })
})

describe('a value as JSON', () => {
  it('can be looked at, and is read back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, hostile), fc.constantFrom(0, 2), (value, indent) => {
        const json = jsonText(value, indent)
        expect(json.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(withoutAddresses(json)).not.toMatch(obeyed)
        expect(JSON.parse(json)).toEqual(value)
      }),
    )
  })

  it('is what JSON.stringify writes where nothing is odd', () => {
    const value = { url: 'http://[::1]:4100', note: 'Jürgen', list: [1, null, { a: true }] }
    expect(jsonText(value)).toBe(JSON.stringify(value))
    expect(jsonText(value, 2)).toBe(JSON.stringify(value, null, 2))
  })
})

describe('a URL from outside', () => {
  it.each([
    ['https://h/a?b=c#d', 'https://h/a?b=c#d'],
    ['http://[::1]:4100/é', 'http://[::1]:4100/é'],
    ['https://h/\u202egnp', 'https://h/%E2%80%AEgnp'],
    ['https://h/\n\u001b[2J', 'https://h/%0A%1B[2J'],
    ['https://h/\u2028\u2029', 'https://h/%E2%80%A8%E2%80%A9'],
    ['https://h/\u{e0041}', 'https://h/%F3%A0%81%81'],
    ['https://h/::error::', 'https://h/%3A:error%3A:'],
    ['https://h/##vso[x]', 'https://h/%23#vso[x]'],
  ])('%j is shown as %s', (url, shown) => {
    expect(printableUrl(url)).toBe(shown)
  })

  it('can be looked at, and is the same when it is decoded', () => {
    const url = hostile.map((text) => `https://h/${text}`)
    fc.assert(
      fc.property(url, (text) => {
        const shown = printableUrl(text)
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        expect(withoutAddresses(shown)).not.toMatch(obeyed)
        // Half a surrogate pair is none in UTF-8.
        if (!text.includes('%')) expect(decodeURIComponent(shown)).toBe(Buffer.from(text).toString())
      }),
    )
  })
})

describe('a list in a sentence', () => {
  const names = (number: number): string[] => Array.from({ length: number }, (_, at) => `p${at + 1}`)

  it.each([
    [0, ''],
    [1, 'p1'],
    [3, 'p1, p2, p3'],
    [4, 'p1, p2, p3, p4'],
    [5, 'p1, p2, p3 and 2 more'],
    [9, 'p1, p2, p3 and 6 more'],
  ])('of %i names, of which three are shown, is "%s"', (number, text) => {
    expect(listSome(names(number), 3)).toBe(text)
  })

  it('has ten names where nothing else is said', () => {
    expect(listSome(names(11))).toBe(names(11).join(', '))
    expect(listSome(names(12))).toBe(`${names(10).join(', ')} and 2 more`)
  })
})

it.each([
  [0, '0 peers, 0 entries'],
  [1, '1 peer, 1 entry'],
  [2, '2 peers, 2 entries'],
])('%i of something is said as %s', (number, text) => {
  expect(`${count(number, 'peer')}, ${count(number, 'entry', 'entries')}`).toBe(text)
})

describe('the function for it', () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

  it('is the only one', () => {
    const own = /\\p\{(C|Cc|Cf|Zl|Zp|Bidi_Control)\}|\\x1b|\\u001b|\\x00-\\x1f/
    const found = files.filter((name) => own.test(readFileSync(join(src, name), 'utf8')))
    // A countdown and a QR code write escape sequences, a prompt reads them; env files and the paths of a mesh file refuse what they cannot hold.
    expect(found.sort()).toEqual([
      'cli/commands/codes/code.ts',
      'cli/io/qr.ts',
      'cli/io/typed-line.ts',
      'core/text.ts',
      'fragments/env-file.ts',
      'mesh/file/schema.ts',
    ])
  })

  it('is what writes JSON for people and scripts', () => {
    const found = files.filter((name) => {
      const text = readFileSync(join(src, name), 'utf8')
      return /^(cli|doctor|fragments|probe\/report)\//.test(name) && text.includes('JSON.stringify')
    })
    // The server file as the reader gets it, and inside a manifest.
    expect(found.sort()).toEqual(['cli/commands/config/server-reader.ts', 'fragments/kubernetes.ts'])
  })
})
