import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { HOTP } from 'otpauth'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import { memoryState } from '../../src/state/memory-state.js'
import type { Attempt, Decision, LateCode, State } from '../../src/state/state.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import { SecondLooks } from '../../src/server/scheme/second-looks.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { totpGuard } from '../../src/server/node.js'
import {
  bearerOf,
  Clock,
  codeOf,
  pacedLook,
  peers,
  requestWith,
  schemeFor,
  secondLooks,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'

/** The most expensive one: each seed has 240 codes outside of the window. */
const fine = { ...defaultProfile, digits: 8, period: 10, window: 2 } as const
const lateCodesOfASeed = 240

const typesOf = (events: readonly AuthEvent[]): string[] => events.map(({ type }) => type)
const suspicions = (events: readonly AuthEvent[]): number =>
  typesOf(events).filter((type) => type === 'token_compromise_suspected').length

const ask = (scheme: TOTPServerAuthScheme, token: string, code: string): Promise<unknown> =>
  scheme.authenticate(requestWith({ Authorization: `Bearer ${token}`, 'X-TOTP': code }))
const tokenOf = (name: string): string => `a2at_${name.padEnd(43, 'x')}`

/** A state that counts every guess, by default as one that exhausts no budget, and remembers what it is asked to take back. */
function countingState(
  decide: (attempt: Attempt) => unknown = () => ({ kind: 'wrong', counted: true, tripped: false }),
): { state: State; takenBack: { peer: string; drift: number }[] } {
  const takenBack: { peer: string; drift: number }[] = []
  const state: State = {
    supports: { once: true },
    decide: (attempt) => decide(attempt) as Decision,
    takeBack: ({ peer }, { drift }: LateCode) => {
      takenBack.push({ peer, drift })
      return true
    },
  }
  return { state, takenBack }
}

/** Counts the codes that are computed, until the end of the test. */
function countCodes(): () => number {
  const spy = vi.spyOn(HOTP, 'generate')
  onTestFinished(() => {
    spy.mockRestore()
  })
  return () => spy.mock.calls.length
}

/** How many codes each round of the event loop computes, until it is stopped. */
function codesByRound(codes: () => number): { readonly most: () => number; readonly stop: () => void } {
  let [before, most, goesOn] = [codes(), 0, true]
  const look = (): void => {
    most = Math.max(most, codes() - before)
    before = codes()
    if (goesOn) setImmediate(look)
  }
  setImmediate(look)
  return { most: () => most, stop: () => (goesOn = false) }
}

describe('second looks at a burst of guesses', () => {
  it('compute ten codes in a round of the event loop, and each code once for all guesses', async () => {
    const seeds = [1, 2].map((n) => ({ seed: Seed.fromBytes(Buffer.alloc(20, n)) }))
    const { state } = countingState()
    const { scheme } = schemeFor(new Clock(), { peerSeeds: { alice: { seeds } }, profile: fine, state })
    const codes = countCodes()
    await ask(scheme, peers.alice.token, '00000000')
    await secondLooks()
    expect(codes()).toBe(2 * lateCodesOfASeed + 2 * 5)
    const [before, rounds] = [codes(), codesByRound(codes)]
    const all = Array.from({ length: 1500 }, (_, n) => String(n).padStart(8, '0'))
    await Promise.all(all.map((code) => ask(scheme, peers.alice.token, code)))
    await secondLooks()
    rounds.stop()
    expect(rounds.most()).toBe(10)
    expect(codes() - before).toBe(2 * lateCodesOfASeed)
  })

  it('wait for at most 100 guesses at a budget; those over it stay counted, and are suspected if they exhaust it', async () => {
    const late = (drift: number): string => codeOf('alice', someInstant, { drift: drift - 3, profile: fine })
    const codes = Array.from({ length: 130 }, (_, n) => late(-n))
    const { state, takenBack } = countingState(({ comparison }) => ({
      kind: 'wrong',
      counted: true,
      tripped: comparison.kind === 'guess' && [codes[5], codes.at(-1)].includes(comparison.code),
    }))
    const { scheme, events } = schemeFor(new Clock(), { profile: fine, state })
    await secondLooks()
    for (const code of codes) await ask(scheme, peers.alice.token, code)
    await ask(scheme, peers.bob.token, codeOf('bob', someInstant, { drift: -10, profile: fine }))
    await secondLooks()
    expect(takenBack.filter(({ peer }) => peer === 'alice').map(({ drift }) => drift)).toEqual(
      Array.from({ length: 100 }, (_, n) => -3 - n),
    )
    expect(suspicions(events)).toBe(1)
    // The other peer's guess did not wait for all of them.
    expect(takenBack.findIndex(({ peer }) => peer === 'bob')).toBeLessThan(90)
    await ask(scheme, peers.alice.token, late(-110))
    await secondLooks()
    expect(takenBack.at(-1)).toEqual({ peer: 'alice', drift: -113 })
  })

  it('leave room for the first guess at each budget, whoever crowds the others', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `peer-${n}`)
    const seeds = new Map(names.map((name, n) => [name, Seed.fromBytes(Buffer.alloc(20, n + 1))]))
    const { state, takenBack } = countingState()
    const { scheme } = schemeFor(new Clock(), {
      delegate: new PeerTokenAuth(Object.fromEntries(names.map((name) => [tokenOf(name), name]))),
      peerSeeds: seeds,
      profile: fine,
      state,
    })
    const late = async (name: string, drift: number): Promise<void> => {
      const seed = seeds.get(name) ?? peers.alice.seed
      await ask(scheme, tokenOf(name), generateCodeOfStep(seed, fine, timeStepAt(fine, someInstant) + drift))
    }
    // Those that were looked at leave as much room as there was before.
    for (let burst = 0; burst < 2; burst++) {
      takenBack.length = 0
      for (const name of names.slice(0, 11)) for (let n = 0; n < 100; n++) await late(name, -3 - n)
      await late('peer-11', -7)
      await secondLooks()
      expect(takenBack).toContainEqual({ peer: 'peer-11', drift: -7 })
      expect(takenBack).toHaveLength(1000 + 12)
    }
  })

  it('wait at no more than 1000 budgets; a guess at another one stays counted, and is suspected at once', async () => {
    const names = Array.from({ length: 1001 }, (_, n) => `peer-${n}`)
    const seedOf = (name: string): Seed => Seed.fromBytes(createHash('sha1').update(name).digest())
    const { state, takenBack } = countingState(() => ({ kind: 'wrong', counted: true, tripped: true }))
    const { scheme, events } = schemeFor(new Clock(), {
      delegate: new PeerTokenAuth(Object.fromEntries(names.map((name) => [tokenOf(name), name]))),
      peerSeeds: new Map(names.map((name) => [name, seedOf(name)])),
      // Few late codes to compute.
      profile: { period: 120 },
      state,
    })
    await secondLooks()
    const waiting: (() => void)[] = []
    const begin = vi.spyOn(SecondLooks, 'later').mockImplementation((look) => waiting.push(look))
    onTestFinished(() => begin.mockRestore())
    for (const name of names) await ask(scheme, tokenOf(name), '000000')
    await new Promise(setImmediate)
    expect(waiting).toHaveLength(1000)
    const suspected = events.filter(({ type }) => type === 'token_compromise_suspected')
    expect(suspected).toMatchObject([{ peer: 'peer-1000' }])
    expect(takenBack).toEqual([])
    begin.mockRestore()
    for (const look of waiting) look()
    await secondLooks()
  })
})

describe('the second look at a guess', () => {
  const wrong = (which: number): string => wrongCodeOf(someInstant, which)
  const late = codeOf('alice', someInstant, { drift: -10 })

  it('begins when a random moment is over, so that the next request of the connection does not wait for it', async () => {
    const { scheme } = schemeFor(new Clock())
    const server = createServer(totpGuard(scheme, (_request, response) => response.end()))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const begin = vi.spyOn(SecondLooks, 'later').mockImplementation(() => undefined)
    onTestFinished(() => begin.mockRestore())
    const guesses = [0, 1, 2].map(wrong)
    const codes = countCodes()
    for (const guess of guesses) {
      const fields = `Authorization: ${bearerOf('alice')}\r\nX-TOTP: ${guess}\r\nContent-Length: 0`
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`)
      const [answer] = (await once(socket, 'data')) as [Buffer]
      expect(answer.toString()).toMatch(/^HTTP\/1.1 401/)
    }
    // Those of the window.
    expect(codes()).toBe(3)
    begin.mockImplementation(setImmediate)
    begin.mock.calls[0]?.[0]()
    await secondLooks()
    expect(codes()).toBe(3 + 80)
  })

  it('begins 1 to 5 ms after the answer, and keeps no process alive', () => {
    const later = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => later.mockRestore())
    const timers = Array.from({ length: 1000 }, () => pacedLook(() => undefined) as NodeJS.Timeout)
    const delays = new Set(later.mock.calls.map(([, ms]) => ms ?? 0))
    for (const timer of timers) clearTimeout(timer)
    expect(timers.some((timer) => timer.hasRef())).toBe(false)
    expect([Math.min(...delays), Math.max(...delays)]).toEqual([1, 5])
    expect(delays.size).toBe(5)
  })

  it('suspects nobody if a late code before it is taken back, and somebody at the next guess that exhausts the budget', async () => {
    const { scheme, events } = schemeFor(new Clock())
    for (const which of [0, 1, 2]) await ask(scheme, peers.alice.token, wrong(which))
    await Promise.all([late, wrong(3)].map((code) => ask(scheme, peers.alice.token, code)))
    await secondLooks()
    expect(typesOf(events)).toContain('code_stale')
    expect(suspicions(events)).toBe(0)
    await ask(scheme, peers.alice.token, wrong(4))
    expect(events.at(-1)).toMatchObject({ reason: 'code-wrong' })
    await secondLooks()
    expect(suspicions(events)).toBe(1)
    await ask(scheme, peers.alice.token, wrong(5))
    expect(events.at(-1)).toMatchObject({ reason: 'guesses-exhausted' })
  })

  it('suspects somebody though an earlier late code was taken back before the guess was counted', async () => {
    const { scheme, events } = schemeFor(new Clock())
    await ask(scheme, peers.alice.token, late)
    await secondLooks()
    await Promise.all([0, 1, 2, 3, 4].map((which) => ask(scheme, peers.alice.token, wrong(which))))
    await secondLooks()
    expect(suspicions(events)).toBe(1)
  })

  it('suspects somebody where the guess was counted while the state took the late code back', async () => {
    let answer: (taken: boolean) => void = () => undefined
    const state: State = {
      supports: { once: true },
      decide: () => ({ kind: 'wrong', counted: true, tripped: true }),
      takeBack: () =>
        new Promise((done) => {
          answer = done
        }),
    }
    const { scheme, events } = schemeFor(new Clock(), { state })
    await Promise.all([late, wrong(0)].map((code) => ask(scheme, peers.alice.token, code)))
    await vi.waitFor(() => expect(typesOf(events)).toContain('code_stale'))
    await ask(scheme, peers.alice.token, wrong(1))
    answer(true)
    await secondLooks()
    // Of the last guess alone: the one before it was counted earlier, so the budget it exhausted has room again.
    expect(suspicions(events)).toBe(1)
  })

  it('leaves no timer behind when the state has answered', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { state, takenBack } = countingState()
    const { scheme } = schemeFor(new Clock(), { state })
    await secondLooks()
    await ask(scheme, peers.alice.token, late)
    await secondLooks()
    expect(takenBack).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('reports a late code at once and counts it after two seconds, if the state does not answer', async () => {
    await secondLooks()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const state: State = {
      supports: { once: true },
      decide: () => ({ kind: 'wrong', counted: true, tripped: true }),
      takeBack: () => new Promise(() => undefined),
    }
    const { scheme, events } = schemeFor(new Clock(), { state })
    await ask(scheme, peers.alice.token, late)
    while (!typesOf(events).includes('code_stale')) await new Promise(setImmediate)
    await vi.advanceTimersByTimeAsync(1999)
    expect(typesOf(events)).toEqual(['refused', 'code_stale'])
    await vi.advanceTimersByTimeAsync(1)
    expect(typesOf(events)).toEqual(['refused', 'code_stale', 'token_compromise_suspected'])
  })

  it('alarms if a state of the user says that a budget is exhausted, and not that the guess was counted', async () => {
    for (const [decision, alarms] of [
      [{ kind: 'wrong', tripped: true }, 1],
      [{ kind: 'wrong', tripped: true, counted: true }, 1],
      [{ kind: 'wrong', tripped: true, counted: false }, 0],
    ] as const) {
      const { scheme, events } = schemeFor(new Clock(), { state: countingState(() => decision).state })
      await ask(scheme, peers.alice.token, wrong(0))
      await secondLooks()
      expect(suspicions(events)).toBe(alarms)
    }
  })
})

describe('nothing in a second look ends the process', () => {
  const broken = new Error('broken')
  const thrown: unknown[] = []
  const note = (error: unknown): void => void thrown.push(error)
  const late = codeOf('alice', someInstant, { drift: -10 })

  /** Resolves once Node has reported what nobody has caught. */
  async function settled(): Promise<void> {
    await secondLooks()
    await new Promise(setImmediate)
  }
  beforeEach(() => {
    thrown.length = 0
    process.on('unhandledRejection', note)
    process.on('uncaughtException', note)
  })
  afterEach(() => {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  })

  const throwing = (): never => {
    throw broken
  }
  it.each<[string, PropertyDescriptor]>([
    ['throws', { value: throwing }],
    ['rejects', { value: () => Promise.reject(broken) }],
    ['returns what is no answer', { value: () => ({ taken: true }) }],
    ['returns a promise of what is no answer', { value: () => Promise.resolve('yes') }],
    ['returns a thenable that throws', { value: () => ({ then: throwing }) }],
    ['is no function', { value: 5 }],
    ['cannot be read', { get: throwing }],
  ])('and the guess counts where takeBack %s', async (_what, takeBack) => {
    const state = Object.defineProperty<State>(
      { supports: { once: true }, decide: () => ({ kind: 'wrong', counted: true, tripped: true }) },
      'takeBack',
      takeBack,
    )
    const { scheme, events } = schemeFor(new Clock(), { state })
    await ask(scheme, peers.alice.token, late)
    await settled()
    expect(typesOf(events)).toEqual(['refused', 'code_stale', 'token_compromise_suspected'])
    expect(thrown).toEqual([])
  })

  it.each<[string, () => unknown]>([
    ['throws', throwing],
    ['rejects', () => Promise.reject(broken)],
    ['returns a thenable that throws', () => ({ then: throwing })],
  ])('where the listener %s', async (_what, listen) => {
    const heard: string[] = []
    const { state } = countingState(() => ({ kind: 'wrong', counted: true, tripped: true }))
    const onEvent = ({ type }: AuthEvent): unknown => {
      heard.push(type)
      return listen()
    }
    const { scheme } = schemeFor(new Clock(), { state, onEvent })
    await ask(scheme, peers.alice.token, wrongCodeOf(someInstant))
    await ask(scheme, peers.alice.token, late)
    await settled()
    expect(heard).toEqual(['refused', 'refused', 'token_compromise_suspected', 'code_stale'])
    expect(thrown).toEqual([])
  })

  const circular: Record<string, unknown> = { ip: '192.0.2.1' }
  circular['self'] = circular
  it.each<[string, PropertyDescriptor, string | undefined]>([
    ['an object', { value: { ip: 1 } }, '{"ip":1}'],
    ['a number', { value: 5 }, '5'],
    ['null', { value: null }, undefined],
    ['a symbol', { value: Symbol('x') }, 'unreadable'],
    ['circular', { value: circular }, 'unreadable'],
    ['unreadable', { get: throwing }, 'unreadable'],
    ['a function', { value: throwing }, 'unreadable'],
  ])('where the source is %s', async (_what, given, source) => {
    const { scheme, events } = schemeFor(new Clock(), {
      replay: 'once',
      state: memoryState({ since: new Date(0) }),
    })
    const send = (token: string, code: string): ReturnType<TOTPServerAuthScheme['authenticate']> => {
      const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': code }
      return scheme.authenticate(Object.defineProperty(requestWith(fields), 'source', given))
    }
    const right = codeOf('alice', someInstant)
    expect((await send(peers.alice.token, right)).caller?.peer).toBe('alice')
    expect((await send(peers.alice.token, right)).refusal?.reason).toBe('code-replayed')
    expect((await send(tokenOf('nobody'), right)).refusal?.reason).toBe('token-refused')
    for (let which = 0; which < 4; which++) await send(peers.alice.token, wrongCodeOf(someInstant, which))
    await send(peers.alice.token, codeOf('alice', someInstant, { drift: 10 }))
    await settled()
    expect(typesOf(events).slice(-2)).toEqual(['code_stale', 'token_compromise_suspected'])
    for (const event of events) expect(event.source).toBe(source)
    expect(thrown).toEqual([])
  })
})
