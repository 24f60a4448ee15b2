import { describe, expect, it } from 'vitest'
import { sidecarLog } from '../../../src/sidecar/observe/log.js'
import { FakeClock } from '../../support/client-scheme.js'
import { proxied } from '../../support/proxied.js'
import { record } from '../../support/recording-server.js'

const post = (url: string): Promise<Response> => fetch(url, { method: 'POST', body: '{}' })

describe("the clock of an agent, by the Date of the agent's answers", () => {
  it('is compared with each answer, and told once while it differs by more than the window', async () => {
    const clock = new FakeClock()
    let ahead = 0
    await using agent = await record((_, response) => {
      const date = new Date(clock.now().getTime() + ahead * 1000).toUTCString()
      response.writeHead(200, { date }).end()
    })
    const { url, proxy, events } = await proxied(agent.origin, { clock })
    const told = (): object[] => events.filter(({ type }) => type === 'clock_differs')
    expect(proxy.agents()[0]?.clockSeconds).toBeUndefined()
    await post(url)
    expect(Math.abs(proxy.agents()[0]?.clockSeconds ?? NaN)).toBeLessThanOrEqual(1)
    expect(told()).toEqual([])
    for (const seconds of [3600, 3600, 0, -7200]) {
      ahead = seconds
      await post(url)
      expect(Math.abs((proxy.agents()[0]?.clockSeconds ?? NaN) - seconds)).toBeLessThanOrEqual(1)
    }
    expect(told()).toMatchObject([
      { agent: 'billing', seconds: expect.closeTo(3600, -1) as number },
      { agent: 'billing', seconds: expect.closeTo(-7200, -1) as number },
    ])
  })
})

describe('the log of a call', () => {
  it('names the peer as which it was passed on, and nobody where nothing was', async () => {
    await using agent = await record()
    const { url, calls } = await proxied(agent.origin)
    await post(url)
    await fetch(url, { method: 'OPTIONS' })
    await expect.poll(() => calls.length).toBe(2)
    const lines = (format: 'text' | 'json'): string[] => {
      const all: string[] = []
      const log = sidecarLog({ format, write: (line) => void all.push(line) })
      for (const call of calls) log.call(call)
      return all
    }
    expect(lines('json').map((line) => JSON.parse(line) as object)).toMatchObject([
      { result: 'passed', peer: 'alice', method: 'POST' },
      { result: 'refused', reason: 'browser' },
    ])
    const [passed, refused] = lines('text')
    expect(passed).toMatch(/ proxy alice POST \/ 200 /)
    expect(refused).not.toContain('alice')
  })
})
