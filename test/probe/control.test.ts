import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ProbeOptions, ProbeReport } from '../../src/probe/index.js'
import { refuse, sendJson, type Quirks, type Seen } from '../support/broken-agent.js'
import { alice, findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const oneCell = { binding: 'jsonrpc', protocol: '1.0' } as const
const once = {
  credentials: { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const },
}

/** The token of alice and any six digits. */
const anyCode = ({ authorization, codes }: Seen): boolean =>
  authorization.length === 1 &&
  authorization[0]?.toLowerCase() === `bearer ${alice.token}`.toLowerCase() &&
  codes.length === 1 &&
  /^\d{6}$/.test(codes[0] ?? '')

/** Looks at no code but for its form, and refuses everyone once so many were refused. */
function banning(after: number, ban: (response: ServerResponse) => void): Quirks {
  let refused = 0
  return {
    waves: (_, seen) => anyCode(seen),
    answers: (response, _, seen) => {
      if (refused >= after) {
        ban(response)
        return true
      }
      if (!anyCode(seen)) refused += 1
      return false
    },
  }
}

const unauthorized = (response: ServerResponse): void => refuse(response, 'wrong')

/** Refuses everyone as soon as there was a wrong code. */
function lockedByGuess(): Quirks {
  let isLocked = false
  return {
    refuse: (_, reason) => {
      isLocked ||= reason === 'wrong'
      return false
    },
    answers: (response) => {
      if (isLocked) unauthorized(response)
      return isLocked
    },
  }
}

const bans: [string, (response: ServerResponse) => void][] = [
  ['the refusal that all get', unauthorized],
  [
    'a page',
    (response) => response.writeHead(403, { 'Content-Type': 'text/html' }).end('<h1>Forbidden</h1>'),
  ],
  [
    'words of its own',
    (response) => sendJson(response, 423, { error: { code: 423, status: 'LOCKED', message: 'locked' } }),
  ],
]

const verdictOf = ({ checks }: ProbeReport, id: string): ProbeReport['checks'][number] | undefined =>
  checks.find((check) => check.id === id)

describe('refusals after which right credentials are refused too show nothing', () => {
  it.each(bans)('where who was refused often is banned with %s', async (_, ban) => {
    const { report } = await probeAgent(banning(30, ban), oneCell)
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(verdictOf(report, 'coverage')?.detail).toMatch(
      /right credentials were let in and then refused \(HTTP 4/,
    )
    for (const id of ['auth.wrong-code', 'auth.doors', 'auth.after-valid'])
      expect(verdictOf(report, id)).toMatchObject({ id, status: 'skip' })
    // Nothing would be shown by them.
    expect(report.guessesSpent).toBe(0)
  })

  it('where a token is locked at once: other spellings are no finding', async () => {
    let calls = 0
    const quirks: Quirks = {
      admitted: () => void (calls += 1),
      answers: (response) => {
        // The valid call, and the same again.
        if (calls >= 2) unauthorized(response)
        return calls >= 2
      },
    }
    const { report } = await probeAgent(quirks, oneCell)
    expect(findings(report)).toEqual({ coverage: 'fail' })
  })

  it('where the first wrong code locks: what came before it still counts', async () => {
    const { report } = await probeAgent(lockedByGuess(), oneCell)
    expect(findings(report)).toEqual({ coverage: 'fail' })
    expect(verdictOf(report, 'auth.wrong-code')?.status).toBe('skip')
    expect(verdictOf(report, 'auth.malformed-code')?.status).toBe('pass')
    expect(verdictOf(report, 'auth.doors')?.status).toBe('pass')
  })

  it('in all cells where each call takes a time step: one call is made for them', async () => {
    const { report } = await probeAgent({ ...lockedByGuess(), once: true }, once)
    expect(findings(report)).toEqual({ coverage: 'fail' })
    const skipped = report.checks.filter(({ id, status }) => id === 'auth.wrong-code' && status === 'skip')
    expect(skipped).toHaveLength(4)
  })
})

describe('an agent that refuses nobody else', () => {
  it('may accept each code once without saying so', async () => {
    const quirks: Quirks = {
      once: true,
      refuse: (response, reason) => {
        refuse(response, reason === 'used' ? 'wrong' : reason)
        return true
      },
    }
    const only = ['auth.wrong-code'] satisfies ProbeOptions['only']
    const { report } = await probeAgent(quirks, { ...oneCell, only })
    expect(findings(report)).toEqual({})
    expect(verdictOf(report, 'auth.wrong-code')?.status).toBe('pass')
  })

  it('is called once more in all where each call takes a time step', async () => {
    const codes: string[] = []
    const admitted: Quirks['admitted'] = (_, seen) => void codes.push(...seen.codes)
    const { report } = await probeAgent({ once: true, admitted }, once)
    expect(findings(report)).toEqual({})
    // A call in each of the four cells, and the last.
    expect(codes).toHaveLength(5)
  })
})
