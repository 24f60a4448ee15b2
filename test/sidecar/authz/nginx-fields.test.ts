import { describe, expect, it } from 'vitest'
import { refuse, type Refusal } from '../../../src/server/scheme/refusal.js'
import { fieldsOfRefusal, nginxFields, refusalOfFields } from '../../../src/sidecar/authz/nginx-fields.js'

const usual = { challenges: ['Bearer realm="a2a"', 'TOTP realm="a2a", header="X-TOTP"'] }

/** What nginx keeps of the answer to its sub-request, as its configuration passes it on: empty for none. */
function kept(refusal: Refusal): Record<keyof typeof nginxFields, string> {
  const fields = new Map(fieldsOfRefusal(refusal))
  const valueOf = (name: string): string => fields.get(name) ?? ''
  const { status, challenges, retryAfter } = nginxFields
  return { status: valueOf(status), challenges: valueOf(challenges), retryAfter: valueOf(retryAfter) }
}

const refusals: readonly Refusal[] = [
  ...[true, false].flatMap((tokenGiven) =>
    [true, false].map((proofRequired) =>
      refuse({ kind: 'unauthenticated', reason: 'guard-failed' }, 'X-Code', tokenGiven, proofRequired),
    ),
  ),
  { kind: 'throttled', reason: 'guard-failed', retryAfter: 30, challenges: [] },
  { kind: 'throttled', reason: 'guard-failed', retryAfter: 999_999, challenges: [] },
  { kind: 'unavailable', reason: 'guard-failed', retryAfter: 0, challenges: [] },
  { kind: 'unavailable', reason: 'guard-failed', challenges: [] },
]

describe('a refusal that goes through nginx', () => {
  it.each(refusals)('is the same behind it: %o', (refusal) => {
    expect(refusalOfFields(kept(refusal), usual)).toEqual(refusal)
  })

  it('says in its fields the status of the library, and nothing that it does not have', () => {
    const refusal = refuse({ kind: 'unauthenticated', reason: 'code-wrong' }, 'X-TOTP', true, false)
    expect(fieldsOfRefusal(refusal)).toEqual([
      ['TotpStatus', '401'],
      ['TotpChallenges', 'Bearer realm="a2a", error="invalid_token", TOTP realm="a2a", header="X-TOTP"'],
    ])
    const throttled = refuse(
      { kind: 'throttled', reason: 'guesses-exhausted', retryAfter: 7 },
      'X',
      true,
      true,
    )
    expect(fieldsOfRefusal(throttled)).toEqual([
      ['TotpStatus', '429'],
      ['TotpRetryAfter', '7'],
    ])
  })
})

describe('fields that were not written here', () => {
  it.each(['', '200', '403', '4011', ' 401', 'toString', '__proto__'])(
    'are a refusal with 503 where the status is %j',
    (status) => {
      const fields = { status, challenges: usual.challenges.join(', '), retryAfter: '' }
      expect(refusalOfFields(fields, usual)).toEqual({
        kind: 'unavailable',
        reason: 'guard-failed',
        challenges: [],
      })
    },
  )

  it.each(['1234567', '-1', '1.5', '1 ', 'x', ' 1'])('say nothing of when to retry by %j', (retryAfter) => {
    expect(refusalOfFields({ status: '429', challenges: '', retryAfter }, usual)).not.toHaveProperty(
      'retryAfter',
    )
  })

  it.each([
    '',
    'Bearer realm="a2a"',
    'Bearer realm="evil", TOTP realm="a2a", header="X-TOTP"',
    'Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP", proof="none"',
    'Bearer realm="a2a", TOTP realm="a2a", header="X-TOTP" ',
    `Bearer realm="a2a", TOTP realm="a2a", header="${'x'.repeat(257)}"`,
    'Bearer realm="a2a", TOTP realm="a2a", header="X TOTP"',
    'Bearer realm="a2a", TOTP realm="a2a", header=""',
  ])('have the usual challenges in place of %j', (challenges) => {
    expect(refusalOfFields({ status: '401', challenges, retryAfter: '' }, usual)).toEqual({
      kind: 'unauthenticated',
      reason: 'guard-failed',
      ...usual,
    })
  })
})
