import { describe, expect, it } from 'vitest'
import { sidecarLog, type LogFormat, type LogLevel } from '../../../src/sidecar/observe/log.js'
import { ownReasons, type SidecarCall } from '../../../src/sidecar/sidecar.js'
import type { Event } from '../../../src/sidecar/observe/sentences.js'

const at = new Date('2026-11-30T12:00:00.123Z')

const call: SidecarCall = {
  role: 'gate',
  outcome: { caller: { peer: 'alice' } },
  method: 'POST',
  path: '/a2a',
  status: '200',
  durationMs: 12,
  proof: 'valid',
  source: '192.0.2.7',
}

function logged(what: (SidecarCall | Event)[], format: LogFormat, level?: LogLevel): string[] {
  const lines: string[] = []
  const log = sidecarLog({
    format,
    write: (line) => lines.push(line),
    now: () => at,
    ...(level && { level }),
  })
  for (const one of what) {
    if ('role' in one) log.call(one)
    else log.event(one)
  }
  return lines
}

const json = (...what: (SidecarCall | Event)[]): unknown[] =>
  logged(what, 'json').map((line) => JSON.parse(line) as unknown)
const text = (...what: (SidecarCall | Event)[]): string => logged(what, 'text').join('')

const base = { at, binding: 'http', source: '192.0.2.7' } as const

describe('a call', () => {
  it('is one line of text', () => {
    expect(text(call)).toBe(
      '2026-11-30T12:00:00.123Z gate alice POST /a2a 200 12 ms proof=valid from=192.0.2.7\n',
    )
  })

  it('is one JSON object', () => {
    expect(json(call)).toEqual([
      {
        time: '2026-11-30T12:00:00.123Z',
        level: 'info',
        event: 'call',
        role: 'gate',
        result: 'accepted',
        peer: 'alice',
        method: 'POST',
        path: '/a2a',
        status: 200,
        ms: 12,
        proof: 'valid',
        source: '192.0.2.7',
      },
    ])
  })

  it('has the reason of a refusal, and the peer if the token is known', () => {
    const refused: SidecarCall = {
      ...call,
      outcome: { refusal: { peer: 'bob', reason: 'code-wrong' } },
      status: '401',
      proof: 'absent',
    }
    expect(json(refused)).toMatchObject([
      { result: 'refused', peer: 'bob', reason: 'code-wrong', status: 401 },
    ])
    expect(text(refused)).toContain('gate refused bob (code-wrong) POST /a2a 401 12 ms proof=absent')
  })

  it('says what its proof was worth, whatever let it in', () => {
    const valid: SidecarCall = { ...call, proof: 'plain', shown: { proof: 'valid' } }
    expect(json(valid)).toMatchObject([{ proof: 'plain', shown: 'valid' }])
    expect(text(valid)).toContain(' proof=plain shown=valid from=')
    const invalid: SidecarCall = { ...valid, shown: { proof: 'invalid', proofReason: 'proof-mac' } }
    expect(json(invalid)).toMatchObject([{ proof: 'plain', shown: 'invalid', proofReason: 'proof-mac' }])
    expect(text(invalid)).toContain(' proof=plain shown=proof-mac from=')
    expect(text({ ...valid, shown: {} })).not.toContain('shown')
  })

  it.each(ownReasons)('has the reason if the sidecar itself ended it: %s', (own) => {
    const ended: SidecarCall = {
      role: 'proxy',
      outcome: undefined,
      path: '/',
      status: '503',
      durationMs: 1,
      own,
    }
    expect(json(ended)).toMatchObject([{ reason: own }])
    expect(text(ended)).toContain(own)
  })

  it('is nobody who called if no guard saw it', () => {
    expect(json({ ...call, outcome: undefined })).toMatchObject([{ result: 'anyone' }])
  })

  it('says that its answer was cut off, and how long it waited', () => {
    const cut: SidecarCall = {
      ...call,
      role: 'proxy',
      status: '200 (cut off)',
      waitedMs: 1234.567,
      upstreamMs: 1.239,
    }
    expect(json(cut)).toMatchObject([{ status: 200, cut: true, waitedMs: 1234.57, upstreamMs: 1.24 }])
    expect(text(cut)).toContain('200 (cut off) 12 ms proof=valid from=192.0.2.7 waited=1235ms')
  })

  it('has the name of a gRPC status', () => {
    expect(json({ ...call, status: 'UNAUTHENTICATED' })).toMatchObject([{ status: 'UNAUTHENTICATED' }])
  })
})

describe('text from outside', () => {
  const hostile = 'a\u001b[31m\u202e\u0085\n2026-11-30T12:00:00Z gate mallory::error::##vso[x] "} '

  it('makes no line of its own, and no command, in either format', () => {
    const odd: SidecarCall = {
      ...call,
      outcome: { refusal: { peer: hostile, reason: hostile } },
      path: hostile,
      source: hostile,
      method: hostile,
      agent: hostile,
      status: hostile,
    }
    const event: Event = { type: 'card_remark', at, agent: hostile, message: hostile }
    for (const format of ['text', 'json'] as const) {
      const lines = logged([odd, event], format)
      expect(lines).toHaveLength(2)
      for (const line of lines) {
        expect(line).toMatch(/^[^\p{C}]+\n$/u)
        expect(line).not.toMatch(/::error|##vso\[/)
      }
    }
    const [first, second] = json(odd, event)
    expect(first).toMatchObject({ peer: hostile, path: hostile, source: hostile })
    expect(second).toMatchObject({ message: `card of ${hostile}: ${hostile}`, agent: hostile })
  })

  it('does not pass a source that is no address for the rest of the line', () => {
    expect(text({ ...call, source: '192.0.2.1 proof=valid' })).toContain('from="192.0.2.1 proof=valid"\n')
    expect(text({ ...call, source: 'x'.repeat(10_000) }).length).toBeLessThan(300)
  })
})

describe('an event', () => {
  it('of a decision has no line besides that of its call', () => {
    const accepted = {
      ...base,
      type: 'authenticated',
      peer: 'alice',
      seedId: 's',
      timeStep: 1,
      drift: 0,
    } as const
    const refused = { ...base, type: 'refused', reason: 'code-wrong', peer: 'alice' } as const
    expect(logged([accepted, refused, { ...refused, type: 'throttled' }], 'text')).toEqual([])
  })

  it('that should wake somebody is a warning', () => {
    const stolen: Event = { ...base, type: 'token_compromise_suspected', peer: 'alice', advice: 'rotate it' }
    const refused: Event = {
      type: 'server_file_refused',
      at,
      path: '/f',
      code: 'ERR_CONFIG_INVALID',
      message: 'bad',
    }
    const older: Event = { type: 'server_file_loaded', at, path: '/f', serial: 3, older: true }
    const breaker: Event = { type: 'breaker_opened', at, agent: 'billing', peer: 'alice', advice: 'rotate' }
    const down: Event = { type: 'upstream_down', at, agent: 'billing', message: 'refused' }
    const lines = json(stolen, refused, older, breaker, down)
    expect(lines).toHaveLength(5)
    for (const line of lines) expect(line).toMatchObject({ level: 'warning' })
    expect(text(stolen)).toBe('2026-11-30T12:00:00.123Z warning: rotate it\n')
    expect(lines[0]).toMatchObject({
      event: 'token_compromise_suspected',
      peer: 'alice',
      source: '192.0.2.7',
    })
  })

  it('that should not is none', () => {
    const loaded: Event = { type: 'server_file_loaded', at, path: '/f', serial: 4 }
    const stale: Event = { ...base, type: 'code_stale', peer: 'alice', seedId: 's', timeStep: 5, drift: -2 }
    const lines = json(loaded, stale)
    for (const line of lines) expect(line).toMatchObject({ level: 'info' })
    expect(text(loaded, stale)).toBe(
      '2026-11-30T12:00:00.123Z server file /f is in force (serial 4)\n' +
        '2026-11-30T12:00:00.123Z the clock of alice is 2 time steps behind\n',
    )
  })

  it('says where it listens', () => {
    const listener = { role: 'proxy', url: 'http://127.0.0.1:1', agent: 'billing', peer: 'alice' } as const
    const event: Event = { type: 'listening', at, listener }
    expect(text(event)).toBe('2026-11-30T12:00:00.123Z proxy of billing as alice at http://127.0.0.1:1\n')
    expect(json(event)).toMatchObject([{ event: 'listening', listener }])
  })

  it('of an outage is one line, however many requests it meets', () => {
    const failed: Event = {
      ...base,
      type: 'refused',
      reason: 'guard-failed',
      cause: 'timeout',
      advice: 'look',
    }
    expect(json(...Array.from({ length: 1000 }, () => failed))).toMatchObject([
      { level: 'warning', event: 'refused', reason: 'guard-failed', cause: 'timeout' },
    ])
  })

  it('is left out below the level that is asked for', () => {
    const warning: Event = { type: 'warning', at, message: 'local users can forge the identity' }
    const lines = logged([call, { type: 'reloading', at }, warning], 'json', 'warning')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: 'warning' }])
  })

  it('with a time that is none does not end the process', () => {
    expect(text({ type: 'draining', at: new Date(NaN) })).toBe(
      'no new calls are accepted; running ones end\n',
    )
  })
})
