import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker } from '../../../src/sidecar/proxy/breaker.js'

let at = 0
const seen: string[] = []
const breaker = (): Breaker =>
  new Breaker({
    now: () => new Date(at),
    onOpen: () => seen.push('open'),
    onClose: () => seen.push('closed'),
  })

const refuse = (one: Breaker, ...codes: string[]): void => {
  for (const code of codes) one.admit()?.refused(code)
}

describe('the breaker', () => {
  beforeEach(() => {
    at = 0
    seen.length = 0
  })

  it('opens once three different codes were refused, and not for one code however often', () => {
    const one = breaker()
    refuse(one, '1', '1', '1', '1', '2', '2')
    expect(one.isOpen).toBe(false)
    refuse(one, '3')
    expect(one.isOpen).toBe(true)
    expect(one.admit()).toBeUndefined()
    expect(seen).toEqual(['open'])
  })

  it('counts anew after a code was accepted', () => {
    const one = breaker()
    refuse(one, '1', '2')
    one.admit()?.accepted()
    refuse(one, '3', '4')
    expect(one.isOpen).toBe(false)
  })

  it('believes that a code was spent where one was accepted within the hour', () => {
    const spend = (one: Breaker, ...codes: string[]): void => {
      for (const code of codes) one.admit()?.spent(code)
    }
    const one = breaker()
    one.admit()?.accepted()
    at = 3_600_000
    spend(one, '1', '2', '3')
    expect(one.isOpen).toBe(false)
    at = 3_600_001
    spend(one, '4', '5', '6')
    expect(one.isOpen).toBe(true)
    one.reset()
    spend(one, '7', '8', '9')
    expect(one.isOpen).toBe(true)
  })

  it('forgets codes that were refused more than an hour ago', () => {
    const one = breaker()
    refuse(one, '1', '2')
    at = 3_600_001
    refuse(one, '3')
    expect(one.isOpen).toBe(false)
  })

  it('closes for other credentials, and what comes back for the old ones counts no more', () => {
    const one = breaker()
    const late = one.admit()
    refuse(one, '1', '2', '3')
    one.reset()
    expect(one.isOpen).toBe(false)
    expect(seen).toEqual(['open', 'closed'])
    refuse(one, '4', '5')
    late?.refused('6')
    expect(one.isOpen).toBe(false)
  })

  it('lets one request through an hour, and closes if it is accepted', () => {
    const one = breaker()
    refuse(one, '1', '2', '3')
    at = 3_599_999
    expect(one.admit()).toBeUndefined()
    at = 3_600_000
    const trial = one.admit()
    expect(trial?.isTrial).toBe(true)
    expect(one.admit()).toBeUndefined()
    trial?.refused('4')
    at = 7_100_000
    expect(one.admit()).toBeUndefined()
    at = 7_200_000
    one.admit()?.accepted()
    expect(one.isOpen).toBe(false)
  })

  it('lets one request through once the clock was set back, since a wrong clock may have been the reason', () => {
    at = 7_200_000
    const one = breaker()
    refuse(one, '1', '2', '3')
    at = 3_600_000
    expect(one.mayTry).toBe(true)
    const trial = one.admit()
    expect(trial?.isTrial).toBe(true)
    expect(one.admit()).toBeUndefined()
    trial?.refused('4')
    at = 7_199_999
    expect(one.admit()).toBeUndefined()
    at = 7_200_000
    one.admit()?.accepted()
    expect(one.isOpen).toBe(false)
  })
})
