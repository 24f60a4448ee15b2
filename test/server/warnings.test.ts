import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { TOTPServerAuthScheme, type AuthEvent, type State } from '../../src/server/index.js'
import { JWTAuth } from '../../src/server/jwt.js'
import { totpGuard } from '../../src/server/node.js'
import type { OnEvent } from '../../src/server/scheme/events.js'
import { temporaryFolder } from '../support/folder.js'
import { freePort } from '../support/free-ports.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  secondLooks,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { serverFile } from '../support/server-file.js'

interface SeenWarning extends Error {
  readonly code?: string
}
let warnings: SeenWarning[]
const note = (warning: Error): void => void warnings.push(warning)
beforeEach(() => {
  warnings = []
  process.on('warning', note)
})
afterEach(() => {
  process.off('warning', note)
  vi.useRealTimers()
})

/** All warnings so far, with those of second looks. Node hands them over in the next tick. */
async function written(): Promise<SeenWarning[]> {
  await secondLooks()
  await new Promise((done) => setImmediate(done))
  return warnings.filter(({ name }) => name === 'TOTPWarning')
}

const folder = temporaryFolder()
const right = headersOf('alice', someInstant)
const unheard = { onEvent: undefined }

const failing = (error: Error): State => ({
  supports: { once: true },
  decide: () => {
    throw error
  },
})

/** As many wrong codes with a live token as trip a budget, each as a guess of its own. */
async function guess(scheme: TOTPServerAuthScheme, times = 31): Promise<void> {
  for (let which = 0; which < times; which++) {
    const code = wrongCodeOf(someInstant, which)
    await scheme.authenticate(requestWith({ Authorization: bearerOf('alice'), 'X-TOTP': code }))
  }
}

describe('without onEvent', () => {
  it('a token that may be stolen is a process warning, once a trip', async () => {
    await guess(schemeFor(new Clock(), unheard).scheme)
    const [warning, ...others] = await written()
    expect(others).toEqual([])
    expect(warning).toMatchObject({ name: 'TOTPWarning', code: 'token_compromise_suspected' })
    expect(warning?.message).toMatch(/"alice".*rotate/)
  })

  it('it is one with a server file as well, as is a file that cannot be used', async () => {
    const path = join(folder, 'server.json')
    writeFileSync(path, JSON.stringify(serverFile()), { mode: 0o600 })
    const scheme = TOTPServerAuthScheme.fromFile(path, { now: () => someInstant })
    onTestFinished(() => scheme.close())
    await guess(scheme)
    writeFileSync(path, 'no JSON')
    const codes = async (): Promise<unknown[]> => (await written()).map(({ code }) => code)
    await expect.poll(codes).toEqual(['token_compromise_suspected', 'server_file_refused'])
  })

  it.each([
    ['ECONNREFUSED', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['ECONNREFUSED', new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })],
    ['timeout', new DOMException('late', 'TimeoutError')],
    ['NOPERM', new Error('NOPERM user hunter2 has no permissions')],
    ['unknown', new Error('hunter2')],
    ['unknown', Object.assign(new Error('hunter2'), { code: 'HUNTER2', name: 'Hunter2Error' })],
    ['unknown', 'hunter2'],
    ['unknown', undefined],
    [
      'unknown',
      {
        get cause(): never {
          throw new Error('hunter2')
        },
      },
    ],
  ])('a state that cannot be asked is one, which names %s and quotes nothing: %#', async (cause, error) => {
    const { scheme } = schemeFor(new Clock(), { ...unheard, state: failing(error as Error) })
    await scheme.authenticate(requestWith(right))
    const [warning, ...others] = await written()
    expect(others).toEqual([])
    expect(warning?.code).toBe('guard-failed')
    expect(warning?.message).toContain(`(${cause}):`)
    expect(warning?.message).not.toMatch(/hunter2/i)
  })

  it('a state that accepts what is wrong is one', async () => {
    const state: State = { supports: { once: true }, decide: () => ({ kind: 'accepted' }) }
    await guess(schemeFor(new Clock(), { ...unheard, state }).scheme, 1)
    expect((await written()).map(({ message }) => message)).toEqual([expect.stringContaining('bad-decision')])
  })

  it('a delegate that cannot be asked is one: an issuer that is gone', async () => {
    const delegate = new JWTAuth({
      jwksUrl: `http://127.0.0.1:${await freePort()}`,
      issuer: 'i',
      audience: 'a',
    })
    const { scheme } = schemeFor(new Clock(), { ...unheard, delegate })
    const token = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.c2ln`
    const { refusal } = await scheme.authenticate(requestWith({ ...right, Authorization: `Bearer ${token}` }))
    expect(refusal?.reason).toBe('delegate-failed')
    const [warning] = await written()
    expect(warning).toMatchObject({ code: 'delegate-failed' })
    expect(warning?.message).toContain('(ECONNREFUSED):')
    expect(warning?.message).not.toContain(token)
  })

  it('an outage is one line a minute and cause, with a count', async () => {
    const clock = new Clock()
    let error = new Error('READONLY')
    const state: State = { supports: { once: true }, decide: () => Promise.reject(error) }
    const { scheme } = schemeFor(clock, { ...unheard, state })
    const ask = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n++)
        await scheme.authenticate(requestWith({ ...right, 'X-TOTP': codeOf('alice', clock.at) }))
    }
    await ask(1000)
    expect(await written()).toHaveLength(1)
    error = new Error('OOM')
    await ask(1000)
    expect(await written()).toHaveLength(2)
    clock.advance(60)
    await ask(500)
    const [, , third, ...others] = await written()
    expect(others).toEqual([])
    expect(third?.message).toMatch(/\(OOM\): .*\(999 more since the last warning\)$/)
  })

  it('an outage that ends within the minute is counted when the minute is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { scheme } = schemeFor(new Clock(), { ...unheard, state: failing(new Error('OOM')) })
    for (let n = 0; n < 10; n++) await scheme.authenticate(requestWith(right))
    expect(await written()).toHaveLength(1)
    vi.advanceTimersByTime(60_000)
    const [, second] = await written()
    expect(second?.message).toMatch(/\(OOM\): .*\(8 more since the last warning\)$/)
    vi.advanceTimersByTime(600_000)
    expect(await written()).toHaveLength(2)
  })

  it('nothing else is one', async () => {
    const { scheme } = schemeFor(new Clock(), { ...unheard, replay: 'once' })
    for (const fields of [right, right, {}, { ...right, Authorization: 'Bearer nobody' }])
      await scheme.authenticate(requestWith(fields))
    expect(await written()).toEqual([])
  })
})

describe('with onEvent', () => {
  it('nothing is a process warning', async () => {
    const { scheme, events } = schemeFor(new Clock())
    await guess(scheme)
    await secondLooks()
    expect(events.map(({ type }) => type)).toContain('token_compromise_suspected')
    await schemeFor(new Clock(), { state: failing(new Error('OOM')) }).scheme.authenticate(requestWith(right))
    expect(await written()).toEqual([])
  })

  it.each<[string, OnEvent]>([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
    ['rejects later', () => new Promise((_, fail) => setTimeout(() => fail(new Error('disk full')), 1))],
    [
      'rejects as promises of other realms do',
      () => ({ then: (_: unknown, fail: (error: Error) => void) => fail(new Error('disk full')) }),
    ],
    ['never ends', () => new Promise(() => undefined)],
    [
      'changes the event',
      (event: AuthEvent) => void Object.assign(event, { type: 'authenticated', peer: 'mallory', at: 0 }),
    ],
  ])('the answers are the same where the listener %s', async (_, onEvent) => {
    const unhandled: unknown[] = []
    const hear = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', hear)
    onTestFinished(() => void process.off('unhandledRejection', hear))
    const { scheme } = schemeFor(new Clock(), { onEvent })
    const origin = await serve(
      createServer(totpGuard(scheme, (_request, response) => response.end('served'))),
    )
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(origin, { method: 'POST', headers, signal: AbortSignal.timeout(10_000) })).status
    expect(await statusOf(right)).toBe(200)
    expect(await statusOf({})).toBe(401)
    const statuses: number[] = []
    for (let which = 0; which < 6; which++)
      statuses.push(await statusOf({ ...right, 'X-TOTP': wrongCodeOf(someInstant, which) }))
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    expect(
      await statusOf({ Authorization: `Bearer ${peers.bob.token}`, 'X-TOTP': codeOf('bob', someInstant) }),
    ).toBe(200)
    await new Promise((done) => setTimeout(done, 5))
    expect(unhandled).toEqual([])
  })
})

async function serve(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
