import { expect, it } from 'vitest'
import { findings, probeAgent } from '../support/probing.js'

it('sends the cookies of a success back with all that was refused before it, each as it was set', async () => {
  const { report, agent } = await probeAgent({
    admitted: (_, __, response) => {
      response.setHeader('Set-Cookie', ['route=a1; Path=/; HttpOnly', 'flag', 'session="b=2"; Secure'])
    },
  })
  expect(findings(report)).toEqual({})
  const withCookies = agent.requests
    .map(({ fields }) => fields.join('\n'))
    .filter((fields) => fields.includes('Cookie'))
  for (const fields of withCookies) expect(fields).toContain('Cookie\nroute=a1; session="b=2"')
  const kinds = withCookies.map((fields) =>
    [/^authorization$/im, /^x-totp$/im].map((name) => (name.test(fields) ? 1 : 0)).join(''),
  )
  // In each of the four cells alone, beside the token, beside a code, and beside both with a malformed and a wrong one.
  expect(kinds.sort().join(' ')).toMatch(/^(00 ){4}(01 ){4}(10 ){4}(11 ?){8}$/)
})

it('sends no cookie where a success sets none', async () => {
  const { agent } = await probeAgent({
    refuse: (response) => {
      response.setHeader('Set-Cookie', 'visitor=1')
      return false
    },
  })
  expect(agent.requests.flatMap(({ fields }) => fields)).not.toContain('Cookie')
})
