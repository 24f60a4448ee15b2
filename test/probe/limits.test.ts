import { setTimeout as realSleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent, type Quirks } from '../support/broken-agent.js'
import { startFront, type Front, type FrontRules } from '../support/front.js'
import { carries, fixedWindow, leakyBucket, slidingWindow, tooMany } from '../support/limiters.js'
import { ownTime } from '../support/own-time.js'
import { alice, bob, findings, midStep, probeOptions, stillClock, skippedIn } from '../support/probing.js'

interface Behind {
  readonly report: ProbeReport
  readonly front: Front
  readonly guesses: ReadonlySet<string>
  readonly said: readonly string[]
}

/** Probes an agent through a front, at the real pace. */
async function probeBehind(
  rules: FrontRules,
  given: Partial<ProbeOptions> = {},
  quirks: Quirks = {},
): Promise<Behind> {
  const clock = stillClock(midStep)
  const now = given.now ?? clock.now
  const agent = await startTestAgent({ peers: [alice, bob], profile: defaultProfile, now, quirks })
  const front = await startFront(agent.url, rules)
  const said: string[] = []
  try {
    const report = await probe({
      ...probeOptions(front.url, clock),
      pause: (ms) => realSleep(ms),
      announce: (text) => said.push(text),
      binding: 'rest',
      protocol: '1.0',
      ...given,
    })
    return { report, front, guesses: agent.guesses, said }
  } finally {
    await front.close()
    await agent.close()
  }
}

const detailOf = ({ checks }: ProbeReport, id: string): string | undefined =>
  checks.find((check) => check.id === id)?.detail

/** The most requests that arrived within a second. */
const mostInASecond = (arrivals: readonly number[]): number =>
  Math.max(...arrivals.map((from) => arrivals.filter((at) => at >= from && at < from + 1000).length))

describe('a right agent passes in full behind', () => {
  it.concurrent.each<[string, FrontRules]>([
    ['limit_req without burst, by 503', { answers: leakyBucket(20, 0, tooMany.nginx503) }],
    ['limit_req with a burst, by 429', { answers: leakyBucket(20, 10, tooMany.nginx429) }],
    ['a stick table', { answers: slidingWindow(20, 1000, tooMany.nginx429) }],
    ['a limit with Retry-After', { answers: fixedWindow(20, 1000, tooMany.json429) }],
    ['a limit with a date to retry', { answers: fixedWindow(20, 1000, tooMany.dated429) }],
  ])('%s', { timeout: 60_000 }, async (_, rules) => {
    const { report, guesses, said } = await probeBehind(rules)
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
    // The card of this agent is not signed.
    expect(skippedIn(report)).toEqual(['card.signature'])
    expect(guesses.size).toBe(4)
    expect(detailOf(report, 'coverage')).toMatch(/something limits requests; the run slowed down to about/)
    expect(said).toContain('something limits requests: the run slows down')
  })

  it(
    'a limit for which the run has to wait once, after which it keeps below it',
    { timeout: 60_000 },
    async () => {
      const inRealTime = { now: () => new Date(), sleep: (ms: number) => realSleep(ms) }
      const rules = { answers: fixedWindow(25, 5000, tooMany.json429) }
      const { report, said } = await probeBehind(rules, inRealTime, { budget: 1000 })
      expect(findings(report)).toEqual({})
      expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
      expect(said.filter((text) => text.includes('once'))).toHaveLength(1)
    },
  )

  it('a gateway that loses its agent for a moment', async () => {
    let count = 0
    const answers: FrontRules['answers'] = (_request, response) => {
      if (++count % 10 !== 0) return false
      response
        .writeHead(502, { Server: 'nginx', 'Content-Type': 'text/html' })
        .end('<html>Bad Gateway</html>')
      return true
    }
    const { report } = await probeBehind({ answers }, { pause: () => Promise.resolve() })
    expect(findings(report)).toEqual({})
    expect(report.ok).toBe(true)
  })
})

describe('what is throttled and asked again', () => {
  it('shows a hole behind a limiter as any other', { timeout: 60_000 }, async () => {
    const rules = { answers: leakyBucket(20, 0, tooMany.nginx503) }
    const quirks: Quirks = { waves: (_call, { authorization }) => authorization.length > 0 }
    const { report } = await probeBehind(rules, {}, quirks)
    expect(findings(report)).toMatchObject({ 'auth.bearer-only': 'fail', 'auth.wrong-code': 'fail' })
  })

  it('goes one at a time, and not side by side again', { timeout: 60_000 }, async () => {
    let count = 0
    let open = 0
    let most = 0
    const answers: FrontRules['answers'] = (_request, response) => {
      if (++count === 3) {
        tooMany.nginx429(response)
        return true
      }
      if (count <= 20) return false
      most = Math.max(most, ++open)
      response.on('finish', () => (open -= 1))
      return false
    }
    const { front } = await probeBehind({ answers }, { pause: () => Promise.resolve() })
    expect(front.most).toBeGreaterThan(1)
    expect(most).toBe(1)
  })

  it.each(['nginx429', 'nginx503', 'json429'] as const)(
    'is given up soon where one token alone is throttled, by %s',
    async (kind) => {
      const answers: FrontRules['answers'] = (request, response) => {
        if (!carries(alice.token)(request)) return false
        tooMany[kind](response, 1)
        return true
      }
      const begun = performance.now()
      const { report, guesses } = await probeBehind({ answers })
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      expect(findings(report)).toMatchObject({ 'auth.valid': 'fail', coverage: 'fail' })
      expect(guesses.size).toBe(0)
      expect(performance.now() - begun).toBeLessThan(10_000)
    },
  )
})

describe('a limiter that lets nothing through', () => {
  it.each(['nginx429', 'nginx503'] as const)(
    'ends a run in a while, by %s',
    { timeout: 60_000 },
    async (kind) => {
      const pauses: number[] = []
      const { report } = await probeBehind(
        {
          answers: (_request, response) => {
            tooMany[kind](response)
            return true
          },
        },
        {
          pause: (ms) => {
            pauses.push(ms)
            return Promise.resolve()
          },
        },
      )
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(40_000)
    },
  )
})

describe('an agent that asks everybody to wait', () => {
  it('and still throttles after the wait ends a run soon after it', async () => {
    const pauses: number[] = []
    const { report, said } = await probeBehind(
      {
        answers: (_request, response) => {
          response.writeHead(429, { 'Retry-After': '3' }).end()
          return true
        },
      },
      {
        // The pace is made of the time that it took.
        sleep: (ms) => realSleep(ms),
        pause: (ms) => {
          pauses.push(ms)
          return Promise.resolve()
        },
      },
    )
    expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
    expect(said).toContain('the agent throttles: waiting 3 s, once')
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000)
  })
})

describe('--rate', () => {
  it.each([10, 20])('sends at most %i requests a second', { timeout: 60_000 }, async (rate) => {
    const only = ['auth.none', 'auth.totp-only', 'challenge']
    const { report, front } = await probeBehind({}, { rate, only, binding: 'auto', protocol: 'auto' })
    expect(report.ok).toBe(true)
    expect(front.arrivals.length).toBeGreaterThan(rate)
    // The time that a request is under way differs by some milliseconds.
    expect(mostInASecond(front.arrivals)).toBeLessThanOrEqual(rate + 1)
  })
})

describe('answers that take long', () => {
  it('are waited for side by side: a run of four cells takes few rounds', { timeout: 60_000 }, async () => {
    const { report, front } = await probeBehind(
      { gatherMs: 80 },
      { binding: 'auto', protocol: 'auto', timeoutMs: 10_000 },
    )
    expect(findings(report)).toEqual({})
    expect(front.rounds).toBeLessThanOrEqual(25)
    expect(front.most).toBeLessThanOrEqual(4 * 9)
  })
})

describe('the deadline of a run', () => {
  it('ends it, and what was not reached is skipped and named', async () => {
    const spent = ownTime()
    const { report, front } = await probeBehind({ delayMs: 500 }, { deadlineMs: 4000 })
    expect(spent()).toBeLessThan(5000)
    const sent = front.arrivals.length
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(detailOf(report, 'coverage')).toMatch(
      /the deadline of 4 s passed before these were finished: .*auth/,
    )
    expect(report.checks.find(({ id }) => id === 'auth.wrong-code')).toMatchObject({
      status: 'skip',
      detail: 'not reached before the deadline of 4 s',
    })
    await realSleep(600)
    expect(front.arrivals.length).toBe(sent)
  })

  it('cuts a request that is under way, and says that nothing answered', async () => {
    const spent = ownTime()
    const { report } = await probeBehind({ delayMs: 5000 }, { deadlineMs: 300 })
    expect(spent()).toBeLessThan(2000)
    expect(report).toMatchObject({ ok: false, reachable: false })
    expect(JSON.stringify(report.checks)).toContain('no card before the deadline of 0.3 s')
  })

  it('ends a run that would have to wait for longer', async () => {
    const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }
    const { report, said } = await probeBehind(
      {},
      { credentials, deadlineMs: 10_000, binding: 'auto', protocol: 'auto' },
      { once: true },
    )
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(said.some((text) => text.includes('waiting 22 s'))).toBe(true)
  })

  it('is no time to wait past, where right credentials are throttled', async () => {
    const answers: FrontRules['answers'] = (request, response) => {
      if (!carries(alice.token)(request)) return false
      tooMany.json429(response, 30)
      return true
    }
    const { report } = await probeBehind({ answers }, { deadlineMs: 20_000 })
    expect(detailOf(report, 'auth.valid')).toContain('it asks to wait 30 s, which is past the deadline')
  })
})
