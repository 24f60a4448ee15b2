import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import { judge } from '../../src/probe/checks/judgement.js'
import { planOf } from '../../src/probe/checks/plan.js'
import { selectChecks } from '../../src/probe/checks/selection.js'
import type { ProbeOptions } from '../../src/probe/index.js'
import type { Evidence } from '../../src/probe/run/evidence.js'
import { gather } from '../../src/probe/run/gather.js'
import { startTestAgent, type Quirks, type TestAgent } from '../support/broken-agent.js'
import { alice, bob, midStep, probeOptions, stillClock } from '../support/probing.js'

let agent: TestAgent | undefined
afterEach(() => agent?.close())

const all = selectChecks([], [], ['throttle', 'window'])

async function gathered(quirks: Quirks, given: Partial<ProbeOptions>, grpc = true): Promise<Evidence> {
  const clock = stillClock(midStep)
  agent = await startTestAgent({
    peers: [alice, bob],
    profile: defaultProfile,
    now: clock.now,
    quirks,
    grpc,
  })
  const options = { ...probeOptions(agent.url, clock), ...given }
  return gather(options, new URL(options.url), planOf(all.performed))
}

const once = {
  credentials: { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const },
}

describe('the exchanges of a run', () => {
  it.each<[string, Quirks, Partial<ProbeOptions>]>([
    ['everything right', {}, { send: 'hello' }],
    ['one use of each code', { once: true }, once],
    ['everyone refused', { peersOf: () => [] }, {}],
    ['everyone let in', { waves: () => true }, {}],
    ['a budget of three', { budget: 3 }, {}],
  ])('hold each request that the agent saw: %s', async (_, quirks, given) => {
    const { exchanges, requests, cells } = await gathered(quirks, given)
    expect(exchanges.length).toBe(agent?.requests.length)
    expect(exchanges.length).toBe(requests)
    const ofCells = cells.flatMap((cell) => cell.exchanges)
    const ofCard = exchanges.filter(({ cell }) => cell === null)
    expect(new Set([...ofCells, ...ofCard])).toEqual(new Set(exchanges))
    expect(ofCard.every(({ stage }) => stage === 'card')).toBe(true)
  })

  it('come in the order that is promised: refusals, valid calls, refusals again, guesses last', async () => {
    const { cells } = await gathered({}, {})
    expect(cells).toHaveLength(6)
    for (const { exchanges } of cells) {
      const stages = exchanges.map(({ stage }) => stage)
      const firstOf = (stage: string): number => stages.findIndex((one) => one === stage)
      const lastOf = (stage: string): number => stages.findLastIndex((one) => one === stage)
      expect(lastOf('before-valid')).toBeLessThan(firstOf('valid'))
      expect(lastOf('valid')).toBeLessThan(firstOf('again'))
      // Those that are repeated, and those that come after a success alone, are under way together.
      expect(lastOf('valid')).toBeLessThan(firstOf('late'))
      expect(lastOf('again')).toBeLessThan(firstOf('guess'))
      expect(lastOf('late')).toBeLessThan(firstOf('guess'))
      expect(exchanges.findIndex(({ isGuess }) => isGuess)).toBe(firstOf('guess'))
    }
  })

  it('hold nothing secret of what was sent', async () => {
    const { exchanges } = await gathered({}, {})
    const text = JSON.stringify(exchanges.map((exchange) => ({ ...exchange, answer: undefined })))
    for (const { token, seed } of [alice, bob]) {
      expect(text).not.toContain(token)
      expect(text).not.toContain(seed.base32)
      for (let drift = -30; drift <= 30; drift++) {
        const step = timeStepAt(defaultProfile, midStep) + drift
        expect(text).not.toContain(generateCodeOfStep(seed, defaultProfile, step))
      }
    }
    for (const guess of agent?.guesses ?? []) expect(text).not.toContain(guess.split(' ')[1])
  })

  it('are all that a judge needs: once the agent is gone, the verdicts are the same, and again the same', async () => {
    const evidence = await gathered({}, { throttle: true, windowScan: true })
    await agent?.close()
    agent = undefined
    const sent = evidence.exchanges.length
    const first = judge(evidence, all)
    expect(judge(evidence, all)).toEqual(first)
    expect(first.filter(({ verdict }) => verdict.status === 'fail')).toEqual([])
    expect(first.some(({ check }) => check.id === 'window')).toBe(true)
    expect(evidence.exchanges.length).toBe(sent)
  })
})
