import { renameSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createLocalJWKSet } from 'jose'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import { JWTAuth } from '../../src/server/jwt.js'
import { callerOf, totpGuard } from '../../src/server/node.js'
import { makeConfig } from '../../src/server/scheme/config.js'
import {
  PeerTokenAuth,
  SimpleTokenAuth,
  type ServerAuthScheme,
  type TokenVerdict,
} from '../../src/server/scheme/delegates.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { StrangerGate } from '../../src/server/scheme/stranger-gate.js'
import { memoryState } from '../../src/state/memory-state.js'
import { temporaryFolder } from '../support/folder.js'
import { Clock, codeOf, peers, requestWith, schemeFor, someInstant, wrongCodeOf } from '../support/guarded.js'
import { audience, issuer, makeKey, tokenBy, type IssuerKey } from '../support/key-server.js'
import { heapUsed } from '../support/memory.js'
import { serverFile } from '../support/server-file.js'

const folder = temporaryFolder()
const attacker = '192.0.2.66'
let key: IssuerKey
let forged: string[]

beforeAll(async () => {
  key = await makeKey({ kid: 'k' })
  const forger = await makeKey()
  forged = await Promise.all(
    Array.from({ length: 3000 }, (_, n) => tokenBy(forger, { jti: `f${n}` }, { kid: 'k' })),
  )
})

const good = (claims: object = {}): Promise<string> =>
  tokenBy(key, { exp: 2_000_000_000, ...claims }, { kid: 'k' })

/** A delegate for the issuer's tokens, which counts how many it has looked for a key for. */
function issuerAuth(): { delegate: JWTAuth; checks: () => number } {
  const find = createLocalJWKSet({ keys: [key.jwk] })
  const counting = vi.fn((...given: Parameters<typeof find>) => find(...given))
  return {
    delegate: new JWTAuth({ key: counting, issuer, audience }),
    checks: () => counting.mock.calls.length,
  }
}

/** Sends tokens with the right code of the clock's time step, and tells what becomes of them. */
function subjectOf(options: Parameters<typeof schemeFor>[1]) {
  const clock = new Clock()
  const { scheme, events } = schemeFor(clock, options)
  const send = async (
    token: string,
    source = attacker,
    code = codeOf('alice', clock.at),
  ): Promise<string> => {
    const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': code }
    const { caller, refusal } = await scheme.authenticate(requestWith(fields, source))
    return caller?.peer ?? refusal?.reason ?? ''
  }
  const exhaust = async (source = attacker): Promise<void> => {
    for (const token of forged.slice(0, 60)) expect(await send(token, source)).toBe('token-refused')
  }
  return { scheme, events, clock, send, exhaust }
}

describe('a source with more unknown tokens than its limit', () => {
  it('has 60 of 3,000 forged tokens checked, while a token that was let in before passes all the while', async () => {
    const { delegate, checks } = issuerAuth()
    const { send, clock } = subjectOf({ delegate })
    const [known, fresh] = [await good({ jti: 'known' }), await good({ jti: 'fresh' })]
    expect(await send(known)).toBe('alice')
    const before = checks()
    let passed = 0
    for (const [n, token] of forged.entries()) {
      expect(await send(token)).toBe(n < 60 ? 'token-refused' : 'strangers-exhausted')
      if (n % 100 === 0 && (await send(known)) === 'alice') passed++
    }
    expect(passed).toBe(30)
    expect(checks() - before).toBe(60 + 30)

    expect(await send(fresh)).toBe('strangers-exhausted')
    expect(await send(fresh, '192.0.2.7')).toBe('alice')
    expect(await send(forged[0] ?? '', '192.0.2.7')).toBe('token-refused')
    clock.advance(60)
    expect(await send(await good({ jti: 'other' }))).toBe('alice')
  })

  it('has no more checked when all of them come at once', async () => {
    const { delegate, checks } = issuerAuth()
    const { send } = subjectOf({ delegate })
    const known = await good()
    expect(await send(known)).toBe('alice')
    const before = checks()
    const [reasons, own, elsewhere] = await Promise.all([
      Promise.all(forged.map((token) => send(token))),
      Promise.all(Array.from({ length: 50 }, () => send(known))),
      send(forged[0] ?? '', '192.0.2.7'),
    ])
    expect(reasons.filter((reason) => reason === 'token-refused')).toHaveLength(60)
    expect(reasons.filter((reason) => reason === 'strangers-exhausted')).toHaveLength(2940)
    expect(new Set(own)).toEqual(new Set(['alice']))
    expect(elsewhere).toBe('token-refused')
    expect(checks() - before).toBe(60 + 50 + 1)
  })

  it('answers over HTTP as before: 429 with the seconds to wait', { timeout: 120_000 }, async () => {
    const { delegate, checks } = issuerAuth()
    const { scheme } = schemeFor(new Clock(), { delegate, now: () => someInstant })
    const server = createServer(totpGuard(scheme, (req, res) => res.end(callerOf(req)?.peer)))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const agent = new Agent({ keepAlive: true, maxSockets: 50 })
    onTestFinished(() => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const call = (token: string): Promise<[number | undefined, string | undefined]> =>
      new Promise((done, fail) => {
        const headers = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf('alice', someInstant) }
        request({ host: '127.0.0.1', port, agent, headers }, (response) => {
          response.resume()
          response.on('end', () => done([response.statusCode, response.headers['retry-after']]))
        })
          .on('error', fail)
          .end()
      })
    const known = await good()
    expect(await call(known)).toEqual([200, undefined])
    const answers = await Promise.all(forged.map((token) => call(token)))
    expect(answers.filter(([status]) => status === 401)).toHaveLength(60)
    expect(answers.filter(([status, wait]) => status === 429 && wait === '60')).toHaveLength(2940)
    expect(checks()).toBe(61)
    expect(await call(known)).toEqual([200, undefined])
  })

  it('lets in good tokens that were never seen, however many come at once', async () => {
    const { delegate } = issuerAuth()
    const { send } = subjectOf({ delegate })
    const tokens = await Promise.all(Array.from({ length: 300 }, (_, n) => good({ jti: `g${n}` })))
    expect(new Set(await Promise.all(tokens.map((token) => send(token))))).toEqual(new Set(['alice']))
  })

  it('checks a token that was let in before in full, and once it is expired like any other', async () => {
    const { delegate, checks } = issuerAuth()
    const { send, exhaust, clock } = subjectOf({ delegate, throttle: { strangers: { perMinute: 61 } } })
    const token = await good({ exp: Math.floor(someInstant.getTime() / 1000) + 10 })
    expect(await send(token)).toBe('alice')
    await exhaust()
    clock.advance(30)
    expect(await send(token)).toBe('token-refused')
    const before = checks()
    for (let n = 0; n < 10; n++) expect(await send(token)).toBe('strangers-exhausted')
    expect(checks()).toBe(before)
  })

  it('gains nothing by wrong codes: they make no token known, and none forgotten', async () => {
    const { delegate } = issuerAuth()
    const { send, exhaust, clock } = subjectOf({ delegate })
    const known = await good({ jti: 'known' })
    expect(await send(known)).toBe('alice')
    const stolen = await Promise.all(Array.from({ length: 40 }, (_, n) => good({ jti: `s${n}` })))
    for (const [n, token] of stolen.entries()) {
      expect(await send(token, attacker, wrongCodeOf(someInstant, n))).toMatch(
        /^code-wrong|guesses-exhausted$/,
      )
    }
    // All tokens of a peer share its budget.
    clock.advance(30)
    await exhaust()
    expect(await send(known)).toBe('alice')
    expect(await send(stolen[0] ?? '')).toBe('strangers-exhausted')
  })

  it("makes no other peer's token forgotten by many good ones of its own", async () => {
    const { delegate } = issuerAuth()
    const { send, exhaust } = subjectOf({ delegate })
    const known = await good()
    expect(await send(known)).toBe('alice')
    const own = await Promise.all(Array.from({ length: 40 }, (_, n) => good({ sub: 'bob', jti: `b${n}` })))
    const code = codeOf('bob', someInstant)
    for (const token of own) expect(await send(token, attacker, code)).toBe('bob')
    await exhaust()
    expect(await send(known)).toBe('alice')
    expect(await send(own.at(-1) ?? '', attacker, code)).toBe('bob')
    expect(await send(own[0] ?? '', attacker, code)).toBe('strangers-exhausted')
  })

  it('counts good tokens of nobody here, which cost as much', async () => {
    const { delegate, checks } = issuerAuth()
    const { send } = subjectOf({ delegate })
    for (let n = 0; n < 70; n++) {
      const token = await good({ sub: 'mallory', jti: `m${n}` })
      expect(await send(token)).toBe(n < 60 ? 'peer-unknown' : 'strangers-exhausted')
    }
    expect(checks()).toBe(60)
  })

  it.each<[what: string, delegate: () => ServerAuthScheme]>([
    ['PeerTokenAuth', () => new PeerTokenAuth({ [peers.alice.token]: 'alice' })],
    ['SimpleTokenAuth', () => new SimpleTokenAuth({ token: peers.alice.token, peer: 'alice' })],
    [
      'a delegate that says that it only looks up',
      () => ({
        isLookup: true,
        authenticateToken: (token) => (token === peers.alice.token ? { peer: 'alice' } : { refusal: 'no' }),
      }),
    ],
  ])('is served by %s for every token that it knows', async (_, delegate) => {
    const { send, exhaust } = subjectOf({ delegate: delegate() })
    await exhaust()
    expect(await send(forged[0] ?? '')).toBe('strangers-exhausted')
    expect(await send(peers.alice.token)).toBe('alice')
  })

  it('is served for tokens of the map, whatever the delegate costs', async () => {
    const authenticateToken = vi.fn((token: string) => (token === peers.alice.token ? {} : { refusal: 'no' }))
    const tokenToPeer = { [peers.alice.token]: 'alice' }
    const { send, exhaust } = subjectOf({ delegate: { authenticateToken }, tokenToPeer })
    await exhaust()
    for (const token of forged.slice(0, 100)) expect(await send(token)).toBe('strangers-exhausted')
    expect(authenticateToken).toHaveBeenCalledTimes(60)
    expect(await send(peers.alice.token)).toBe('alice')
  })

  it('is not made by requests without a token, about which no delegate is asked', async () => {
    const authenticateToken = vi.fn(() => ({ refusal: 'unknown' }))
    const { scheme, send } = subjectOf({
      delegate: { isLookup: true, authenticateToken },
      throttle: { strangers: { perMinute: 1 } },
    })
    for (const Authorization of [[], 'Basic YWxpY2U6', 'Bearer']) {
      await scheme.authenticate(requestWith({ Authorization }, attacker))
    }
    expect(authenticateToken).not.toHaveBeenCalled()
    expect(await send('unknown')).toBe('token-refused')
    expect(await send('unknown')).toBe('strangers-exhausted')
  })

  it('never has more checked at once than its limit allows, however checks end', async () => {
    const running: ((verdict: TokenVerdict) => void)[] = []
    const authenticateToken = () => new Promise<TokenVerdict>((done) => running.push(done))
    const { send } = subjectOf({ delegate: { authenticateToken }, throttle: { strangers: { perMinute: 2 } } })
    const answers: Promise<string>[] = []
    const ask = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) answers.push(send(`t${answers.length}`))
      await new Promise(setImmediate)
    }
    await ask(3)
    for (let turn = 0; turn < 3; turn++) {
      expect(running).toHaveLength(2)
      running.shift()?.({ peer: 'alice' })
      await ask(2)
    }
    while (running.length > 0) {
      expect(running.length).toBeLessThanOrEqual(2)
      running.shift()?.({ peer: 'alice' })
      await ask(0)
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 9 }, () => 'alice'))
  })

  it('is forgotten once its checks are over, however many sources there are', async () => {
    const { firstFactor } = makeConfig(
      {
        delegate: { authenticateToken: () => ({ refusal: 'unknown' }) },
        peerSeeds: { alice: peers.alice.seed },
        replay: 'reuse',
      },
      memoryState(),
    )
    const gate = new StrangerGate({ sources: 1 })
    const askFrom = (source: string): unknown =>
      gate.identify(firstFactor, 'unknown', hashToken('unknown'), { source }, someInstant)
    expect(await askFrom(attacker)).toEqual({ reason: 'token-refused' })
    const before = heapUsed()
    for (let n = 0; n < 50_000; n++) await askFrom(`source ${n}`)
    expect(heapUsed() - before).toBeLessThan(4 * 1024 * 1024)
  })

  it('waits for a delegate that does not answer, but not for long, and the event says why', async () => {
    const never = { authenticateToken: () => new Promise<never>(() => undefined) }
    const { scheme, events } = subjectOf({ delegate: never, throttle: { strangers: { perMinute: 1 } } })
    const fields = { Authorization: 'Bearer unknown' }
    void scheme.authenticate(requestWith(fields))
    expect(await scheme.authenticate(requestWith(fields))).toMatchObject({
      refusal: { kind: 'unavailable', reason: 'delegate-failed' },
    })
    expect(events).toMatchObject([
      {
        reason: 'delegate-failed',
        cause: 'overload',
        advice: expect.stringContaining('too many new tokens') as string,
      },
    ])
  })

  it('does not count a delegate that fails, and passes the turn on', async () => {
    let fail = true
    const authenticateToken = async (): Promise<{ peer: string }> => {
      await new Promise(setImmediate)
      if (fail) throw new Error('down')
      return { peer: 'alice' }
    }
    const { send } = subjectOf({ delegate: { authenticateToken }, throttle: { strangers: { perMinute: 2 } } })
    const failures = Array.from({ length: 20 }, (_, n) => send(`t${n}`))
    expect(new Set(await Promise.all(failures))).toEqual(new Set(['delegate-failed']))
    fail = false
    expect(await send('t')).toBe('alice')
  })

  it('keeps what it knows when the server file changes', async () => {
    const { delegate } = issuerAuth()
    const path = join(folder, 'server.json')
    const write = (): void => {
      writeFileSync(`${path}.new`, JSON.stringify(serverFile()))
      renameSync(`${path}.new`, path)
    }
    write()
    const loaded = vi.fn()
    const scheme = TOTPServerAuthScheme.fromFile(path, {
      delegate,
      now: () => someInstant,
      onEvent: ({ type }) => {
        if (type === 'server_file_loaded') loaded()
      },
    })
    onTestFinished(() => scheme.close())
    const send = async (token: string): Promise<string | undefined> => {
      const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf('alice', someInstant) }
      const { caller, refusal } = await scheme.authenticate(requestWith(fields))
      return caller?.peer ?? refusal?.reason
    }
    const known = await good()
    expect(await send(known)).toBe('alice')
    for (const token of forged.slice(0, 60)) expect(await send(token)).toBe('token-refused')
    write()
    await vi.waitFor(() => expect(loaded).toHaveBeenCalled(), { interval: 20 })
    expect(await send(known)).toBe('alice')
    expect(await send(forged[0] ?? '')).toBe('strangers-exhausted')
  })

  it.each([null, 7, ['192.0.2.1']])('can be called %j by plain JavaScript', async (source) => {
    const { delegate } = issuerAuth()
    const { scheme } = schemeFor(new Clock(), { delegate, onEvent: undefined })
    const send = async (token: string): Promise<string | undefined> => {
      const fields = { Authorization: `Bearer ${token}`, 'X-TOTP': codeOf('alice', someInstant) }
      const { caller, refusal } = await scheme.authenticate(requestWith(fields, source as never))
      return caller?.peer ?? refusal?.reason
    }
    for (const token of forged.slice(0, 60)) expect(await send(token)).toBe('token-refused')
    expect(await send(await good())).toBe('strangers-exhausted')
  })
})
