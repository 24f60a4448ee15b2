import { inspect } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import {
  memoryState,
  PeerTokenAuth,
  type TOTPServerAuthScheme,
  type Caller,
  type FromFileOptions,
  type PeerSeedsOptions,
  type State,
} from '../../src/server/index.js'
import { JWTAuth } from '../../src/server/jwt.js'
import { temporaryFolder } from '../support/folder.js'
import { followedScheme, type FollowedScheme } from '../support/followed-scheme.js'
import {
  Clock,
  headersOf,
  peers,
  requestWith,
  schemeFor,
  someInstant,
  type PeerName,
} from '../support/guarded.js'
import { heapUsed } from '../support/memory.js'
import { seedEntry, serverFile, tokenEntry, type ServerFileDocument } from '../support/server-file.js'

const folder = temporaryFolder()
const clock = new Clock()
const open: TOTPServerAuthScheme[] = []
afterEach(() => {
  for (const scheme of open.splice(0)) scheme.close()
  clock.at = someInstant
  vi.useRealTimers()
})

/** A document with something of it changed. */
function changed(change: (file: ServerFileDocument) => void): ServerFileDocument {
  const file = serverFile()
  change(file)
  return file
}
const alice = (fields: Record<string, unknown>): ServerFileDocument =>
  changed((file) => Object.assign(file.peers['alice'] ?? {}, fields))

function fromFile(document: object, options: FromFileOptions = {}): FollowedScheme {
  const followed = followedScheme(folder, document, { now: clock.now, ...options })
  open.push(followed.scheme)
  return followed
}

async function admit(scheme: TOTPServerAuthScheme, headers = headersOf('alice', clock.at)): Promise<Caller> {
  const { caller, refusal } = await scheme.authenticate(requestWith(headers))
  return caller ?? expect.fail(`refused: ${refusal.reason}`)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  vi.waitFor(() => expect(signal.aborted).toBe(true), { interval: 10 })

const revoked: unknown = expect.objectContaining({ name: 'TOTPError', code: 'ERR_CREDENTIAL_REVOKED' })
const expired: unknown = expect.objectContaining({ name: 'TOTPError', code: 'ERR_CREDENTIAL_EXPIRED' })

/** Credentials of alice's that she had before. */
const olderToken = 'a2at_older'
const both = alice({
  seeds: [seedEntry('old', 'alice'), seedEntry('new', 'bob')],
  tokens: [tokenEntry('old', peers.alice.token), tokenEntry('new', olderToken)],
})
const withoutAlice = changed(({ peers: all }) => delete all['alice'])
const sharedSeeds = (peer: PeerName): ServerFileDocument =>
  changed((file) => {
    file['sharedSeeds'] = [seedEntry('shared', peer)]
    for (const entry of Object.values(file.peers)) delete entry['seeds']
  })

describe('the signal of a caller, after a change of the server file', () => {
  it.each<[what: string, before: object, after: object]>([
    ['its peer', serverFile(), withoutAlice],
    ['its token', both, alice({ tokens: [tokenEntry('new', olderToken)] })],
    [
      'its seed',
      both,
      alice({ seeds: [seedEntry('old', 'bob')], tokens: [tokenEntry('old', peers.alice.token)] }),
    ],
    [
      'its token as a token of this peer',
      serverFile(),
      changed(({ peers: { alice: a = {}, bob: b = {} } }) => {
        a['tokens'] = [tokenEntry('t', olderToken)]
        b['tokens'] = [tokenEntry('alice-token', peers.alice.token)]
      }),
    ],
    [
      'its peer under this name',
      serverFile(),
      changed(({ peers: all }) => {
        all['alicia'] = all['alice'] ?? {}
        delete all['alice']
      }),
    ],
    ['its shared seed', sharedSeeds('alice'), sharedSeeds('bob')],
    ['a seed of its own', serverFile(), sharedSeeds('bob')],
  ])('is aborted if the file no longer has %s', async (_, before, after) => {
    const { scheme, replace } = fromFile(before)
    const { signal } = await admit(scheme)
    const heard = vi.fn()
    signal.addEventListener('abort', heard)
    expect(signal.aborted).toBe(false)
    await replace(after)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toEqual(revoked)
    expect(heard).toHaveBeenCalledOnce()
  })

  it.each<[what: string, before: object, after: object]>([
    ['nothing but its serial', serverFile(), changed((file) => (file['serial'] = 2))],
    ['another peer', serverFile(), changed(({ peers: all }) => delete all['bob'])],
    [
      'ids and places',
      both,
      alice({
        seeds: [seedEntry('x', 'bob'), seedEntry('y', 'alice')],
        tokens: [tokenEntry('x', olderToken), tokenEntry('y', peers.alice.token)],
      }),
    ],
    ['the policy', serverFile(), alice({ replay: 'once' })],
    ['the profile', serverFile(), alice({ digits: 8, period: 60 })],
    [
      'the header and the window',
      serverFile(),
      changed(({ profile }) => Object.assign(profile, { header: 'X-Other', window: 2 })),
    ],
    ['the seed from its own to a shared one', serverFile(), sharedSeeds('alice')],
    [
      'the end of its credentials, to a later one',
      alice({ tokens: [tokenEntry('t', peers.alice.token, '2027-01-15T09:00:00Z')] }),
      serverFile(),
    ],
  ])('is not aborted if the file changes %s', async (_, before, after) => {
    const { scheme, replace } = fromFile(before)
    const { signal } = await admit(scheme)
    await replace(after)
    expect(signal.aborted).toBe(false)
    await replace(withoutAlice)
    expect(signal.reason).toEqual(revoked)
  })

  it('stays when a broken file is refused, and when the scheme is closed', async () => {
    const { scheme, replace } = fromFile(serverFile())
    const { signal } = await admit(scheme)
    await replace({})
    scheme.close()
    expect(signal.aborted).toBe(false)
  })

  it('is aborted when it is first read, if the credentials have gone before', async () => {
    const { scheme, replace } = fromFile(serverFile())
    const early = await admit(scheme)
    const bob = await admit(scheme, headersOf('bob', clock.at))
    await replace(withoutAlice)
    expect(early.signal.aborted).toBe(true)
    expect(early.signal).toBe(early.signal)
    expect(early.signal.reason).toEqual(revoked)
    expect(bob.signal.aborted).toBe(false)
  })

  it('is aborted if the file changed while the state was deciding', async () => {
    let accept = (): void => undefined
    const memory = memoryState({ since: new Date(0) })
    const asked = vi.fn()
    const state: State = {
      supports: memory.supports,
      decide: async (attempt) => {
        const wait = new Promise<void>((done) => (accept = done))
        asked()
        await wait
        return memory.decide(attempt)
      },
    }
    const { scheme, replace } = fromFile(serverFile(), { state })
    const pending = admit(scheme)
    await vi.waitFor(() => expect(asked).toHaveBeenCalled())
    await replace(withoutAlice)
    accept()
    expect((await pending).signal.reason).toEqual(revoked)
  })

  it('is aborted if the peer is removed, also where another delegate checks the token', async () => {
    const delegate = { authenticateToken: () => ({ peer: 'alice' }) }
    const { scheme, replace } = fromFile(serverFile(), { delegate })
    const { signal } = await admit(scheme)
    await replace(alice({ tokens: [tokenEntry('new', olderToken)] }))
    expect(signal.aborted).toBe(false)
    await replace(withoutAlice)
    expect(signal.reason).toEqual(revoked)
  })
})

/** Some seconds ahead of the clock. */
const ahead = (seconds: number): Date => new Date(someInstant.getTime() + seconds * 1000)
const key = new TextEncoder().encode('a key of at least thirty-two bytes')
const jwtAuth = new JWTAuth({ key, algorithms: ['HS256'], issuer: 'i', audience: 'a', clockTolerance: 5 })
const jwtUntil = (exp: number): Promise<string> =>
  new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('i')
    .setAudience('a')
    .setExpirationTime(exp)
    .sign(key)

describe('the signal of a caller, when credentials expire', () => {
  const expiring: [what: string, given: () => Partial<PeerSeedsOptions>][] = [
    [
      'a token of PeerTokenAuth',
      () => ({
        delegate: new PeerTokenAuth([{ peer: 'alice', token: peers.alice.token, expiresAt: ahead(60) }]),
      }),
    ],
    [
      'a seed of peerSeeds',
      () => ({ peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed, expiresAt: ahead(60) }] } } }),
    ],
    [
      'a token of a delegate of your own',
      () => ({ delegate: { authenticateToken: () => ({ peer: 'alice', expiresAt: ahead(60) }) } }),
    ],
    [
      'whichever is first',
      () => ({
        delegate: { authenticateToken: () => ({ peer: 'alice', expiresAt: ahead(60) }) },
        peerSeeds: { alice: { seeds: [{ seed: peers.alice.seed, expiresAt: ahead(90) }] } },
      }),
    ],
  ]
  it.each(expiring)('is aborted at that instant of the clock of the scheme: %s', async (_, given) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { scheme } = schemeFor(clock, given())
    const { signal } = await admit(scheme)
    clock.advance(59.999)
    vi.advanceTimersByTime(2000)
    expect(signal.aborted).toBe(false)
    clock.advance(0.001)
    vi.advanceTimersByTime(1000)
    expect(signal.reason).toEqual(expired)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('follows the exp of a JWT, and the tolerance for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const exp = someInstant.getTime() / 1000 + 60
    const { scheme } = schemeFor(clock, { delegate: jwtAuth })
    const headers = { ...headersOf('alice', clock.at), Authorization: `Bearer ${await jwtUntil(exp)}` }
    const { signal } = await admit(scheme, headers)
    clock.advance(64.999)
    vi.advanceTimersByTime(2000)
    expect(signal.aborted).toBe(false)
    expect(
      (await admit(scheme, { ...headersOf('alice', clock.at), Authorization: headers.Authorization })).peer,
    ).toBe('alice')
    clock.advance(0.001)
    vi.advanceTimersByTime(1000)
    expect(signal.reason).toEqual(expired)
    const late = await scheme.authenticate(
      requestWith({ ...headersOf('alice', clock.at), Authorization: headers.Authorization }),
    )
    expect(late.refusal?.reason).toBe('token-refused')
  })

  it('is not aborted early, however far off that is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { scheme } = schemeFor(clock, {
      delegate: new PeerTokenAuth([
        { peer: 'alice', token: peers.alice.token, expiresAt: ahead(2 ** 31 / 1000 + 3600) },
      ]),
    })
    const { signal } = await admit(scheme)
    vi.advanceTimersByTime(60_000)
    expect(signal.aborted).toBe(false)
    clock.advance(2 ** 31 / 1000 + 3600)
    vi.advanceTimersByTime(1000)
    expect(signal.reason).toEqual(expired)
  })

  it('follows a change of the end in the server file', async () => {
    const until = (iso: string): object => alice({ tokens: [tokenEntry('t', peers.alice.token, iso)] })
    const { scheme, replace } = fromFile(until('2027-01-15T09:00:00Z'))
    const { signal } = await admit(scheme)
    await replace(until('2027-01-15T08:01:00Z'))
    expect(signal.aborted).toBe(false)
    clock.at = new Date('2027-01-15T08:01:00Z')
    await aborted(signal)
    expect(signal.reason).toEqual(expired)
  })

  it('says expired of what the next file has dropped or still has, once it has expired', async () => {
    const { scheme, replace } = fromFile(
      alice({ tokens: [tokenEntry('t', peers.alice.token, '2027-01-15T08:01:00Z')] }),
    )
    const caller = await admit(scheme)
    clock.at = new Date('2027-01-15T08:02:00Z')
    await replace(alice({ tokens: [tokenEntry('u', peers.alice.token, '2027-01-15T08:01:00Z')] }))
    expect(caller.signal.reason).toEqual(expired)
  })

  it('ends each of many at its own time, with one timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let expiresAt = ahead(0)
    const { scheme } = schemeFor(clock, {
      delegate: { authenticateToken: () => ({ peer: 'alice', expiresAt }) },
    })
    const signals: AbortSignal[] = []
    for (const seconds of [30, 10, 20]) {
      expiresAt = ahead(seconds)
      signals.push((await admit(scheme)).signal)
    }
    expect(vi.getTimerCount()).toBe(1)
    const states = (): boolean[] => signals.map(({ aborted: is }) => is)
    for (const expected of [
      [false, true, false],
      [false, true, true],
      [true, true, true],
    ]) {
      clock.advance(10)
      vi.advanceTimersByTime(1000)
      expect(states()).toEqual(expected)
    }
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each<[unknown]>([['tomorrow'], [1_800_000_060_000], [new Date(NaN)], [ahead(0)], [ahead(-1)]])(
    'a delegate that says %s has refused the token',
    async (expiresAt) => {
      const { scheme } = schemeFor(clock, {
        delegate: { authenticateToken: () => ({ peer: 'alice', expiresAt: expiresAt as Date }) },
      })
      const { refusal } = await scheme.authenticate(requestWith(headersOf('alice', clock.at)))
      expect(refusal).toMatchObject({ kind: 'unauthenticated', reason: 'token-refused' })
    },
  )
})

// eslint-disable-next-line @typescript-eslint/no-misused-spread -- users may well do it
const copyOf = (caller: Caller) => ({ ...caller })

describe('a caller', () => {
  it('is in JSON, in a copy and on a console what it was without a signal, and shows no secret', async () => {
    const { scheme } = schemeFor(clock)
    const caller = await admit(scheme)
    const facts = {
      peer: 'alice',
      seedId: 'seed-1',
      timeStep: 60_000_000,
      drift: 0,
      proof: 'code',
      claims: {},
    }
    for (const when of ['before', 'after the signal was read']) {
      expect([when, JSON.parse(JSON.stringify(caller))]).toEqual([when, facts])
      expect([when, copyOf(caller)]).toEqual([when, facts])
      expect([when, structuredClone(caller)]).toEqual([when, facts])
      const shown = inspect(caller, { showHidden: true, depth: 9 })
      for (const secret of [peers.alice.token, hashToken(peers.alice.token), peers.alice.seed.base32]) {
        expect(shown).not.toContain(secret)
      }
      expect(caller.signal.aborted).toBe(false)
    }
    const copy = copyOf(caller)
    // @ts-expect-error A copy has no signal.
    expect(copy.signal).toBeUndefined()
  })

  it('has a reason without secrets', async () => {
    const { scheme, replace } = fromFile(serverFile())
    const { signal } = await admit(scheme)
    await replace(withoutAlice)
    const shown = inspect(signal.reason, { showHidden: true, depth: 9 })
    expect(shown).toContain('alice')
    for (const secret of [peers.alice.token, hashToken(peers.alice.token), peers.alice.seed.base32])
      expect(shown).not.toContain(secret)
  })

  it('can be forgotten, signal and all, 100,000 times', async () => {
    const { scheme } = schemeFor(clock, {
      delegate: { authenticateToken: () => ({ peer: 'alice', expiresAt: ahead(3600) }) },
      onEvent: () => undefined,
    })
    const request = requestWith(headersOf('alice', clock.at))
    const heard = vi.fn()
    const read = async (): Promise<void> => {
      const { caller } = await scheme.authenticate(request)
      caller?.signal.addEventListener('abort', heard)
    }
    await read()
    const before = heapUsed()
    for (let n = 0; n < 100_000; n++) await read()
    // What is collected is released a little later.
    await expect.poll(() => heapUsed() - before, { interval: 200 }).toBeLessThan(16 * 1024 * 1024)
    expect(heard).not.toHaveBeenCalled()
  }, 60_000)

  it('keeps its signal, and a signal keeps itself, through garbage collections', async () => {
    const { scheme, replace } = fromFile(serverFile())
    const kept = await admit(scheme)
    const { signal } = await admit(scheme)
    const heard = vi.fn()
    kept.signal.addEventListener('abort', heard)
    for (let turn = 0; turn < 3; turn++) {
      heapUsed()
      await sleep(10)
    }
    await replace(withoutAlice)
    expect(signal.aborted).toBe(true)
    expect(heard).toHaveBeenCalledOnce()
  })
})
