import { randomBytes, randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { steadyBy } from '../../src/probe/checks/shared/steady-faces.js'
import { sendJson, type Reason } from '../support/broken-agent.js'
import { probeAgent } from '../support/probing.js'

const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ulid = (): string => Array.from(randomBytes(26), (byte) => letters[byte & 31]).join('')

/** The verdicts of `uniform` on an agent whose refusals have this in them. */
async function uniformOf(more: (reason: Reason) => object): Promise<unknown[]> {
  const { report } = await probeAgent({
    refuse: (response, reason) => {
      response.setHeader('WWW-Authenticate', ['Bearer realm="a2a"', 'TOTP realm="a2a", header="X-TOTP"'])
      sendJson(response, 401, { error: { code: 401, message: 'credentials needed', ...more(reason) } })
      return true
    },
  })
  return [...new Set(report.checks.flatMap(({ id, status }) => (id === 'uniform' ? [status] : [])))]
}

describe('refusals are uniform', () => {
  it.each([
    ['a ULID', () => ({ requestId: ulid() })],
    ['a Unix time with decimals', () => ({ time: 1893456010 + randomInt(1, 1e6) / 1e6 })],
    ['a number that counts up', (() => ((at) => () => ({ at: at++ }))(1))()],
    ['an id in their words', () => ({ message: `credentials needed (${ulid()}, ask us)` })],
  ])('where they differ by %s alone', async (_, more) => {
    expect(await uniformOf(more)).toEqual(['pass'])
  })

  it.each([
    ['a reason', (reason: Reason) => ({ requestId: ulid(), reason })],
    ['a word more', (reason: Reason) => ({ requestId: ulid(), ...(reason === 'wrong' && { retry: true }) })],
  ])('and are not where they differ by %s beside an id', async (_, more) => {
    expect(await uniformOf(more)).toEqual(['warn'])
  })

  it('leaves out no more than what differs in two answers that mean the same', () => {
    const steady = steadyBy('{"id":"a1","code":401}', '{"id":"b2","code":401}')
    expect(steady('{"id":"c3","code":401}')).toBe(steady('{"id":"d4","code":401}'))
    expect(steady('{"id":"c3","code":401}')).not.toBe(steady('{"id":"c3","code":403}'))
    expect(steady('{"other":"c3","code":401}')).not.toBe(steady('{"other":"d4","code":401}'))
  })
})
