import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignedBase64 } from '../../src/core/base64.js'

const bytes = fc.uint8Array({ minLength: 3, maxLength: 40 })
const beside = fc.uint8Array({ maxLength: 7 })

describe('bytes inside base64', () => {
  it.each([
    // RFC 4648 §10.
    ['foobar', ['Zm9vYmFy', 'Zvb2Jhc', 'mb29iYX']],
    ['fooba', ['Zm9vYm', 'Zvb2Jh', 'mb29iY']],
    ['foob', ['Zm9vY', 'Zvb2', 'mb29i']],
  ])('%s appears in one of three ways', (text, expected) => {
    expect(alignedBase64(Buffer.from(text))).toEqual(expected)
  })

  it('are found there, whatever is before and after them', () => {
    fc.assert(
      fc.property(beside, bytes, beside, (before, own, after) => {
        const whole = Buffer.concat([before, own, after]).toString('base64')
        expect(whole).toContain(alignedBase64(own)[before.length % 3])
      }),
    )
  })

  it('are all the characters whose six bits are theirs alone', () => {
    fc.assert(
      fc.property(bytes, (own) => {
        const lengths = alignedBase64(own).map((text) => text.length)
        const expected = [0, 8, 16].map((bits) => {
          return Math.floor((bits + own.length * 8) / 6) - Math.ceil(bits / 6)
        })
        expect(lengths).toEqual(expected)
      }),
    )
  })
})
