import { describe, expect, it, vi } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import { endWithCaller, GrantedCaller } from '../../src/server/scheme/granted-caller.js'
import { Leases, type Grant, type Tied } from '../../src/server/scheme/leases.js'
import type { Caller } from '../../src/server/scheme/outcome.js'
import { heapUsed } from '../support/memory.js'
import { peers, someInstant } from '../support/guarded.js'

const mark = {}
const grant = (): Grant => ({
  peer: 'alice',
  tokenHash: '',
  tokenEndsAt: Infinity,
  seed: peers.alice.seed,
  endsAt: Infinity,
  rules: mark,
})
const facts = {
  peer: 'alice',
  seedId: 'seed-1',
  timeStep: 60_000_000,
  drift: 0,
  proof: 'code',
  claims: {},
} as const

/** A caller, and what takes its credentials away. */
function admitted() {
  const leases = new Leases({ mark, endOf: () => Infinity }, () => someInstant)
  const caller = new GrantedCaller({ ...facts, agent: undefined }, grant(), leases)
  return { caller, revoke: () => leases.review({ mark: {}, endOf: () => -Infinity }) }
}

const open = () => ({ end: vi.fn<(reason: TOTPError) => void>(), isOver: () => false })
const revoked: unknown = expect.objectContaining({ code: 'ERR_CREDENTIAL_REVOKED' })

describe('a caller', () => {
  it.each<[what: string, agent: string | undefined, fields: object]>([
    ['has the name of an agent that is known', 'billing', { ...facts, agent: 'billing' }],
    ['has no such field where it is not', undefined, facts],
  ])('%s', (_, agent, fields) => {
    const leases = new Leases({ mark, endOf: () => Infinity }, () => someInstant)
    const caller = new GrantedCaller({ ...facts, agent }, grant(), leases)
    expect(Object.fromEntries(Object.entries(caller))).toStrictEqual(fields)
  })

  it('has one signal, however often it is read, and whatever else is tied to it', () => {
    const { caller, revoke } = admitted()
    const { signal } = caller
    endWithCaller(caller, open())()
    expect(caller.signal).toBe(signal)
    expect(signal.aborted).toBe(false)
    revoke()
    expect(signal.reason).toEqual(revoked)
  })
})

describe('what ends with a caller of a scheme', () => {
  it('is told the reason, without anybody reading the signal', () => {
    const { caller, revoke } = admitted()
    const read = vi.spyOn(caller, 'signal', 'get')
    const stream = open()
    endWithCaller(caller, stream)
    expect(stream.end).not.toHaveBeenCalled()
    revoke()
    expect(stream.end.mock.calls).toEqual([[revoked]])
    expect(read).not.toHaveBeenCalled()
  })

  it('is not ended once it is over by itself', () => {
    const { caller, revoke } = admitted()
    const [over, other] = [open(), open()]
    const release = endWithCaller(caller, over)
    endWithCaller(caller, other)
    release()
    revoke()
    expect(over.end).not.toHaveBeenCalled()
    expect(other.end).toHaveBeenCalledOnce()
  })
})

describe('what ends with a caller that a wrapped scheme made', () => {
  const reason = new TOTPError('ERR_CREDENTIAL_REVOKED', 'the account was closed')
  const made = (signal?: unknown): Caller => ({ ...facts, signal }) as Caller

  it('ends with that caller’s own signal, once', () => {
    const controller = new AbortController()
    const stream = open()
    endWithCaller(made(controller.signal), stream)
    expect(stream.end).not.toHaveBeenCalled()
    controller.abort(reason)
    controller.signal.dispatchEvent(new Event('abort'))
    expect(stream.end.mock.calls).toEqual([[reason]])
  })

  it('ends at once if the signal is aborted already', () => {
    const stream = open()
    endWithCaller(made(AbortSignal.abort(reason)), stream)
    expect(stream.end.mock.calls).toEqual([[reason]])
  })

  it('is not ended once it is over by itself', () => {
    const controller = new AbortController()
    const stream = open()
    endWithCaller(made(controller.signal), stream)()
    controller.abort(reason)
    expect(stream.end).not.toHaveBeenCalled()
  })

  it.each([undefined, null, {}, 'aborted', { aborted: true }])('never ends if the signal is %j', (signal) => {
    const stream = open()
    const release = endWithCaller(made(signal), stream)
    expect(release).not.toThrow()
    expect(stream.end).not.toHaveBeenCalled()
  })
})

describe('a signal that nobody holds any more', () => {
  /** Leases that show what is tied and released. */
  class Watched extends Leases {
    readonly tied: Tied[] = []
    readonly released: Tied[] = []

    override tie(tied: Tied): void {
      this.tied.push(tied)
    }
    override release(tied: Tied): void {
      this.released.push(tied)
    }
  }

  it('is over and released, and until then neither', async () => {
    const leases = new Watched({ mark, endOf: () => Infinity }, () => someInstant)
    const read = (): AbortSignal => new GrantedCaller({ ...facts, agent: undefined }, grant(), leases).signal
    const kept = read()
    read()
    const [held, dropped] = leases.tied
    expect([held?.isOver(), dropped?.isOver()]).toEqual([false, false])
    await expect
      .poll(() => {
        heapUsed()
        return leases.released
      })
      .toEqual([dropped])
    expect([held?.isOver(), dropped?.isOver()]).toEqual([false, true])
    // An end that comes too late is nobody's.
    dropped?.end(new TOTPError('ERR_CREDENTIAL_REVOKED', 'nobody listens'))
    expect(kept.aborted).toBe(false)
  })
})
