import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/probe/index.js'
import { refuse, type Quirks } from '../support/broken-agent.js'
import { tooMany } from '../support/limiters.js'
import { findings, probeAgent, probeOptions, stillClock, midStep } from '../support/probing.js'

const resultOf = ({ checks }: ProbeReport, id: string): ProbeReport['checks'][number] | undefined =>
  checks.find((check) => check.id === id)

const drifts = (behind: number, ahead: number): number[] =>
  Array.from({ length: behind + ahead + 1 }, (_, index) => index - behind)

describe('the window scan', () => {
  it('is made only on demand', async () => {
    const { report } = await probeAgent({})
    expect(resultOf(report, 'window')).toBeUndefined()
    expect(resultOf(report, 'throttle')).toBeUndefined()
  })

  it.each([
    [0, 0, 'pass'],
    [1, 1, 'pass'],
    [2, 2, 'pass'],
    [2, 0, 'pass'],
    [3, 1, 'warn'],
    [1, 3, 'warn'],
  ])('finds %i steps behind and %i ahead', async (behind, ahead, status) => {
    const { report } = await probeAgent({ drifts: drifts(behind, ahead) }, { windowScan: true })
    expect(resultOf(report, 'window')).toMatchObject({
      status,
      actual: `${behind} behind, ${ahead} ahead`,
    })
    expect(findings(report)).toEqual(status === 'warn' ? { window: 'warn' } : {})
  })

  it('waits until the agent has forgotten the wrong codes, so that its own trip no budget', async () => {
    const { report, agent, said } = await probeAgent({ budget: 5 }, { windowScan: true })
    expect(resultOf(report, 'window')?.status).toBe('pass')
    expect(said.join()).toMatch(/window: waiting \d+ s/)
    expect(report.guessesSpent).toBe(6)
    expect(agent.guesses.size).toBe(6)
  })

  it('is not made under policy once, and by name alone', async () => {
    const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }
    const { report } = await probeAgent({ once: true }, { credentials, only: ['window'] })
    expect(report.checks.map(({ id, status }) => [id, status])).toEqual([['window', 'skip']])
  })
})

describe('the throttle scan', () => {
  it('ends with the first 429, and says after how many wrong codes it came', async () => {
    const { report } = await probeAgent({}, { throttle: true })
    expect(resultOf(report, 'throttle')).toMatchObject({
      status: 'pass',
      actual: 'HTTP 429, RESOURCE_EXHAUSTED "later" after 5 wrong codes',
      detail: 'Retry-After 30 s',
    })
    expect(findings(report)).toEqual({})
  })

  it('fails an agent that takes any number of wrong codes', async () => {
    const { report } = await probeAgent({ budget: Infinity }, { throttle: true })
    expect(findings(report)).toEqual({ throttle: 'fail' })
    expect(report.guessesSpent).toBe(28)
  })

  it('fails one that accepts each code once too, in as many interfaces as it has', async () => {
    const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }
    const { report } = await probeAgent({ once: true, budget: Infinity }, { credentials, throttle: true })
    expect(findings(report)).toEqual({ throttle: 'fail' })
  })

  it.each([true, false])(
    'fails one that accepts each code once, which nothing has shown so far (Retry-After: %s)',
    async (says) => {
      const quirks: Quirks = {
        ...{ once: true, budget: Infinity },
        refuse: (response, reason) => {
          refuse(response, says ? reason : 'wrong')
          return true
        },
      }
      const one = { binding: 'jsonrpc', protocol: '1.0' } as const
      const { report } = await probeAgent(quirks, { only: ['throttle'], ...one })
      expect(findings(report)).toEqual({ throttle: 'fail' })
    },
  )

  /** Answers everything in one way after so many wrong codes, which it does not limit otherwise. */
  const after = (most: number, answer: (response: ServerResponse) => void): Quirks => {
    let refusals = 0
    return {
      budget: Infinity,
      answers: (response) => {
        if (refusals < most) return false
        answer(response)
        return true
      },
      refuse: (_response, reason) => {
        if (reason === 'wrong') refusals += 1
        return false
      },
    }
  }

  it('accepts a lock that says nothing', async () => {
    const quirks = after(30, (response) => refuse(response, 'wrong'))
    const { report } = await probeAgent(quirks, { throttle: true })
    expect(resultOf(report, 'throttle')).toMatchObject({ status: 'pass', detail: 'the peer is locked' })
  })

  it('accepts a lock that says when it ends', async () => {
    const quirks = after(30, (response) => refuse(response, 'used'))
    const { report } = await probeAgent(quirks, { throttle: true })
    expect(resultOf(report, 'throttle')).toMatchObject({ status: 'pass', detail: 'the peer is locked' })
  })

  it('takes no limit on everybody for one on guesses, and says that it was not tested', async () => {
    const quirks = after(30, tooMany.nginx429)
    const { report } = await probeAgent(quirks, { throttle: true })
    expect(resultOf(report, 'throttle')).toMatchObject({
      status: 'skip',
      actual: expect.stringContaining('HTTP 429') as string,
      detail: expect.stringContaining('everybody is throttled here') as string,
    })
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(resultOf(report, 'coverage')?.detail).toContain(
      'whether wrong codes are slowed down was not tested',
    )
  })
})

describe('replay', () => {
  const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }

  it('says that a code is accepted twice, which is no failure unless the policy said once', async () => {
    expect(resultOf((await probeAgent({})).report, 'replay')).toMatchObject({
      status: 'pass',
      actual: 'accepted again',
    })
    const { report } = await probeAgent({}, { credentials })
    expect(findings(report)).toEqual({ replay: 'fail' })
    expect(resultOf(report, 'replay')?.detail).toContain('a code that was just used was accepted')
  })

  it('says that a code is accepted once', async () => {
    for (const given of [{}, { credentials }]) {
      const { report } = await probeAgent({ once: true }, given)
      expect(findings(report)).toEqual({})
      expect(resultOf(report, 'replay')).toMatchObject({
        status: 'pass',
        actual: 'refused the second time',
      })
    }
  })

  it('names an agent whose bindings remember used codes each for itself', async () => {
    const quirks: Quirks = { once: true, spentAt: ({ binding }) => binding }
    const { report } = await probeAgent(quirks, { credentials })
    const failed = report.checks.filter(({ status }) => status === 'fail')
    expect(failed.map(({ id, binding, protocolVersion }) => [id, binding, protocolVersion])).toEqual([
      ['replay', 'rest', '1.0'],
    ])
    expect(failed[0]?.detail).toContain('a code that was used at JSON-RPC 0.3 was accepted')
  })

  describe('of an unused code of an older step', () => {
    const older = 'an unused code of an older step than the last'
    const setIfAbsent: Quirks = { once: true, spentAt: (_, { codes }) => codes.join() }
    const one = { binding: 'jsonrpc', protocol: '1.0' } as const

    it.each([{}, one, { only: ['replay'] }])(
      'fails an agent that takes it, in a run of %j',
      async (bounds) => {
        const { report } = await probeAgent(setIfAbsent, { credentials, ...bounds })
        expect(findings(report)).toEqual({ replay: 'fail' })
        expect(resultOf(report, 'replay')?.detail).toBe(
          `the policy is once, but ${older} was accepted (a success spends every older step too)`,
        )
      },
    )

    it('is refused by a right agent, which a run in one interface sees without a wait', async () => {
      const { report, agent, said } = await probeAgent({ once: true }, { credentials, ...one })
      expect(findings(report)).toEqual({})
      expect(resultOf(report, 'replay')?.detail).toBe(`so was ${older}`)
      expect(said.filter((text) => text.includes('waiting'))).toEqual([])
      // Those of every run: it is no guess.
      expect([report.guessesSpent, agent.guesses.size]).toEqual([4, 4])
    })

    it('takes a time step more in a run that has to wait for them, which is announced', async () => {
      const { said } = await probeAgent({ once: true }, { credentials })
      expect(said[0]).toContain('about 60 s, and 30 s more to show that older steps are spent')
      expect(said.filter((text) => text.includes('waiting'))).toHaveLength(3)
    })

    it('is not tried without a window, in which no older code is accepted', async () => {
      const given = { credentials: { ...credentials, window: 0 as const }, ...one }
      const { report } = await probeAgent({ once: true, drifts: [0] }, given)
      expect(findings(report)).toEqual({})
      expect(resultOf(report, 'replay')?.detail).toBe('')
    })
  })
})

describe('an expired code', () => {
  const remark = 'under policy once older steps are spent by a success, so this shows nothing of the window'
  const { credentials } = probeOptions('', stillClock(midStep))

  it.each([
    ['once', { once: true }, remark],
    ['once, as the agent shows,', { once: true }, remark],
    ['reuse', {}, ''],
  ] as const)('that is refused under policy %s shows no more than it can', async (policy, quirks, detail) => {
    const given = policy === 'once' ? { credentials: { ...credentials, replay: policy } } : {}
    const { report } = await probeAgent(quirks, given)
    expect(resultOf(report, 'auth.expired-code')).toMatchObject({ status: 'pass', detail })
  })
})
