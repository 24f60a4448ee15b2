import { describe, expect, it } from 'vitest'
import type { ServerResponse } from 'node:http'
import type { Call } from '../support/agent-protocol.js'
import { single, type Quirks, type Seen } from '../support/broken-agent.js'
import {
  alice,
  findings,
  findingsByCell,
  midStep,
  probeAgent,
  stillClock,
  skippedIn,
} from '../support/probing.js'

const later = (response: ServerResponse, seconds: number): true => {
  response.writeHead(429, { 'Retry-After': String(seconds) }).end()
  return true
}

/** Throttles the live token from the moment that it was let in so many times, until the clock has gone on. */
function throttlesAfter(successes: number, clock: ReturnType<typeof stillClock>, seconds: number): Quirks {
  let admitted = 0
  let until = 0
  return {
    admitted: () => {
      if (++admitted === successes) until = clock.now().getTime() + seconds * 1000
    },
    answers: (response, _call, { authorization }) =>
      authorization[0] === `Bearer ${alice.token}` &&
      clock.now().getTime() < until &&
      later(response, Math.ceil((until - clock.now().getTime()) / 1000)),
  }
}

const oneCell = { binding: 'rest', protocol: '1.0' } as const

describe('throttling that begins after the valid call', () => {
  it('is waited for once at the end, and all that was throttled is asked again', async () => {
    const clock = stillClock(midStep)
    const { report, agent, said } = await probeAgent(throttlesAfter(4, clock, 20), oneCell, clock)
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
    expect(skippedIn(report)).toEqual(['card.signature'])
    expect(agent.guesses.size).toBe(4)
    expect(said).toEqual(['the agent throttles: waiting 20 s, once'])
  })

  it('for longer than the run waits is named, and nothing of it is a guess', async () => {
    const clock = stillClock(midStep)
    const { report, agent } = await probeAgent(throttlesAfter(2, clock, 3600), oneCell, clock)
    expect(findings(report)).toMatchObject({ coverage: 'fail' })
    const { detail } = report.checks.find(({ id }) => id === 'coverage') ?? {}
    for (const check of ['auth.wrong-code', 'auth.expired-code']) {
      expect(detail).toContain(`every answer for ${check} was throttled`)
      expect(report.checks.find(({ id }) => id === check)?.status).toBe('skip')
    }
    expect(agent.guesses.size).toBe(0)
  })

  it('of what is refused after a success alone is a gap', async () => {
    let admitted = 0
    const { report } = await probeAgent(
      {
        admitted: () => (admitted += 1),
        answers: (response, _call, { authorization, codes }) => {
          const hasBoth = authorization[0] === `Bearer ${alice.token}` && /^\d{6}$/.test(codes[0] ?? '')
          return admitted > 0 && !hasBoth && later(response, 61)
        },
      },
      { ...oneCell, only: ['auth.after-valid', 'coverage'] },
    )
    expect(report.ok).toBe(false)
    expect(report.checks.find(({ id }) => id === 'coverage')?.detail).toContain(
      'REST 1.0: every answer for auth.after-valid was throttled',
    )
  })

  it('of repeated codes alone is a gap under policy once', async () => {
    const clock = stillClock(midStep)
    const used = new Set<string>()
    const { report } = await probeAgent(
      {
        once: true,
        admitted: (_call, { codes }) => void codes.map((code) => used.add(code)),
        answers: (response, _call, { codes: [code = ''] }) => used.has(code) && later(response, 61),
      },
      { ...oneCell, only: ['replay', 'coverage'] },
      clock,
    )
    expect(report.ok).toBe(false)
    expect(report.checks.find(({ id }) => id === 'coverage')?.detail).toContain(
      'every answer for replay was throttled',
    )
  })
})

describe('one request of a check that is throttled, while others of it are refused,', () => {
  const isOurs = ({ authorization }: Seen): boolean => authorization[0] === `Bearer ${alice.token}`

  /** Throttles some calls until the clock has gone on. */
  const throttles = (
    clock: ReturnType<typeof stillClock>,
    seconds: number,
    some: (call: Call, seen: Seen) => boolean,
  ): Quirks => ({
    answers: (response, call, seen) => {
      const left = seconds - (clock.now().getTime() - midStep.getTime()) / 1000
      return left > 0 && some(call, seen) && later(response, left)
    },
  })

  it('is asked again where the token was locked as the run began', async () => {
    const clock = stillClock(midStep)
    const quirks = {
      ...throttles(clock, 20, (_call, seen) => isOurs(seen)),
      waves: ({ operation }: Call, seen: Seen) =>
        operation === 'subscribe' && isOurs(seen) && seen.codes.length === 0,
    }
    const { report } = await probeAgent(quirks, { binding: 'jsonrpc', protocol: '1.0' }, clock)
    expect(findings(report)).toHaveProperty('auth.stream', 'fail')
  })

  it('is asked again where a stream alone was throttled', async () => {
    const clock = stillClock(midStep)
    const isStream = ({ operation }: Call, seen: Seen): boolean =>
      operation === 'subscribe' && isOurs(seen) && seen.codes.length === 0
    const quirks = { ...throttles(clock, 20, isStream), waves: isStream }
    const { report } = await probeAgent(quirks, { binding: 'jsonrpc', protocol: '1.0' }, clock)
    expect(findings(report)).toHaveProperty('auth.stream', 'fail')
  })

  const superscript = (_call: Call, { codes: [code = ''] }: Seen): boolean => /[¹²³]/.test(code)

  it('is asked again after the valid calls', async () => {
    const clock = stillClock(midStep)
    const quirks: Quirks = {
      ...throttles(clock, 20, superscript),
      pickCode: (lines) => single(lines)?.normalize('NFKC'),
    }
    const { report } = await probeAgent(quirks, oneCell, clock)
    expect(findings(report)).toEqual({ 'auth.malformed-code': 'fail' })
  })

  it('is asked again after a success, which lets it in', async () => {
    const clock = stillClock(midStep)
    let isFirst = true
    const repeats = (_call: Call, seen: Seen): boolean => isOurs(seen) && seen.codes.length === 0 && !isFirst
    const quirks: Quirks = {
      ...throttles(clock, 20, repeats),
      waves: (call, seen) => repeats(call, seen) && call.operation === 'get',
      admitted: () => (isFirst = false),
    }
    const { report } = await probeAgent(quirks, oneCell, clock)
    expect(findings(report)).toEqual({ 'auth.after-valid': 'fail' })
  })

  it('is named where it is throttled for longer than a run waits', async () => {
    const clock = stillClock(midStep)
    const { report } = await probeAgent(throttles(clock, 3600, superscript), oneCell, clock)
    expect(report.checks.find(({ id }) => id === 'auth.malformed-code')).toMatchObject({
      status: 'pass',
      detail: expect.stringMatching(/^throttled each time, .*: a code with superscript digits$/) as string,
    })
  })
})

describe('cells that are throttled differently', () => {
  it('are waited for together, for the longest', async () => {
    const clock = stillClock(midStep)
    const { report, said } = await probeAgent(
      {
        answers: (response, { binding, version }, { authorization }) => {
          const seconds = (binding === 'rest' ? 30 : 5) + (version === '1.0' ? 0 : 10)
          const left = seconds - (clock.now().getTime() - midStep.getTime()) / 1000
          return authorization[0] === `Bearer ${alice.token}` && left > 0 && later(response, left)
        },
      },
      {},
      clock,
    )
    expect(findings(report)).toEqual({})
    expect(report).toMatchObject({ ok: true, guessesSpent: 4 })
    expect(said).toEqual(['the agent throttles: waiting 40 s, once'])
  })

  it('of which one asks for too long fail there alone, and the others are shown', async () => {
    const { report } = await probeAgent({
      answers: (response, { binding }, { authorization }) =>
        binding === 'rest' && authorization[0] === `Bearer ${alice.token}` && later(response, 90),
    })
    const cells = findingsByCell(report)
    expect(cells['jsonrpc 1.0']).toEqual({})
    expect(cells['jsonrpc 0.3']).toEqual({})
    expect(cells['rest 1.0']).toMatchObject({ 'auth.valid': 'fail' })
    expect(report.ok).toBe(false)
  })

  it.each([undefined, 3, 90])(
    'fail over gRPC too, with Retry-After %s, and without a guess',
    async (seconds) => {
      const { report, agent } = await probeAgent(
        {
          answers: (response, _call, { authorization }) => {
            if (authorization[0] !== `Bearer ${alice.token}`) return false
            response.writeHead(429, seconds === undefined ? {} : { 'Retry-After': String(seconds) }).end()
            return true
          },
        },
        { grpc: true, binding: 'grpc' },
      )
      expect(report).toMatchObject({ ok: false, guessesSpent: 0 })
      const valid = report.checks.filter(({ id }) => id === 'auth.valid')
      expect(valid.map(({ binding, status }) => `${binding ?? ''} ${status}`)).toEqual([
        'grpc fail',
        'grpc fail',
      ])
      expect(agent.guesses.size).toBe(0)
    },
  )
})
