import { describe, expect, it } from 'vitest'
import { selectChecks } from '../../src/probe/checks/selection.js'

describe('a selection of checks', () => {
  it('is refused if nothing is left, because nothing would be shown', () => {
    expect(() => selectChecks(['auth.valid'], ['auth.valid'])).toThrow('no check is left to run')
  })

  it.each([
    ['auth.vaild', 'auth.valid'],
    ['bearer-only', 'auth.bearer-only'],
    ['Reach', 'reach'],
  ])('names the check that %s is near to', (given, meant) => {
    expect(() => selectChecks([given])).toThrow(`no such check (did you mean ${meant}?)`)
    expect(() => selectChecks([], ['x', given])).toThrow('no such check;')
  })
})
