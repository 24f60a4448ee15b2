import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import { startDemoAgent, type DemoAgent } from '../../src/demo/index.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import type { Quirks, Seen } from '../support/broken-agent.js'
import { demoRoster } from '../support/demo-roster.js'
import {
  alice,
  findings,
  midStep,
  probeAgent,
  probeOptions,
  stillClock,
  skippedIn,
} from '../support/probing.js'

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

/** Codes of alice's that are right at some time of a run. */
const rightCodes = Array.from({ length: 7 }, (_, index) =>
  generateCode(alice.seed, defaultProfile, new Date(midStep.getTime() + (index - 2) * 30_000)),
)

/** The codes in the header lines of one request. */
const codesIn = (fields: readonly string[]): string[] =>
  fields.filter(
    (_, index) =>
      index % 2 === 1 && /^\d{6}$/.test(fields[index] ?? '') && /^x-totp$/i.test(fields[index - 1] ?? ''),
  )

const failedValid = ({ checks }: ProbeReport): (string | null)[] =>
  checks.filter(({ id, status }) => id === 'auth.valid' && status === 'fail').map(({ binding }) => binding)

describe('credentials that the agent does not know', () => {
  let demo: DemoAgent | undefined
  afterEach(() => demo?.close())

  it('fail auth.valid at an agent that limits strangers, in the first run and in those that it throttles', async () => {
    const clock = stillClock(new Date())
    demo = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
    const options = { ...probeOptions(demo.cardUrl, clock), credentials: unknown, timeoutMs: 20_000 }
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

  it('are said to be perhaps unknown where everyone but nobody is throttled', async () => {
    const { report } = await probeAgent(limited(3, isStranger), { credentials: unknown })
    const valid = report.checks.find(({ id, status }) => id === 'auth.valid' && status === 'fail')
    expect(valid?.detail).toContain('the token may be unknown to the agent')
  })
})

describe('right credentials that are throttled', () => {
  const isRight = ({ authorization, codes }: Seen): boolean =>
    authorization[0] === `Bearer ${alice.token}` && codes.some((code) => rightCodes.includes(code))
  const isLive = ({ authorization }: Seen): boolean => authorization[0] === `Bearer ${alice.token}`

  /** No code is checked at all: strangers get 401, and the live token what a limiter in front answers. */
  const hidden = (status: number, fields: Record<string, string> = {}): Quirks => ({
    peersOf: () => [],
    answers: (response, _call, seen) => {
      if (!isLive(seen)) return false
      response.writeHead(status, fields).end('slow down')
      return true
    },
  })

  /** Answers 429 with the live token until the clock has gone on by so much. */
  const limitedUntil = (
    clock: ReturnType<typeof stillClock>,
    afterMs: number,
    retryAfter: string,
  ): Quirks => {
    const until = clock.now().getTime() + afterMs
    return {
      answers: (response, _call, seen) => {
        if (!isLive(seen) || clock.now().getTime() >= until) return false
        response.writeHead(429, { 'Retry-After': retryAfter }).end()
        return true
      },
    }
  }

  /** Seconds that a run waited. */
  const waited = (clock: ReturnType<typeof stillClock>): number =>
    (clock.now().getTime() - midStep.getTime()) / 1000

  it.each<[number, Record<string, string>, number]>([
    [429, {}, 1],
    [429, { 'Retry-After': '0' }, 0],
    [429, { 'Retry-After': '7' }, 7],
    [429, { 'Retry-After': '60' }, 60],
    [429, { 'Retry-After': '61' }, 0],
    [429, { 'Retry-After': 'soon' }, 1],
    [429, { 'Retry-After': '-5' }, 1],
    [429, { 'Retry-After': new Date(midStep.getTime() + 20_000).toUTCString() }, 20],
    [429, { 'Retry-After': 'Tue Jan  1 00:00:40 2030' }, 30],
    [429, { 'Retry-After': 'Tue, 01 Jan 2030 01:00:00 GMT' }, 0],
    [503, {}, 1],
    [503, { 'Retry-After': '9' }, 9],
    [503, { 'Retry-After': '3600' }, 0],
  ])('by %i with %j fail, after one wait of %i s and without a guess', async (status, fields, seconds) => {
    for (const options of [{}, { strict: true }, { throttle: true, windowScan: true }]) {
      const clock = stillClock(midStep)
      const { report, agent, said } = await probeAgent(hidden(status, fields), options, clock)
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      expect(failedValid(report)).toHaveLength(4)
      expect(report.checks.find(({ id }) => id === 'coverage')?.status).toBe('fail')
      expect(waited(clock)).toBe(seconds)
      expect(said.filter((text) => text.includes('waiting'))).toHaveLength(
        seconds > 0 || fields['Retry-After'] === '0' ? 1 : 0,
      )
      const codes = new Set(agent.requests.flatMap(({ fields: [...all] }) => codesIn(all)))
      for (const code of codes) expect(rightCodes).toContain(code)
    }
  })

  it.each(['5', '60'])(
    'fail at an agent whose budget of wrong codes stays spent for more than %s s',
    async (retryAfter) => {
      const clock = stillClock(midStep)
      const { report, agent } = await probeAgent(limitedUntil(clock, 3_600_000, retryAfter), {}, clock)
      expect([report.ok, report.guessesSpent, agent.guesses.size]).toEqual([false, 0, 0])
      expect(failedValid(report)).toHaveLength(4)
      expect(waited(clock)).toBe(Number(retryAfter))
      const detail = report.checks.find(({ id, status }) => id === 'auth.valid' && status === 'fail')?.detail
      expect(detail).toContain('it still was after one wait')
    },
  )

  it('fail without a wait where that would be longer than 60 s', async () => {
    const clock = stillClock(midStep)
    const { report } = await probeAgent(limitedUntil(clock, 90_000, '90'), {}, clock)
    expect(failedValid(report)).toHaveLength(4)
    const detail = report.checks.find(({ id, status }) => id === 'auth.valid' && status === 'fail')?.detail
    expect(detail).toContain('it asks to wait 90 s, and a run waits at most 60 s')
  })

  it('pass once they are let in after the wait, and what was throttled before is asked again', async () => {
    const clock = stillClock(midStep)
    const { report, said } = await probeAgent(limitedUntil(clock, 20_000, '20'), {}, clock)
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
    expect(skippedIn(report)).toEqual(['card.signature'])
    expect(said).toEqual(['the agent throttles: waiting 20 s, once'])
  })

  it('show nothing of a refusal for which nothing but throttling came', async () => {
    const nothing = (call: { operation?: string }): boolean => call.operation === 'subscribe'
    const { report } = await probeAgent({
      answers: (response, call) => {
        if (!nothing(call)) return false
        response.writeHead(429, { 'Retry-After': '1' }).end()
        return true
      },
    })
    const streams = report.checks.filter(({ id }) => id === 'auth.stream')
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set(['skip']))
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(report.checks.find(({ id }) => id === 'coverage')?.detail).toContain(
      'JSON-RPC 1.0: every answer for auth.stream was throttled',
    )
  })

  it.each([1, 2, 3])('after %i successes fail: successes count against the limit', async (most) => {
    const { report } = await probeAgent(limited(most, isRight), { skip: ['auth.malformed-code'] })
    const cells = report.checks.filter(({ id }) => id === 'auth.valid')
    expect(
      cells.filter(({ detail }) => detail.includes('the agent counts successes')).length,
    ).toBeGreaterThan(0)
    expect(report.ok).toBe(false)
  })

  it('where only unusual spellings are, are a warning', async () => {
    const isSmall = ({ authorization }: Seen): boolean => authorization[0]?.startsWith('bearer ') === true
    const { report } = await probeAgent(limited(0, isSmall))
    expect(findings(report)).toEqual({ 'auth.valid': 'warn' })
  })
})

interface Probing {
  readonly report: ProbeReport
  readonly said: readonly string[]
}

describe('our own agent, once a peer has spent its budget of wrong codes', () => {
  const credentials = { ...defaultProfile, token: Token.parse(alice.token), seed: alice.seed }

  /** Probes it after that many wrong codes, and as many seconds before each. */
  async function probedAfter(guesses: number, secondsApart: number): Promise<Probing & { waitedMs: number }> {
    const clock = stillClock(new Date())
    const demo = await startDemoAgent({ roster: demoRoster(clock.now()), port: 0, now: clock.now })
    try {
      for (let code = 100_000; code < 100_000 + guesses; code++) {
        await clock.sleep(secondsApart * 1000)
        const headers = { Authorization: `Bearer ${alice.token}`, 'X-TOTP': String(code) }
        await fetch(new URL('/a2a/jsonrpc', demo.cardUrl), { method: 'POST', headers })
      }
      const before = clock.now().getTime()
      const said: string[] = []
      const announce = (text: string): void => void said.push(text)
      const report = await probe({ ...probeOptions(demo.cardUrl, clock), credentials, announce })
      return { report, said, waitedMs: clock.now().getTime() - before }
    } finally {
      await demo.close()
    }
  }

  it('is waited for once, and then shown as any other', async () => {
    const { report, said } = await probedAfter(7, 0)
    expect(said[0]).toBe('the agent throttles: waiting 30 s, once')
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
  })

  it('fails at once where it stays so for the rest of the hour', async () => {
    const { report, said, waitedMs } = await probedAfter(21, 31)
    expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
    expect(failedValid(report)).toHaveLength(6)
    expect([said, waitedMs]).toEqual([[], 0])
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
    expect(said).toEqual(['the agent cannot check codes yet: waiting 50 s, once'])
  })

  it.each([61, 3600])('is not waited for when it says %i s', async (seconds) => {
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
