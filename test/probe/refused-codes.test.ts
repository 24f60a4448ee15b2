import { describe, expect, it } from 'vitest'
import { refuse } from '../support/broken-agent.js'
import { findings, midStep, probeAgent, stillClock } from '../support/probing.js'

/** The distinct codes of six digits that an agent got with a token. */
const codesIn = (requests: readonly { readonly fields: readonly string[] }[]): Set<string> =>
  new Set(
    requests.flatMap(({ fields }) =>
      fields.filter(
        (value, index) =>
          fields[index - 1]?.toLowerCase() === 'x-totp' && /^\d{6}$/.test(value) && hasToken(fields),
      ),
    ),
  )

const hasToken = (fields: readonly string[]): boolean => fields.some((field) => field.includes('a2at_alice'))

describe('an agent that knows another seed gets few codes, and each is counted', () => {
  it('where it says of each that it was used', async () => {
    const clock = stillClock(midStep)
    const { report, agent } = await probeAgent(
      {
        drifts: [],
        budget: Infinity,
        refuse: (response, reason) => {
          if (reason === 'wrong') response.setHeader('Retry-After', '1')
          refuse(response, reason)
          return true
        },
      },
      {},
      clock,
    )
    expect(findings(report)).toMatchObject({ 'auth.valid': 'fail', coverage: 'fail' })
    expect(codesIn(agent.requests).size).toBeLessThanOrEqual(4)
    expect(report.guessesSpent).toBe(codesIn(agent.requests).size)
    expect(clock.now().getTime() - midStep.getTime()).toBeLessThan(120_000)
  })
  it('where it says so to everyone, which is not about the code', async () => {
    const { report, agent } = await probeAgent({
      drifts: [],
      budget: Infinity,
      refuse: (response, reason) => {
        response.setHeader('Retry-After', '1')
        refuse(response, reason)
        return true
      },
    })
    expect(findings(report)).toMatchObject({ 'auth.valid': 'fail', coverage: 'fail' })
    expect(report.diagnosis).toContain('another token or seed')
    expect(report.guessesSpent).toBe(codesIn(agent.requests).size)
  })

  it('where it hangs before any wrong code is sent, which then is not counted', async () => {
    const { report, agent } = await probeAgent(
      { answers: (_response, _call, { successes }) => successes.tokens.size > 0 },
      { timeoutMs: 200, binding: 'jsonrpc', protocol: '1.0' },
    )
    expect(codesIn(agent.requests).size).toBe(1)
    expect(report.guessesSpent).toBe(0)
  })
})
