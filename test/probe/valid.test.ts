import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { generateCode } from '../../src/core/totp.js'
import type { ProbeOptions, ProbeReport } from '../../src/probe/index.js'
import { httpAnswer } from '../../src/server/scheme/refusal.js'
import { refuse, sendJson, type Quirks } from '../support/broken-agent.js'
import { alice, bob, findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const explanation = ({ checks }: ProbeReport): string | undefined =>
  checks.find(({ id, status }) => id === 'auth.valid' && status !== 'pass')?.detail

const answersTo = (answer: NonNullable<Quirks['answers']>): Quirks => ({
  answers: (response, call, seen) => seen.codes.length > 0 && answer(response, call, seen),
})

describe('right credentials that are not let in are explained by', () => {
  it.each<[string, Quirks, string]>([
    ["the agent's clock", { clockOffsetMs: -240_000 }, 's behind: no current code can match'],
    [
      'the header that the challenge names',
      { header: 'X-OTP' },
      'asks for the code in X-OTP, but it was sent in X-TOTP',
    ],
    [
      'the header that the card names',
      {
        header: 'X-OTP',
        refuse: (response) => {
          response.writeHead(401).end()
          return true
        },
        card: (card) => JSON.parse(JSON.stringify(card).replaceAll('X-TOTP', 'X-OTP')) as unknown,
      },
      'asks for the code in X-OTP',
    ],
    [
      'a code that counts as used',
      {
        drifts: [],
        refuse: (response, reason) => {
          refuse(response, reason === 'wrong' ? 'used' : reason)
          return true
        },
      },
      "the agent's policy is once",
    ],
    [
      'a state store that is down',
      answersTo((response) => {
        response.setHeader('Retry-After', '5')
        sendJson(response, 503, {})
        return true
      }),
      'wait 5 s',
    ],
    [
      'a crash',
      answersTo((response) => {
        sendJson(response, 500, {})
        return true
      }),
      'see its log for the reason',
    ],
    [
      'an answer that everyone gets',
      {
        answers: (response) => {
          sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'internal' } })
          return true
        },
      },
      'the same answer as no credentials',
    ],
  ])('%s', async (_, quirks, words) => {
    const { report } = await probeAgent(quirks)
    expect(explanation(report)).toContain(words)
    expect(report.ok).toBe(false)
  })

  it('what is left, where the agent tells nothing: token, seed, settings or a proxy', async () => {
    const credentials = { ...defaultProfile, seed: bob.seed, token: Token.parse(alice.token) }
    const { report } = await probeAgent({}, { credentials })
    expect(explanation(report)).toContain(
      'another token or seed for this peer, or other code settings than SHA1, 6 digits',
    )
  })
})

describe('what was mixed up is found out where that spends no guess:', () => {
  const own = { ...defaultProfile, seed: alice.seed, token: Token.parse(alice.token) }

  it.each<[string, Partial<ProbeOptions>, Quirks, string]>([
    ['the digits', { credentials: { ...own, digits: 8 } }, {}, 'codes of 6 digits, not 8'],
    ['the header', {}, { header: 'X-OTP' }, 'in X-OTP it was let in'],
  ])('%s', async (_, options, quirks, words) => {
    const { report, agent } = await probeAgent(quirks, options)
    expect(explanation(report)).toContain(words)
    expect(report.guessesSpent).toBe(0)
    expect(agent.guesses.size).toBe(0)
    expect(report.ok).toBe(false)
  })

  it.each<[string, Partial<ProbeOptions>]>([
    ['another algorithm', { credentials: { ...own, algorithm: 'SHA512' } }],
    ['another period', { credentials: { ...own, period: 60 } }],
    [
      'the seed of another peer',
      { credentials: { ...own, seed: bob.seed }, otherPeer: { ...defaultProfile, seed: alice.seed } },
    ],
  ])('%s is not tried: its codes would be wrong ones beside a live token', async (_, options) => {
    const { report, agent } = await probeAgent({}, options)
    expect(explanation(report)).toContain('(tried without success: 7 digits, 8 digits)')
    // The right code as far as the probe knows, in each cell the same.
    expect(agent.guesses.size).toBe(1)
    expect(report.guessesSpent).toBe(1)
    expect(report.ok).toBe(false)
  })

  it.each(['reuse', 'once'] as const)(
    'no more than two right codes are refused, under policy %s',
    async (replay) => {
      // The last moment of a step, so that the run reaches into the next ones.
      const clock = stillClock(new Date(midStep.getTime() + 19_900))
      const credentials = { ...own, seed: bob.seed, replay }
      const { report, agent } = await probeAgent({}, { credentials }, clock)
      expect(explanation(report)).toContain('tried without success')
      expect(agent.guesses.size).toBeLessThanOrEqual(2)
      expect(report.guessesSpent).toBe(agent.guesses.size)
    },
  )

  it('nothing is tried where one cell lets them in: it is about the other then', async () => {
    const { report } = await probeAgent({
      answers: (response, { binding }) => {
        if (binding !== 'rest') return false
        refuse(response, 'unknown token')
        return true
      },
    })
    expect(explanation(report)).toContain('let in by JSON-RPC 1.0: this guard has other settings')
    expect(report.guessesSpent).toBe(4)
  })

  it('a proxy that strips the header, where the agent says that the code is missing', async () => {
    const { report } = await probeAgent({
      header: 'X-Stripped',
      refuse: (response, reason) => {
        const message = reason === 'no code' ? 'TOTP code missing' : 'refused'
        sendJson(response, 401, { error: { code: 401, message } })
        return true
      },
    })
    expect(explanation(report)).toContain('something in front strips the header')
  })

  it('but not where one answer for all refusals names both factors, as that of this server does', async () => {
    const { report } = await probeAgent({
      peersOf: () => [],
      refuse: (response) => {
        const { status, body } = httpAnswer({ kind: 'unauthenticated', reason: 'code-wrong', challenges: [] })
        sendJson(response, status, JSON.parse(body) as unknown)
        return true
      },
    })
    expect(explanation(report)).toContain('the agent knows another token or seed for this peer')
    expect(explanation(report)).toContain('or the peer has to sign: then set $A2A_TOTP_AGENT and')
  })

  it.each([
    [{ signed: 'require' }, "the agent requires a proof, and the probe does not know the agent's name"],
    [{ signed: 'require', agent: 'another' }, 'or the agent has another name than "another"'],
    [{ signed: 'off' }, undefined],
  ] as const)('a proof that is missing or bound to another agent: %j', async (known, words) => {
    const { credentials } = probeOptions('http://127.0.0.1', stillClock(midStep))
    const { report } = await probeAgent({ peersOf: () => [] }, { credentials: { ...credentials, ...known } })
    if (words === undefined) expect(explanation(report)).not.toMatch(/sign|proof/)
    else expect(explanation(report)).toContain(words)
  })
})

describe("right credentials that get an answer of the agent's own", () => {
  it('count as let in with a warning, and what follows is still held to the refusals', async () => {
    const { report } = await probeAgent(
      answersTo((response, call, { authorization, codes, successes, connection }) => {
        const sent = [...authorization, ...codes].join('\n')
        const right = `Bearer ${alice.token}\n${generateCode(alice.seed, defaultProfile, midStep)}`
        if (sent !== right && !successes.connections.has(connection)) return false
        successes.connections.add(connection)
        sendJson(response, 400, { error: { code: -32099, message: `no luck with ${call.taskId}` } })
        return true
      }),
      { only: ['auth.valid', 'auth.after-valid', 'auth.wrong-code'] },
    )
    expect(findings(report)).toEqual({ 'auth.valid': 'warn', 'auth.after-valid': 'fail' })
  })
})
