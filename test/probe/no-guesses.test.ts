import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, withStanding, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent, type Quirks, type TestAgent } from '../support/broken-agent.js'
import { alice, bob, findings, midStep, probeOptions, stillClock } from '../support/probing.js'

const reason = 'guessed at 10:42 UTC; guesses are sent at most once an hour'

/** Probes an agent twice, first with wrong codes and then without, with other quirks each time. */
async function twice(
  first: Quirks,
  second: Quirks,
  options: { strict?: boolean; only?: string[] } = {},
): Promise<{ guessed: ProbeReport; spare: ProbeReport; standing: ProbeReport; agent: TestAgent }> {
  const clock = stillClock(midStep)
  let quirks = first
  const current: Quirks = {
    waves: (...call) => quirks.waves?.(...call) ?? false,
    refuse: (...refusal) => quirks.refuse?.(...refusal) ?? false,
    answers: (...call) => quirks.answers?.(...call) ?? false,
    card: (card, origin) => quirks.card?.(card, origin) ?? card,
  }
  const agent = await startTestAgent({
    ...{ peers: [alice, bob], profile: defaultProfile, now: clock.now, grpc: true },
    quirks: current,
  })
  try {
    const given = { ...probeOptions(agent.url, clock), ...options }
    const guessed = await probe(given)
    quirks = second
    const before = agent.guesses.size
    const spare = await probe({ ...given, noGuesses: reason })
    expect(agent.guesses.size).toBe(before)
    return { guessed, spare, standing: withStanding(spare, guessed, reason), agent }
  } finally {
    await agent.close()
  }
}

/** Lets in any six digits beside the live token. */
const anyCode: Quirks = {
  waves: (_, { codes, authorization }) =>
    codes.some((code) => /^\d{6}$/.test(code)) &&
    authorization.includes(`Bearer ${alice.token}`) &&
    codes.length === 1,
}
const ofJsonRpc = (quirks: Quirks): Quirks => ({
  waves: (call, seen) => call.binding === 'jsonrpc' && (quirks.waves?.(call, seen) ?? false),
})

describe('a run without guesses', () => {
  it('sends no wrong code, says why, and is no gap of coverage', async () => {
    const { guessed, spare, standing } = await twice({}, {}, { strict: true })
    expect(guessed).toMatchObject({ ok: true, guessesSpent: 4 })
    expect(spare).toMatchObject({ ok: true, guessesSpent: 0, summary: { failed: 0, warned: 0 } })
    for (const id of ['auth.wrong-code', 'auth.expired-code', 'auth.future-code', 'auth.cross-peer']) {
      const details = spare.checks
        .filter((check) => check.id === id)
        .map(({ status, detail }) => ({ status, detail }))
      expect(details).toHaveLength(6)
      expect(new Set(details.map((one) => JSON.stringify(one)))).toEqual(
        new Set([JSON.stringify({ status: 'skip', detail: reason })]),
      )
    }
    expect(standing).toEqual(spare)
  })

  it('still finds what needs no guess', async () => {
    const { standing } = await twice({}, { waves: () => true })
    expect(standing.ok).toBe(false)
    expect(findings(standing)).toMatchObject({ 'auth.none': 'fail' })
  })

  it('keeps what wrong codes showed, until they are sent again', async () => {
    const { guessed, spare, standing } = await twice(anyCode, anyCode)
    expect(findings(guessed)).toMatchObject({ 'auth.wrong-code': 'fail' })
    expect(findings(spare)).not.toHaveProperty('auth.wrong-code')
    expect(standing.ok).toBe(false)
    expect(findings(standing)).toEqual(findings(guessed))
    const wrong = standing.checks.find(({ id }) => id === 'auth.wrong-code')
    expect(wrong?.detail).toContain(reason)
    const { passed, failed, warned, skipped } = standing.summary
    expect(passed + failed + warned + skipped).toBe(standing.checks.length)
  })

  it('keeps it for its own cell alone', async () => {
    const { standing } = await twice(ofJsonRpc(anyCode), {})
    const failed = standing.checks.filter(({ id, status }) => id === 'auth.wrong-code' && status === 'fail')
    expect(new Set(failed.map(({ binding }) => binding))).toEqual(new Set(['jsonrpc']))
  })

  it('keeps it for its own tenant alone, where two share a URL', async () => {
    const tenants: Quirks = {
      card: (card, origin) => ({
        ...card,
        ...{ url: undefined, preferredTransport: undefined, additionalInterfaces: undefined },
        supportedInterfaces: ['a', 'b'].map((tenant) => ({
          ...{ url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant },
        })),
      }),
    }
    const { guessed, spare } = await twice(tenants, tenants)
    const last: ProbeReport = {
      ...guessed,
      checks: guessed.checks.map((check) =>
        check.id === 'auth.wrong-code' && check.tenant === 'b' ? { ...check, status: 'fail' } : check,
      ),
    }
    const standing = withStanding(spare, last, reason)
    const wrong = standing.checks.filter(({ id }) => id === 'auth.wrong-code')
    expect(wrong.map(({ tenant, status }) => [tenant, status])).toEqual([
      ['a', 'skip'],
      ['b', 'fail'],
    ])
    expect(findings(standing)).toEqual({ 'auth.wrong-code': 'fail' })
  })

  it('forgets at once what other requests showed', async () => {
    const { guessed, standing } = await twice(
      { waves: (_, { authorization }) => authorization.length === 0 },
      {},
    )
    expect(guessed.ok).toBe(false)
    const unrelated = Object.keys(findings(standing)).filter((id) =>
      /^(auth.none|auth.totp-only|reach|tls|card)/.test(id),
    )
    expect(unrelated).toEqual([])
  })

  it('is not ok where an interface was never tried with wrong codes', async () => {
    const { guessed, spare } = await twice({}, {})
    const early: ProbeReport = {
      ...guessed,
      checks: guessed.checks.filter(({ binding }) => binding !== 'grpc'),
    }
    for (const last of [undefined, early]) {
      const standing = withStanding(spare, last, reason)
      expect(standing.ok).toBe(false)
      const coverage = standing.checks.find(({ id }) => id === 'coverage')
      expect(coverage).toMatchObject({ status: 'fail' })
      expect(coverage?.detail).toContain('auth.wrong-code in gRPC 1.0')
      expect(coverage?.detail.includes('REST')).toBe(last === undefined)
    }
  })

  it('says so of a narrowed run too, which does not report coverage', async () => {
    const { spare } = await twice({}, {}, { only: ['auth.wrong-code'] })
    const standing = withStanding(spare, undefined, reason)
    expect(standing).toMatchObject({ ok: false, summary: { failed: 1 } })
    expect(standing.checks.at(-1)).toMatchObject({ id: 'coverage', status: 'fail' })
  })
})
