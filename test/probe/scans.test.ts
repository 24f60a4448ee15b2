import { describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/probe/index.js'
import { refuse, type Quirks } from '../support/broken-agent.js'
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

  it('accepts a lock that says nothing', async () => {
    let refusals = 0
    const quirks: Quirks = {
      budget: Infinity,
      answers: (response) => {
        if (refusals < 30) return false
        refuse(response, 'wrong')
        return true
      },
      refuse: (_response, reason) => {
        if (reason === 'wrong') refusals += 1
        return false
      },
    }
    const { report } = await probeAgent(quirks, { throttle: true })
    expect(resultOf(report, 'throttle')).toMatchObject({ status: 'pass', detail: 'the peer is locked' })
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
    const used = { jsonrpc: new Set<string>(), rest: new Set<string>() }
    const quirks: Quirks = {
      answers: (response, { binding, operation }, { codes, authorization }) => {
        const [code = ''] = codes
        if (operation !== 'get' || authorization.length === 0 || !used[binding].has(code)) return false
        refuse(response, 'used')
        return true
      },
      admitted: ({ binding }, { codes }) => {
        for (const code of codes) used[binding].add(code)
      },
    }
    const { report } = await probeAgent(quirks, { credentials })
    const failed = report.checks.filter(({ status }) => status === 'fail')
    expect(failed.map(({ id, binding, protocolVersion }) => [id, binding, protocolVersion])).toEqual([
      ['replay', 'rest', '1.0'],
    ])
    expect(failed[0]?.detail).toContain('a code that was used at JSON-RPC 0.3 was accepted')
  })
})
