import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyCharacter } from '../../support/arbitraries.js'
import { bearerOf, Clock, codeOf, peers, requestWith, schemeFor, someInstant } from '../../support/guarded.js'

const code = codeOf('alice', someInstant)
const valid = [-1, 0, 1].map((drift) => codeOf('alice', someInstant, { drift }))
const bearer = bearerOf('alice')

/** Something right with something strange before and after it. */
const near = (right: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.string({ unit: anyCharacter, maxLength: 3 }), fc.string({ unit: anyCharacter, maxLength: 3 }))
    .map(([before, after]) => before + right + after)

const anything = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
  fc.integer({ min: 10_000, max: 12_000 }).map((length) => code.repeat(length / code.length)),
)

/** What comes in place of a code: each value is none, or at most a wrong one. */
const codes = fc
  .oneof(
    anything,
    fc.stringMatching(/^[0-9]{1,12}$/),
    fc.stringMatching(/^[\u00b2\u00b3\u00b9\u0660-\u0669\uff10-\uff19 ]{1,8}$/),
    fc.constantFrom(
      '\u00b9\u00b2\u00b3456',
      '+23456',
      '1e5000',
      '\0',
      ` ${code}`,
      `${code}, ${code}`,
      `${code}\0`,
    ),
    near(code),
  )
  .filter((one) => !valid.includes(one))

/** What comes in place of the bearer token. */
const authorizations = fc
  .oneof(
    anything,
    fc.constantFrom('Bearer', 'Bearer ', 'Basic YTpi', peers.alice.token, `Bearer\t${peers.alice.token}`),
    fc.constantFrom(
      `${bearer},`,
      `${bearer} `,
      `${bearer}=`,
      `${bearer}, ${bearer}`,
      `Bearer "${peers.alice.token}"`,
    ),
    near(bearer),
    near(peers.alice.token).map((token) => `Bearer ${token}`),
  )
  .filter((one) => !/^bearer +/i.test(one) || !one.endsWith(` ${peers.alice.token}`))

const lines = (value: fc.Arbitrary<string>): fc.Arbitrary<string | string[]> =>
  fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: fc.array(value, { maxLength: 3 }) })

it.each<[what: string, fields: fc.Arbitrary<Record<string, string | string[]>>]>([
  ['codes', lines(codes).map((sent) => ({ Authorization: bearer, 'X-TOTP': sent }))],
  ['tokens', lines(authorizations).map((sent) => ({ Authorization: sent, 'X-TOTP': code }))],
])('accepts none of 100,000 strange %s, and throws on none', async (what, fields) => {
  const { scheme } = schemeFor(new Clock(), { throttle: { risk: Infinity } })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fields, async (sent) => {
      const { caller } = await scheme.authenticate(requestWith(sent))
      expect(caller).toBeUndefined()
      refused++
    }),
    { numRuns: 100_000 },
  )
  console.log(`figure 2: ${refused} strange ${what} refused`)
  const right = requestWith({ Authorization: bearer, 'X-TOTP': code })
  expect((await scheme.authenticate(right)).caller?.peer).toBe('alice')
})
