import jsQRModule from 'jsqr'
import { describe, expect, it } from 'vitest'
import { fitted } from '../../src/cli/help-layout.js'
import { asciiOf } from '../../src/core/ascii.js'
import { speaksUnicode } from '../../src/cli/io/locale.js'
import { createOutput } from '../../src/cli/io/output.js'
import { drawQr, qrWidth, type QrLook } from '../../src/cli/io/qr.js'
import { tableIn } from '../../src/cli/io/table.js'
import { count } from '../../src/core/text.js'

// jsqr is CommonJS whose types describe an ES module.
const jsQR = jsQRModule as unknown as typeof jsQRModule.default

const uri = `otpauth://totp/billing:alice?issuer=billing&secret=${'A2'.repeat(16)}&digits=6&period=30`

/** What a scanner reads on a screen with this text: eight pixels a module, on a ground of its own around it. */
function scan(text: string, { unicode }: QrLook, light: boolean): string | undefined {
  const lines = text.trimEnd().split('\n')
  const modules = lines.flatMap((line) => {
    // eslint-disable-next-line no-control-regex
    const cells = [...line.matchAll(/\x1b\[([\d;]*)m|(.)/gu)]
    let paper = light
    let ink = !light
    const halves: [boolean, boolean][] = []
    for (const [, escape, character] of cells) {
      if (escape !== undefined) {
        if (escape.includes('48;5;231')) paper = true
        if (/48;5;16\b/.test(escape)) paper = false
        if (escape.includes('38;5;16')) ink = false
      } else if (unicode) {
        const [upper, lower] = [
          character === '▀' || character === '█',
          character === '▄' || character === '█',
        ]
        halves.push([upper ? ink : paper, lower ? ink : paper])
      } else {
        const bright = character === '#' ? ink : paper
        halves.push([bright, bright])
      }
    }
    if (unicode) return [halves.map(([upper]) => upper), halves.map(([, lower]) => lower)]
    return [halves.filter((_, at) => at % 2 === 0).map(([upper]) => upper)]
  })
  const border = 6
  const size = Math.max(modules.length, modules[0]?.length ?? 0) + 2 * border
  const pixels = size * 8
  const data = new Uint8ClampedArray(pixels * pixels * 4).fill(255)
  for (let y = 0; y < pixels; y++)
    for (let x = 0; x < pixels; x++) {
      const bright = modules[Math.floor(y / 8) - border]?.[Math.floor(x / 8) - border] ?? light
      data.fill(bright ? 255 : 0, (y * pixels + x) * 4, (y * pixels + x) * 4 + 3)
    }
  return jsQR(data, pixels, pixels, { inversionAttempts: 'dontInvert' })?.data
}

describe('a QR code on a terminal', () => {
  it.each([
    { colors: true, unicode: true },
    { colors: true, unicode: false },
  ])('is dark on light on any ground, with colours %j', (drawing) => {
    const look = { ...drawing, light: false }
    for (const light of [true, false]) expect(scan(drawQr(uri, look), look, light)).toBe(uri)
  })

  it.each([
    { unicode: true, light: false },
    { unicode: true, light: true },
    { unicode: false, light: false },
    { unicode: false, light: true },
  ])('is dark on light without colours too, where the ground is known: %j', (drawing) => {
    const look = { ...drawing, colors: false }
    const drawn = drawQr(uri, look)
    // eslint-disable-next-line no-control-regex
    expect(drawn).not.toMatch(/\x1b/)
    // eslint-disable-next-line no-control-regex
    if (!drawing.unicode) expect(drawn).toMatch(/^[\x0a\x20-\x7e]+$/)
    expect(scan(drawn, look, drawing.light)).toBe(uri)
    expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBe(qrWidth(uri, look))
  })
})

describe('what is for a person at a terminal', () => {
  const terminal = { isTTY: true, columns: 80, write: () => true }
  const look = (env: Record<string, string>, options = {}, stream: object = terminal) => {
    const output = createOutput({ ...terminal, ...stream }, terminal, env, { color: true, ...options })
    return [output.forPerson, output.showsPictures, output.unicode]
  }

  it.each([
    [{}, [true, true, true]],
    [{ TERM: 'dumb' }, [false, true, true]],
    [{ NO_COLOR: '1' }, [false, true, true]],
    [{ NO_COLOR: '' }, [true, true, true]],
    [{ CI: 'true' }, [false, false, true]],
    [{ LC_ALL: 'C' }, [true, true, false]],
    [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, [true, true, false]],
    [{ LANG: 'de_DE.UTF-8' }, [true, true, true]],
    [{ FORCE_COLOR: '1' }, [true, true, true]],
  ])('with %j: [decoration, pictures, unicode] is %j', (env, expected) => {
    expect(look(env)).toEqual(expected)
  })

  it('is not drawn on a terminal without a width, or on none', () => {
    expect(look({}, {}, { columns: 0 })).toEqual([false, false, true])
    expect(look({ FORCE_COLOR: '1' }, {}, { isTTY: false })).toEqual([false, false, true])
    expect(look({}, { color: false })).toEqual([false, true, true])
    expect(look({}, { json: true })).toEqual([false, false, true])
  })
})

describe('text', () => {
  it('is in ASCII where the locale is', () => {
    expect(speaksUnicode({ LC_ALL: 'POSIX' })).toBe(false)
    expect(speaksUnicode({ LC_ALL: 'C.UTF-8' })).toBe(true)
    expect(speaksUnicode({ LC_ALL: '', LANG: 'C.utf8' })).toBe(true)
    expect(asciiOf('age1…, (2 × window) → naïve')).toBe('age1..., (2 x window) -> naïve')
  })

  it('breaks between words, and leaves commands whole', () => {
    const text = `A line that is longer than the width.\n  $ a2a-totp config client alice --out alice.env\n  name  what is said about it here`
    expect(fitted(text, 20)).toBe(
      [
        'A line that is',
        'longer than the',
        'width.',
        '  $ a2a-totp config client alice --out alice.env',
        '  name  what is said',
        '        about it',
        '        here',
      ].join('\n'),
    )
    expect(fitted(text, undefined)).toBe(text)
    expect(fitted(text, 4)).toBe(text)
  })

  it('counts in the right number', () => {
    expect([count(0, 'peer'), count(1, 'peer'), count(2, 'entry', 'entries')]).toEqual([
      '0 peers',
      '1 peer',
      '2 entries',
    ])
  })
})

describe('a table', () => {
  const header = ['NAME', 'SEED', 'NOTE']
  const rows = [
    ['alice', 's-1 +1 for 23h', 'the one in the corner'],
    ['bob', 'canary', ''],
  ]
  it.each([
    [undefined, 'NAME   SEED            NOTE\nalice  s-1 +1 for 23h  the one in the corner\nbob    canary'],
    [40, 'NAME   SEED\nalice  s-1 +1 for 23h\n  the one in the corner\nbob    canary'],
    [20, 'alice\n  seed  s-1 +1 for 23h\n  note  the one in the corner\nbob\n  seed  canary'],
  ])('fits %s cells', (width, text) => {
    expect(tableIn(width, header, rows)).toBe(text)
  })
})
