import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bearerOf, Clock, codeOf, requestWith, schemeFor, someInstant } from '../../support/guarded.js'

it('accepts none of 100,000 strange header values, and throws on none', async () => {
  const { scheme } = schemeFor(new Clock(), { throttle: { budgets: [] } })
  const code = codeOf('alice', someInstant)
  const near = [-1, 0, 1].map((drift) => codeOf('alice', someInstant, { drift }))
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    fc.stringMatching(/^[0-9]{1,12}$/),
    fc.stringMatching(/^[\u00b2\u00b3\u00b9\u0660-\u0669\uff10-\uff19 ]{1,8}$/),
    fc
      .tuple(fc.string({ unit: 'binary', maxLength: 3 }), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([before, after]) => before + code + after),
  )
  const value = text.filter((one) => !near.includes(one))
  const lines = fc.oneof(
    { weight: 5, arbitrary: value },
    { weight: 1, arbitrary: fc.array(value, { maxLength: 3 }) },
  )
  await fc.assert(
    fc.asyncProperty(lines, async (sent) => {
      const request = requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': sent })
      const { caller } = await scheme.authenticate(request)
      expect(caller).toBeUndefined()
    }),
    { numRuns: 100_000 },
  )
})
