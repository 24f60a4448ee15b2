import { expect, it } from 'vitest'
import { tooMany } from '../support/limiters.js'
import { probeAgent } from '../support/probing.js'

it('a limiter in front that throttles a later call is named, and the agent is not blamed', async () => {
  const { report } = await probeAgent(
    {
      answers: (response, _, { authorization }) => {
        if (!authorization.some((value) => value.startsWith('bearer '))) return false
        tooMany.nginx429(response)
        return true
      },
    },
    { only: ['auth.valid'] },
  )
  const details = report.checks.filter(({ id }) => id === 'auth.valid').map(({ detail }) => detail)
  expect(details.length).toBeGreaterThan(0)
  for (const detail of details) {
    expect(detail).toMatch(
      /throttled before any wrong code was sent: (nginx|a rate limiter) counts every request, not the agent/,
    )
    expect(detail).not.toContain('the agent counts')
  }
})
