import { describe, expect, it } from 'vitest'
import { TOTPError, isTOTPError } from '../../src/core/errors.js'

describe('an error of ours', () => {
  const cause = new Error('inner')
  const error = new TOTPError('ERR_SEED_WEAK', 'seed is short', { cause })

  it('has a stable code, a message and a cause', () => {
    expect(error).toMatchObject({
      name: 'TOTPError',
      code: 'ERR_SEED_WEAK',
      message: 'seed is short',
      cause,
    })
    expect(String(error)).toBe('TOTPError: seed is short')
  })

  it('is known by its name, so that one from another copy of the class is known too', () => {
    const twin = Object.assign(new Error('x'), { name: 'TOTPError', code: 'ERR_USAGE' })
    expect([error, twin].map(isTOTPError)).toEqual([true, true])
  })

  it.each([
    ['an Error', new Error('x')],
    ['an error of Node', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['an object', { name: 'TOTPError', code: 'ERR_USAGE' }],
    ['nothing', undefined],
  ])('is not %s', (_what, value) => {
    expect(isTOTPError(value)).toBe(false)
  })
})
