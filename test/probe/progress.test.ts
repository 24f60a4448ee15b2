import { describe, expect, it } from 'vitest'
import type { ProbeProgress } from '../../src/probe/index.js'
import { midStep, probeAgent, stillClock } from '../support/probing.js'

describe('the progress of a run', () => {
  it('counts each answer, towards a number that is about right', async () => {
    const states: ProbeProgress[] = []
    const { report } = await probeAgent({}, { progress: (state) => void states.push(state) })
    expect(states.map(({ done }) => done)).toEqual(Array.from({ length: report.requests }, (_, n) => n + 1))
    const planned = states.find((state) => state.planned !== undefined)?.planned ?? 0
    expect(planned / report.requests).toBeGreaterThan(0.9)
    expect(planned / report.requests).toBeLessThan(1.1)
  })

  it('says until when it waits and what for, and when that is over', async () => {
    const clock = stillClock(midStep)
    const until = new Date(midStep.getTime() + 20_000)
    const states: ProbeProgress[] = []
    await probeAgent(
      {
        answers: (response, _call, { codes }) => {
          if (codes.length === 0 || clock.now() >= until) return false
          response.writeHead(429, { 'Retry-After': '20' }).end()
          return true
        },
      },
      { progress: (state) => void states.push(state) },
      clock,
    )
    const begins = states.findIndex(({ waitingUntil }) => waitingUntil !== undefined)
    expect(states[begins]).toMatchObject({ waitingUntil: until, what: 'the agent throttles' })
    expect(states[begins + 1]).toMatchObject({ done: states[begins]?.done })
    expect(states[begins + 1]?.waitingUntil).toBeUndefined()
  })
})
