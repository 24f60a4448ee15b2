import { expect, it } from 'vitest'
import { findings, probeAgent } from '../support/probing.js'

it('sends the cookies of a success back alone, each as it was set', async () => {
  const { report, agent } = await probeAgent({
    admitted: (_, __, response) => {
      response.setHeader('Set-Cookie', ['route=a1; Path=/; HttpOnly', 'flag', 'session="b=2"; Secure'])
    },
  })
  expect(findings(report)).toEqual({})
  const withCookies = agent.requests
    .map(({ fields }) => fields.join('\n'))
    .filter((fields) => fields.includes('Cookie'))
  expect(withCookies).toHaveLength(4)
  for (const fields of withCookies) {
    expect(fields).toContain('Cookie\nroute=a1; session="b=2"')
    expect(fields).not.toMatch(/authorization|x-totp/i)
  }
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
