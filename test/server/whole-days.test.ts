import { describe, expect, it } from 'vitest'
import { computeEachCodeOnce } from '../support/codes-once.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  requestWith,
  schemeFor,
  secondLooks,
} from '../support/guarded.js'

// What is promised for many time steps in a row. The same is shown in fewer beside it, where each change of the code is tried.

const stepsADay = 24 * 120

describe('a code of a live seed outside of the window', () => {
  it.each([-4, -20, 4, 20])(
    'of a clock that is %i steps off, once a step for a day: no alarm, no lock-out, and service once it is right',
    async (drift) => {
      computeEachCodeOnce()
      const clock = new Clock()
      const { scheme, events } = schemeFor(clock)
      for (let step = 0; step < stepsADay; step++) {
        const code = codeOf('alice', clock.at, { drift })
        const late = requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': code })
        expect((await scheme.authenticate(late)).refusal?.reason).toBe('code-wrong')
        await secondLooks()
        clock.advance(30)
      }
      const { caller } = await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
      expect(caller?.peer).toBe('alice')
      const types = events.map(({ type }) => type)
      expect(new Set(types)).toEqual(new Set(['refused', 'code_stale', 'authenticated']))
      expect(types.filter((type) => type === 'code_stale')).toHaveLength(stepsADay)
    },
  )
})

describe('under once', () => {
  it('exactly one of 256 identical requests at once is accepted, 200 time steps in a row', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { replay: 'once', onEvent: undefined } as object)
    for (let step = 0; step < 200; step++) {
      const request = requestWith(headersOf('alice', clock.at))
      const outcomes = await Promise.all(Array.from({ length: 256 }, () => scheme.authenticate(request)))
      expect(outcomes.filter(({ caller }) => caller)).toHaveLength(1)
      expect(outcomes.filter(({ refusal }) => refusal?.reason === 'code-replayed')).toHaveLength(255)
      clock.advance(30)
    }
  })
})
