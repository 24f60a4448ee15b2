import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDemoAgent, type DemoAgent } from '../../src/demo/index.js'
import { probe } from '../../src/probe/index.js'
import { demoRoster } from '../support/demo-roster.js'
import { findings, probeOptions, stillClock, skippedIn } from '../support/probing.js'

// Still, so that three runs fall into one time step; of now, because the agent's Date is.
const clock = stillClock(new Date())

describe('the demo agent on @a2a-js/sdk', () => {
  let agent: DemoAgent
  beforeAll(async () => {
    agent = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
  })
  afterAll(() => agent.close())

  it('passes every check of every cell without a warning, three times in a row on its default budgets', async () => {
    for (let run = 1; run <= 3; run++) {
      const report = await probe({ ...probeOptions(agent.cardUrl, clock), timeoutMs: 20_000, send: 'hello' })
      expect(findings(report)).toEqual({})
      expect(report.summary).toMatchObject({ failed: 0, warned: 0 })
      expect(skippedIn(report)).toEqual(['card.signature'])
      expect(report.checks.filter(({ id }) => id === 'auth.valid')).toHaveLength(agent.interfaces.length)
      expect(report.guessesSpent).toBe(4)
    }
  })
})
