import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { checkIds, checks } from '../../src/probe/index.js'
import { cellCheckIds, runCheckIds } from '../../src/probe/check-ids.js'
import { planOf } from '../../src/probe/checks/plan.js'
import { wrongCodesAt } from '../../src/probe/run/codes.js'
import { materialNow } from '../../src/probe/run/material.js'
import { midStep, probeOptions, stillClock } from '../support/probing.js'

const options = probeOptions('http://127.0.0.1', stillClock(midStep))
const everything = planOf(new Set(checkIds))

describe('the checks', () => {
  // Scripts, CI configurations and ignore files name them: an id may be added, never renamed.
  it('are those that are promised, in the order of the report', () => {
    expect(runCheckIds).toEqual([
      ...['reach', 'tls', 'card.fetch', 'card.bearer', 'card.totp', 'card.and', 'card.signature'],
      ...['coverage', 'clock', 'window', 'throttle'],
    ])
    expect(cellCheckIds).toEqual([
      ...['auth.none', 'auth.bearer-only', 'auth.totp-only'],
      ...['auth.wrong-code', 'auth.expired-code', 'auth.future-code', 'auth.cross-peer'],
      ...['auth.malformed-code', 'auth.duplicate-header', 'auth.wrong-token'],
      ...['auth.valid', 'auth.after-valid', 'auth.stream', 'auth.doors', 'isolation'],
      ...['signed.advertised', 'signed.valid', 'signed.replay', 'signed.body', 'signed.target'],
      ...['signed.header', 'signed.stale', 'signed.stripped', 'signed.other-agent', 'signed.required'],
      ...['challenge', 'status', 'uniform', 'leak', 'replay'],
    ])
    expect(Object.keys(checks)).toEqual(checkIds)
  })

  it.each(checkIds)('%s is one object that holds all there is about it', (id) => {
    const check = checks[id]
    expect(check.id).toBe(id)
    expect(check.scope).toBe((runCheckIds as readonly string[]).includes(id) ? 'run' : 'cell')
    for (const line of [check.proves, check.expects]) expect(line).toMatch(/^\S.*[^.\s]$/)
    expect(check.means).toMatch(/^[A-Z`].*\.$/)
    for (const step of check.fix) expect(step).toMatch(/\S{3}/)
    expect(check.judge).toBeTypeOf('function')
  })

  it.each(checkIds)('%s sends something, or judges what others send, or the run as a whole', (id) => {
    const { scope, attempts, guesses, needs = [] } = checks[id]
    const own = ['auth.valid', 'replay'].includes(id)
    expect(
      scope === 'run' || own || attempts !== undefined || guesses !== undefined || needs.length > 0,
    ).toBe(true)
    expect(checkIds).toEqual(expect.arrayContaining([...needs]))
  })
})

describe('what the checks ask a run to send', () => {
  const material = materialNow({ options })
  const wrongCodes = wrongCodesAt(options, midStep)

  it('holds a well-formed wrong code beside the live token among the guesses alone', () => {
    const wellFormed = new RegExp(`^\\d{${defaultProfile.digits}}$`)
    const free = (['before-valid', 'late'] as const).flatMap((stage) =>
      everything.freeRefusals(stage, material),
    )
    expect(free.length).toBeGreaterThan(20)
    for (const { fields, guess } of free) {
      expect(guess).toBeUndefined()
      const codes = fields.filter(([name, value]) => name === material.header && wellFormed.test(value))
      for (const [, code] of codes) expect([material.code, material.codeWith123]).toContain(code)
    }
    const spent = everything.guesses(material, wrongCodes).map(({ guess }) => guess)
    expect(new Set(spent).size).toBe(4)
  })

  it('is few before anything succeeded, with what is sent again after it', () => {
    const first = everything.freeRefusals('before-valid', material)
    expect(first.map(({ check }) => check)).toEqual([
      ...['auth.none', 'auth.bearer-only', 'auth.totp-only', 'auth.wrong-token', 'auth.wrong-token'],
      ...['auth.malformed-code', 'auth.stream', 'auth.stream'],
    ])
    expect(everything.freeRefusals('late', material).some(({ again }) => again)).toBe(false)
  })

  it('leaves out what is not performed, and a guess that another check would spend', () => {
    const plan = planOf(new Set(['auth.none', 'auth.stream']))
    const asked = [...plan.freeRefusals('before-valid', material), ...plan.guesses(material, wrongCodes)]
    expect(new Set(asked.map(({ check }) => check))).toEqual(new Set(['auth.none', 'auth.stream']))
    expect(asked.some(({ guess }) => guess !== undefined)).toBe(false)
    expect([plan.hasLate, everything.hasLate]).toEqual([false, true])
  })
})
