import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { alarmListener } from '../../src/server/scheme/warnings.js'
import { someInstant } from '../support/guarded.js'

type Event = Parameters<ReturnType<typeof alarmListener>>[0]

const request = { at: someInstant, binding: 'http' } as const
const file = { at: someInstant, path: '/etc/server.json' } as const
const ofAlice = { ...request, peer: 'alice', seedId: 'seed-1' } as const
const canary = (name: string, source?: string): Event => ({
  ...request,
  type: 'canary_used',
  canary: name,
  ...(source !== undefined && { source }),
})
const fromTwo = (peer: string): Event => ({
  ...ofAlice,
  type: 'code_from_two_sources',
  peer,
  sources: ['192.0.2.1', '2001:db8::2'],
})
const jumped: Event = { ...ofAlice, type: 'clock_jumped', drifts: [-1, 2] }
const refused = (fields: object): Event => ({ ...request, type: 'refused', ...fields }) as Event

/** A listener, and the messages of the alarms that it raised. */
function listening() {
  const messages: string[] = []
  const codes: string[] = []
  const listen = alarmListener(({ code, message }) => {
    codes.push(code)
    messages.push(message)
  })
  return { listen, messages, codes }
}

describe('an alarm says what happened', () => {
  it.each<[code: string, event: Event, message: RegExp]>([
    ['canary_used', canary('trap', '192.0.2.1'), /canary "trap" was sent from 192\.0\.2\.1: /],
    ['canary_used', canary('trap', '2001:db8::1'), /canary "trap" was sent from \[2001:db8::1\]: /],
    ['canary_used', canary('trap'), /canary "trap" was sent from an unknown address: /],
    ['clock_jumped', jumped, /codes of "alice" .*\(drifts -1 and 2\)/],
    [
      'code_from_two_sources',
      fromTwo('alice'),
      /code of "alice" came from 192\.0\.2\.1 and then from \[2001:db8::2\]: /,
    ],
    [
      'server_file_exposed',
      { ...file, type: 'server_file_exposed', message: 'anyone reads it' },
      /^anyone reads it$/,
    ],
    [
      'server_file_loaded',
      { ...file, type: 'server_file_loaded', serial: 7, older: true },
      /^server file \/etc\/server\.json is an older one \(serial 7\)/,
    ],
    [
      'guard-failed',
      refused({ reason: 'guard-failed', cause: 'OOM', advice: 'free some' }),
      /^the state cannot be asked, .* 503 \(OOM\): free some$/,
    ],
    [
      'delegate-failed',
      refused({ reason: 'delegate-failed', cause: 'timeout', advice: 'wait' }),
      /^the delegate, .* cannot be asked, .* 503 \(timeout\): wait$/,
    ],
    ['guard-failed', refused({ reason: 'guard-failed' }), / 503 \(unknown\):$/],
  ])('%s: %j', (code, event, message) => {
    const { listen, messages, codes } = listening()
    expect(listen(event)).toBe(true)
    expect(codes).toEqual([code])
    expect(messages).toEqual([expect.stringMatching(message)])
  })

  it('and is none where nobody need be woken', () => {
    const { listen, messages } = listening()
    const events: Event[] = [
      { ...ofAlice, type: 'authenticated', timeStep: 1, drift: 0 },
      { ...ofAlice, type: 'code_stale', timeStep: 1, drift: -9 },
      refused({ reason: 'code-wrong', peer: 'alice' }),
      { ...file, type: 'server_file_loaded', serial: 8 },
    ]
    expect(events.map(listen)).toEqual([false, false, false, false])
    expect(messages).toEqual([])
  })
})

describe('an alarm that is repeated within a minute', () => {
  const outage = (cause: string, seconds: number): Event => ({
    ...refused({ reason: 'guard-failed', cause, advice: 'help' }),
    at: new Date(someInstant.getTime() + seconds * 1000),
  })

  it.each<[of: string, ...events: [Event, Event]]>([
    ['two canaries', canary('trap'), canary('snare')],
    ['the codes of two peers', fromTwo('alice'), fromTwo('bob')],
    ['two causes', outage('OOM', 0), outage('timeout', 0)],
    [
      'state and delegate',
      refused({ reason: 'guard-failed', cause: 'timeout' }),
      refused({ reason: 'delegate-failed', cause: 'timeout' }),
    ],
    [
      'room for nonces and views of contents',
      refused({ reason: 'nonces-full' }),
      refused({ reason: 'guard-failed', cause: 'content-unseen' }),
    ],
  ])('is only counted, and still an alarm; of %s each one is raised', (_, one, other) => {
    const { listen, messages } = listening()
    expect([one, other, one, other].map(listen)).toEqual([true, true, true, true])
    expect(messages).toHaveLength(2)
    expect(new Set(messages).size).toBe(2)
  })

  it('is raised each time where the event itself is rare', () => {
    const { listen, messages } = listening()
    expect([jumped, jumped].map(listen)).toEqual([true, true])
    expect(messages).toHaveLength(2)
  })

  it('is raised once a minute, each time with the number of those in between', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { listen, messages } = listening()
    const counts = (): string[] => messages.map((message) => /help(.*)$/.exec(message)?.[1] ?? '')
    for (const seconds of [0, 1, 2, 59.999]) listen(outage('OOM', seconds))
    expect(counts()).toEqual([''])
    vi.advanceTimersByTime(60_000)
    const [first, second] = ['', ' (2 more since the last warning)']
    expect(counts()).toEqual([first, second])
    // The minute of the second one.
    listen(outage('OOM', 60))
    listen(outage('OOM', 119.999))
    expect(counts()).toEqual([first, second])
    listen(outage('OOM', 120))
    expect(counts()).toEqual([first, second, second])
    vi.advanceTimersByTime(600_000)
    expect(counts()).toHaveLength(3)
    listen(outage('OOM', 200))
    expect(counts()).toEqual([first, second, second, first])
  })

  it('is raised at the end of each minute in which it was only counted', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { listen, messages } = listening()
    listen(outage('OOM', 0))
    for (const minute of [0, 1, 2]) {
      listen(outage('OOM', minute * 60 + 1))
      expect(messages).toHaveLength(1 + minute)
      vi.advanceTimersByTime(60_000)
      expect(messages).toHaveLength(2 + minute)
    }
    expect(messages.filter((message) => message.includes('more since'))).toEqual([])
  })
})
