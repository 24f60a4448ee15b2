import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import { startDemoAgent, type DemoAgent } from '../../src/demo/index.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import type { Quirks, Seen } from '../support/broken-agent.js'
import { demoRoster } from '../support/demo-roster.js'
import { alice, findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const unknown = {
  ...defaultProfile,
  token: Token.parse('a2at_nobody-0123456789abcdefghijklmnopqrstuv'),
  seed: Seed.fromBytes(Buffer.from('nobody-has-this-seed')),
}

/** Answers 429 from the nth request of a kind on. */
const limited = (most: number, counts: (seen: Seen) => boolean): Quirks => {
  let count = 0
  return {
    answers: (response, _call, seen) => {
      if (!counts(seen) || ++count <= most) return false
      response.writeHead(429, { 'Retry-After': '60' }).end()
      return true
    },
  }
}

const isStranger = ({ authorization }: Seen): boolean =>
  authorization.length > 0 && authorization[0] !== `Bearer ${alice.token}`

const failedValid = ({ checks }: ProbeReport): (string | null)[] =>
  checks.filter(({ id, status }) => id === 'auth.valid' && status === 'fail').map(({ binding }) => binding)

describe('credentials that the agent does not know', () => {
  let demo: DemoAgent | undefined
  afterEach(() => demo?.close())

  it('fail auth.valid at an agent that limits strangers, in the first run and in those that it throttles', async () => {
    const clock = stillClock(new Date())
    demo = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
    const options = { ...probeOptions(demo.cardUrl, clock), credentials: unknown, timeoutMs: 5000 }
    const first = await probe(options)
    expect(first.ok).toBe(false)
    expect(failedValid(first)).toHaveLength(demo.interfaces.length)
    for (let run = 2; run <= 4; run++) {
      const report = await probe(options)
      expect(report.ok).toBe(false)
      expect(failedValid(report).length).toBeGreaterThan(0)
    }
  })

  it.each([0, 1, 5, 10, 19, 20, 21, 25])(
    'fail auth.valid where strangers get 429 after %i calls',
    async (most) => {
      const { report } = await probeAgent(limited(most, isStranger), { credentials: unknown })
      expect(report.ok).toBe(false)
      expect(failedValid(report).length).toBeGreaterThan(0)
    },
  )

  it('are said to be likely unknown where everyone but nobody is throttled', async () => {
    const { report } = await probeAgent(limited(3, isStranger), { credentials: unknown })
    expect(report.checks.at(-1)).toMatchObject({ id: 'auth.valid', binding: null, status: 'fail' })
    expect(report.checks.at(-1)?.detail).toContain('the token is likely unknown')
  })
})

describe('right credentials that are throttled', () => {
  const isRight = ({ authorization, codes }: Seen): boolean =>
    authorization[0] === `Bearer ${alice.token}` &&
    codes.includes(generateCode(alice.seed, defaultProfile, midStep))

  it('are told from unknown ones: an unknown token is refused, not throttled', async () => {
    const { report } = await probeAgent({ budget: 0 })
    const valid = report.checks.find(({ id }) => id === 'auth.valid')
    expect(valid).toMatchObject({ status: 'skip' })
    expect(valid?.detail).toContain(
      'it is live, and its budget of wrong codes is spent; it says to wait 30 s',
    )
    expect(report.ok).toBe(true)
  })

  it.each([1, 2, 4])('after %i successes are a warning: successes count against the limit', async (most) => {
    const { report } = await probeAgent(limited(most, isRight), { skip: ['auth.malformed-code'] })
    expect(findings(report)['auth.valid']).toBe('warn')
    const valid = report.checks.find(({ id, status }) => id === 'auth.valid' && status === 'warn')
    expect(valid?.detail).toContain('the agent counts successes')
  })
})

describe('an agent that cannot check codes yet, as one under once has just started', () => {
  /** Answers 503 to whoever has both factors, until its clock has gone so far. */
  const startsUp = (clock: ReturnType<typeof stillClock>, readyAfterMs: number): Quirks => {
    const readyAt = clock.now().getTime() + readyAfterMs
    return {
      answers: (response, _call, { authorization, codes }) => {
        const left = readyAt - clock.now().getTime()
        if (left <= 0 || codes.length === 0 || authorization[0] !== `Bearer ${alice.token}`) return false
        response.writeHead(503, { 'Retry-After': String(Math.ceil(left / 1000)) }).end()
        return true
      },
    }
  }

  it('is waited for, once and as long as it says', async () => {
    const clock = stillClock(midStep)
    const { report, said } = await probeAgent(startsUp(clock, 50_000), { only: ['auth.valid'] }, clock)
    expect([report.ok, findings(report)]).toEqual([true, {}])
    expect(said).toEqual(['the agent cannot check codes yet: waiting 50 s, as it says'])
  })

  it.each([91, 3600])('is not waited for when it says %i s', async (seconds) => {
    const clock = stillClock(midStep)
    const { report, said } = await probeAgent(
      startsUp(clock, seconds * 1000),
      { only: ['auth.valid'] },
      clock,
    )
    expect([report.ok, said]).toEqual([false, []])
    expect(clock.now()).toEqual(midStep)
  })
})
