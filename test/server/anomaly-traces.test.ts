import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { timeStepAt } from '../../src/core/totp.js'
import type { AuthEvent } from '../../src/server/index.js'
import { Anomalies } from '../../src/server/scheme/anomalies.js'
import type { AuthOutcome } from '../../src/server/scheme/outcome.js'
import type { SchemePeer } from '../../src/server/scheme/peers.js'
import { requestWith, someInstant } from '../support/guarded.js'

const { period } = defaultProfile
const [home, away] = ['192.0.2.1', '198.51.100.7']
/** So many seconds after the beginning of the time step of {@link someInstant}. */
const second = (seconds: number): Date => new Date(someInstant.getTime() - 15_000 + seconds * 1000)

interface Seen {
  readonly peer?: string
  readonly seedId?: string
  readonly at?: Date
  readonly drift?: number
  readonly source?: string
  readonly replay?: 'once' | 'reuse'
  /** Whether it was refused as spent. */
  readonly isReplayed?: boolean
}

/** What is found in codes that match, one after the other. */
function observer(): (seen: Seen) => AuthEvent | undefined {
  const anomalies = new Anomalies()
  return ({ peer = 'alice', seedId = 'seed', at = someInstant, drift = 0, ...seen }) => {
    const { source = home, replay = 'reuse', isReplayed = false } = seen
    const owner = { peer: { name: peer, profile: defaultProfile, replay } as SchemePeer }
    const timeStep = timeStepAt(defaultProfile, at) + drift
    const comparison = { kind: 'match', seed: 'digest', seedId, timeStep, drift } as const
    const outcome = isReplayed
      ? { refusal: { reason: 'code-replayed' } }
      : { caller: { peer, proof: 'code', drift } }
    const attempt = { owner, comparison, request: requestWith({}, source), at }
    return anomalies.observe(attempt, outcome as unknown as AuthOutcome)
  }
}

describe('two clocks with one seed are noticed', () => {
  it.each<[string, readonly (readonly [seconds: number, drift: number])[]]>([
    [
      'ahead, between, behind',
      [
        [0, 1],
        [15, 0],
        [29.999, -1],
      ],
    ],
    [
      'between, ahead, behind',
      [
        [-15, 0],
        [0, 1],
        [29.999, -1],
      ],
    ],
    [
      'behind, between, ahead',
      [
        [29.999, -1],
        [45, 0],
        [60, 1],
      ],
    ],
    [
      'between, behind, ahead',
      [
        [15, 0],
        [29.999, -1],
        [60, 1],
      ],
    ],
  ])('by the codes that differ most, whatever came in between: %s', (_, codes) => {
    const observe = observer()
    const found = codes.map(([seconds, drift]) => observe({ at: second(seconds), drift }))
    const outermost = codes.map(([, drift]) => drift).filter((drift) => drift !== 0)
    expect(found.map((event) => event?.type)).toEqual([undefined, undefined, 'clock_jumped'])
    expect(found.at(-1)).toMatchObject({ drifts: outermost })
  })

  it.each([1, -1])(
    'by a code of the last ten minutes, whenever the first such one came: drift %i',
    (drift) => {
      const observe = observer()
      for (const minutes of [0, 9]) expect(observe({ at: second(minutes * 60), drift })).toBeUndefined()
      expect(observe({ at: second(18 * 60), drift: -drift })).toMatchObject({ drifts: [drift, -drift] })
    },
  )
})

describe('what is remembered of accepted codes', () => {
  const captured = second(0)
  /** The sources of a code that was accepted before so many others, and that comes from elsewhere then. */
  const sourcesAfter = (others: number) => {
    const observe = observer()
    for (let n = 0; n <= others; n++) observe({ replay: 'once', at: second(n * period) })
    const event = observe({ replay: 'once', at: captured, source: away, isReplayed: true })
    return event?.type === 'code_from_two_sources' ? event.sources : undefined
  }

  it('is the last eight of a seed', () => {
    expect(sourcesAfter(7)).toEqual([home, away])
    expect(sourcesAfter(8)).toBeUndefined()
  })

  it('is none of those that were accepted under reuse, which may come from several places', () => {
    const observe = observer()
    observe({ replay: 'reuse' })
    expect(observe({ replay: 'once', source: away, isReplayed: true })).toBeUndefined()
  })

  it.each([
    [1, true],
    [3, true],
    [4, false],
  ])('is that of the last four seeds of a peer: %i others after one', (others, isRemembered) => {
    const observe = observer()
    for (let n = 0; n <= others; n++) observe({ seedId: `seed ${n}`, drift: -1 })
    expect(observe({ seedId: 'seed 0', drift: 1 })?.type).toBe(isRemembered ? 'clock_jumped' : undefined)
  })
})

describe('10,000 peers are remembered', () => {
  /** A full memory: `first`, which may have been heard of again, `second`, and others. */
  function full(again: boolean) {
    const observe = observer()
    const hear = (peer: string): void => expect(observe({ peer, drift: -1 })).toBeUndefined()
    const hearOthers = (from: number, to: number): void => {
      for (let n = from; n < to; n++) hear(`peer ${n}`)
    }
    for (const peer of ['first', 'second']) hear(peer)
    if (again) hear('first')
    hearOthers(2, 10_000)
    return { hearOthers, remembers: (peer: string) => observe({ peer, drift: 1 }) !== undefined }
  }

  it('and none is forgotten for the sake of one of them', () => {
    const { remembers } = full(false)
    expect(['second', 'peer 9999', 'first'].map(remembers)).toEqual([true, true, true])
  })

  it('and for one more the first one is forgotten', () => {
    const { hearOthers, remembers } = full(false)
    hearOthers(10_000, 10_001)
    expect(['second', 'peer 10000', 'first'].map(remembers)).toEqual([true, true, false])
  })

  it('and one that was heard of again is forgotten after those that were not', () => {
    const { hearOthers, remembers } = full(true)
    hearOthers(10_000, 10_001)
    expect(['first', 'peer 2', 'second'].map(remembers)).toEqual([true, true, false])
  })

  it('and one that was heard of again, but not since, is forgotten in the next round', () => {
    const { hearOthers, remembers } = full(true)
    hearOthers(10_000, 20_000)
    expect(['first', 'peer 19999'].map(remembers)).toEqual([false, true])
  })
})
