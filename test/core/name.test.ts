import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isName, isNewName, parseName, parseNewName, quoteName } from '../../src/core/name.js'
import { makeSeed } from '../../src/core/seed.js'
import { makeToken } from '../../src/core/token.js'
import { failureOf } from '../support/failure.js'
import names from '../support/names.json' with { type: 'json' }

describe('a name', () => {
  it('of something new may not be a token, which is not quoted', () => {
    const token = makeToken((bytes) => new Uint8Array(bytes).fill(7)).value
    expect(parseName(token, 'peer')).toBe(token)
    const error = failureOf(() => parseNewName(token, 'peer'))
    expect(error).toMatchObject({ code: 'ERR_NAME_INVALID' })
    expect(error.message).not.toContain(token)
    expect(isNewName(token)).toBe(false)
    for (const name of ['a2at_alice', `x-${token}`, `${token}x`]) {
      expect(parseNewName(name, 'peer')).toBe(name)
      expect(isNewName(name)).toBe(true)
    }
    expect(isNewName('a b')).toBe(false)
  })

  it.each(['a', '7', 'alice', 'build-agent.v2_x', 'constructor', 'A'.repeat(64)])('may be %s', (text) => {
    expect(isName(text)).toBe(true)
    expect(parseName(text, 'peer')).toBe(text)
  })

  it.each(['', '-a', '.a', '_a', '__proto__', 'a b', 'a/b', '../a', 'a\n', 'é', 'a:b', 'A'.repeat(65)])(
    'may not be %j, and the error does not quote it',
    (text) => {
      expect(isName(text)).toBe(false)
      const error = failureOf(() => parseName(text, 'agent'))
      expect(error).toMatchObject({ code: 'ERR_NAME_INVALID' })
      expect(error.message).toBe(failureOf(() => parseName('?', 'agent')).message)
      expect(error.message).toMatch(/^agent name/)
    },
  )
})

describe('a name in an error', () => {
  it('is quoted', () => {
    expect(quoteName('alice')).toBe('"alice"')
    expect(quoteName('a\n"b')).toBe(String.raw`"a\n\"b"`)
  })

  it.each(['\u001b[31m', '\u009b31m', '\u202e', '\u2028', '\n', '\u{e0041}'])(
    'cannot make a terminal do anything: %j',
    (text) => {
      expect(quoteName(`a${text}b`)).toMatch(/^"a\\[ -~]+b"$/)
    },
  )

  it.each([
    ['\u009b31m', String.raw`"\u009b31m"`],
    ['key:GEZDGNBVGY3TQOJQ', '"key:GEZDGNBVGY3TQOJQ"'],
    ['GEZDGNBVGY3TQOJQ-old', '"GEZDGNBVGY3TQOJQ-old"'],
    ['-'.repeat(64), `"${'-'.repeat(64)}"`],
    ['-'.repeat(65), '(not shown: it looks like a secret)'],
    ['GEZDGNBVGY3TQOJQ', '(not shown: it looks like a secret)'],
  ])('is shown unless it is as long or as plain as a secret: %j', (text, shown) => {
    expect(quoteName(text)).toBe(shown)
  })

  it.each(names.cases)('is shown as in other languages: $name', ({ name, shown }) => {
    expect(quoteName(name)).toBe(shown)
  })

  it('is not shown when it could be a token or a seed in the wrong place', () => {
    const bytes = fc.uint8Array({ minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(bytes, (random) => {
        const source = (size: number) => random.subarray(0, size)
        const seed = makeSeed('SHA1', source).base32
        for (const secret of [
          makeToken(source).value,
          seed,
          seed.toLowerCase(),
          `${seed}====`,
          `--${seed}`,
        ]) {
          expect(quoteName(secret)).not.toContain(secret.slice(5, 10))
        }
      }),
    )
  })
})
