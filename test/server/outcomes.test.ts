import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { callerOf, decide, outcomeOf } from '../../src/server/adapters/outcomes.js'
import { totpGuard as expressGuard } from '../../src/server/express.js'
import { totpGuard as nodeGuard } from '../../src/server/node.js'
import { Clock, headersOf, peers, requestWith, schemeFor, someInstant } from '../support/guarded.js'

const right = headersOf('alice', someInstant)
const once = { replay: 'once' } as const

describe('what guards keep of a request', () => {
  it('is decided once by a scheme, also when a second guard asks while the first one waits', async () => {
    const delegate = { authenticateToken: () => sleep(20).then(() => ({ peer: 'alice' })) }
    const { scheme, events } = schemeFor(new Clock(), { ...once, delegate })
    const key = {}
    const ask = vi.fn(() => requestWith(right))
    const first = decide(scheme, key, ask)
    expect(outcomeOf(key)).toBeUndefined()
    const outcomes = await Promise.all([first, decide(scheme, key, ask), decide(scheme, key, ask)])
    outcomes.push(await decide(scheme, key, ask))
    expect(outcomes.map(({ caller }) => caller?.peer)).toEqual(['alice', 'alice', 'alice', 'alice'])
    expect(ask).toHaveBeenCalledTimes(1)
    expect(events.map(({ type }) => type)).toEqual(['authenticated'])
  })

  it('stays a refusal', async () => {
    const { scheme, events } = schemeFor(new Clock())
    const key = {}
    for (let n = 0; n < 2; n++) {
      const { refusal } = await decide(scheme, key, () => requestWith({}))
      expect(refusal?.reason).toBe('token-missing')
    }
    expect(events).toHaveLength(1)
    expect(callerOf(key)).toBeUndefined()
  })

  it('belongs to the scheme that decided; without a scheme it is what the last one decided', async () => {
    const everybody = schemeFor(new Clock()).scheme
    const strict = schemeFor(new Clock(), { peerSeeds: { bob: peers.bob.seed } }).scheme
    const key = {}
    await decide(everybody, key, () => requestWith(right))
    expect([callerOf(key)?.peer, callerOf(key, everybody)?.peer]).toEqual(['alice', 'alice'])
    expect([callerOf(key, strict), outcomeOf(key, strict)]).toEqual([undefined, undefined])
    await decide(strict, key, () => requestWith(right))
    expect(callerOf(key, everybody)?.peer).toBe('alice')
    expect(outcomeOf(key, strict)?.refusal?.reason).toBe('peer-unknown')
    expect([callerOf(key), outcomeOf(key)?.refusal?.reason]).toEqual([undefined, 'peer-unknown'])
  })

  it('is a refusal where the scheme is broken, even as far as its profile', async () => {
    const { scheme } = schemeFor(new Clock())
    const broken = (): never => {
      throw new Error('broken')
    }
    scheme.authenticate = broken
    Object.defineProperty(scheme, 'profile', { get: broken })
    const { refusal } = await decide(scheme, {}, () => requestWith(right))
    expect(refusal).toEqual({ kind: 'unavailable', reason: 'guard-failed', retryAfter: 5, challenges: [] })
  })

  it.each<[what: string, now: () => Date]>([
    [
      'cannot be read',
      () => {
        throw new Error('broken')
      },
    ],
    ['is no date', () => new Date(NaN)],
  ])('says when to come again where the clock %s', async (_, now) => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { now: () => (clock.at === someInstant ? someInstant : now()) })
    clock.advance(1)
    const { refusal } = await decide(scheme, {}, () => requestWith(right))
    expect(refusal).toMatchObject({ kind: 'unavailable', reason: 'guard-failed', retryAfter: 5 })
  })
})

describe('an error behind a guard', () => {
  function exchange(): [IncomingMessage, ServerResponse] {
    const request = new IncomingMessage(new Socket())
    request.rawHeaders.push(...Object.entries(right).flat())
    return [request, new ServerResponse(request)]
  }
  const failure = new Error('of the application')
  const { scheme } = schemeFor(new Clock())

  it.each([
    [
      'next on Express, which is called once',
      (fail: () => never, [req, res]: ReturnType<typeof exchange>) =>
        void expressGuard(scheme)(req as Request, res as Response, fail),
    ],
    [
      'a listener of node:http',
      (fail: () => never, both: ReturnType<typeof exchange>) => nodeGuard(scheme, fail)(...both),
    ],
  ])('is an uncaught exception of %s, and no rejection of the guard', async (_, guard) => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    })
    const seen = new Promise((done) => {
      process.once('uncaughtException', (error, origin) => done([error, origin]))
    })
    let calls = 0
    guard(() => {
      calls++
      throw failure
    }, exchange())
    expect(await seen).toEqual([failure, 'uncaughtException'])
    expect(calls).toBe(1)
  })
})
