import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { hashToken } from '../../src/core/token.js'
import {
  PeerTokenAuth,
  SimpleTokenAuth,
  TOTPServerAuthScheme,
  type AuthEvent,
  type CanaryToken,
  type TOTPServerAuthSchemeOptions,
} from '../../src/server/index.js'
import { ownerOfCanary } from '../../src/server/scheme/canaries.js'
import { failureOf } from '../support/failure.js'
import { temporaryFolder } from '../support/folder.js'
import { Clock, codeOf, headersOf, peers, requestWith, schemeFor } from '../support/guarded.js'
import { serverFile } from '../support/server-file.js'

const bait = 'a2at_bait'
const sent = { Authorization: `Bearer ${bait}`, 'X-TOTP': '123456' }
const unknown = { Authorization: 'Bearer a2at_nobodys', 'X-TOTP': '123456' }
const trap: CanaryToken = { name: 'trap', id: 'c1', token: bait }

function watched(given: Partial<TOTPServerAuthSchemeOptions> = {}) {
  const clock = new Clock()
  const { scheme, events } = schemeFor(clock, { canaries: [trap], ...(given as object) })
  const send = async (fields: Parameters<typeof requestWith>[0], source?: string) => {
    const outcome = await scheme.authenticate(requestWith(fields, source))
    // The event comes after the answer, in the next turn.
    await turn()
    return outcome
  }
  return { clock, events, send, alarms: () => alarmsIn(events) }
}

/** A scheme of a server file with a delegate that accepts the bait as alice's token, until a rewrite makes it a canary's. */
function canaryFile() {
  const path = join(temporaryFolder(), 'server.json')
  const write = (canaries: object[]): void =>
    writeFileSync(path, JSON.stringify({ ...serverFile(), canaries }), { mode: 0o600 })
  write([])
  const scheme = TOTPServerAuthScheme.fromFile(path, {
    delegate: { authenticateToken: () => ({ peer: 'alice' }) },
    onEvent: () => undefined,
  })
  onTestFinished(() => scheme.close())
  return { scheme, rewrite: () => write([{ name: 'trap', id: 'c1', hash: hashToken(bait) }]) }
}

const alarmsIn = (events: readonly { type: string }[]) =>
  events.filter((event): event is AuthEvent & { type: 'canary_used' } => event.type === 'canary_used')

describe('the token of a canary', () => {
  it('is refused exactly as an unknown token is, and its use is reported', async () => {
    const { clock, send, alarms } = watched()
    const [one, other] = [await send(sent), await send(unknown)]
    expect(one).toEqual(other)
    expect(one.refusal?.reason).toBe('token-refused')
    expect(alarms()).toEqual([
      { type: 'canary_used', at: clock.at, binding: 'http', source: '192.0.2.1', canary: 'trap', id: 'c1' },
    ])
  })

  it.each([
    ['without a code', { Authorization: sent.Authorization }],
    ['with a code of a peer', { ...sent, 'X-TOTP': codeOf('alice', new Clock().at) }],
    ['with a malformed code', { ...sent, 'X-TOTP': 'x' }],
  ])('is recognised %s', async (_, fields) => {
    const { send, alarms } = watched()
    expect((await send(fields)).refusal?.kind).toBe('unauthenticated')
    expect(alarms()).toHaveLength(1)
  })

  it('may be given by its hash, as a server file has it', async () => {
    const { send, alarms } = watched({ canaries: [{ name: 'trap', hash: hashToken(bait) }] })
    await send(sent)
    expect(alarms()).toMatchObject([{ canary: 'trap' }])
    expect(alarms()[0]).not.toHaveProperty('id')
  })

  it('is reported after the answer, so that the listener costs the caller nothing', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock, { canaries: [trap] })
    await scheme.authenticate(requestWith(sent))
    expect(alarmsIn(events)).toHaveLength(0)
    await turn()
    expect(alarmsIn(events)).toHaveLength(1)
  })

  it('is counted as an unknown token, and reported even over the limit of unknown tokens', async () => {
    const { send, alarms } = watched({ throttle: { strangers: { perMinute: 1 } } })
    await send(unknown)
    const over = await send(sent)
    expect(over).toEqual(await send(unknown))
    expect(over.refusal?.reason).toBe('strangers-exhausted')
    expect(alarms()).toHaveLength(1)
  })

  it('is not let in by a delegate that accepts everything', async () => {
    const ask = vi.fn(() => ({ peer: 'alice' }))
    const { send, alarms, clock } = watched({ delegate: { authenticateToken: ask } })
    const outcome = await send({ ...sent, 'X-TOTP': codeOf('alice', clock.at) })
    expect(outcome.refusal).toMatchObject({ kind: 'unauthenticated', reason: 'token-refused' })
    expect(alarms()).toHaveLength(1)
    // It is asked all the same: the answer takes as long as to any other token.
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('is counted as an unknown token even if a delegate accepts it', async () => {
    const { send } = watched({
      delegate: { authenticateToken: () => ({ peer: 'alice' }) },
      throttle: { strangers: { perMinute: 2 } },
    })
    const reasons = []
    for (let n = 0; n < 3; n++) reasons.push((await send(sent)).refusal?.reason)
    expect(reasons).toEqual(['token-refused', 'token-refused', 'strangers-exhausted'])
  })

  it('ends what its token has open when it becomes a canary', async () => {
    const { scheme, rewrite } = canaryFile()
    const fields = { ...headersOf('alice', new Date()), Authorization: `Bearer ${bait}` }
    const { caller } = await scheme.authenticate(requestWith(fields))
    expect(caller?.peer).toBe('alice')
    expect(caller?.signal.aborted).toBe(false)
    rewrite()
    await expect.poll(() => caller?.signal.aborted).toBe(true)
  })

  it('costs no crash where the source is no text', async () => {
    const { send, alarms } = watched()
    await send(sent, { ip: 1 } as never)
    expect(alarms()).toHaveLength(1)
  })

  it('is checked against no subclass of a delegate of ours, which may do anything with a token', () => {
    class Issuer extends PeerTokenAuth {
      override authenticateToken(): never {
        throw new Error('asked')
      }
    }
    expect(() => watched({ delegate: new Issuer({}) })).not.toThrow()
  })

  it('is refused as an unknown token even if a delegate knows it, but no peer of that name', async () => {
    const { send } = watched({
      delegate: {
        authenticateToken: (token) => (token === bait ? { peer: 'nobody' } : { refusal: 'unknown' }),
      },
    })
    expect(await send(sent)).toEqual(await send(unknown))
  })

  it('is answered as any token while the delegate fails, and reported', async () => {
    const delegate = { authenticateToken: () => Promise.reject(new Error('down')) }
    const { send, alarms } = watched({ delegate })
    expect(await send(sent)).toEqual(await send(unknown))
    expect(alarms()).toHaveLength(1)
  })

  it('does not keep a peer out', async () => {
    const { send, clock } = watched()
    expect((await send(headersOf('alice', clock.at))).caller?.peer).toBe('alice')
  })
})

describe('the owner of a token that turns out to be a canary’s', () => {
  it.each([
    ['token-refused', 'token-refused'],
    ['peer-unknown', 'token-refused'],
    ['peer-conflict', 'token-refused'],
    ['delegate-failed', 'delegate-failed'],
    ['strangers-exhausted', 'strangers-exhausted'],
  ] as const)('is nobody, as for an unknown token, if it was nobody for %s: %s', (reason, as) => {
    expect(ownerOfCanary({ reason })).toEqual({ reason: as })
  })
})

describe('canary_used', () => {
  it('comes once a minute for each canary and source', async () => {
    const other: CanaryToken = { name: 'other', token: 'a2at_other' }
    const { clock, send, alarms } = watched({ canaries: [trap, other] })
    for (let time = 0; time < 3; time++) await send(sent, '192.0.2.1')
    await send(sent, '192.0.2.2')
    await send({ ...sent, Authorization: 'Bearer a2at_other' }, '192.0.2.1')
    expect(alarms().map(({ canary, source }) => `${canary} ${source}`)).toEqual([
      'trap 192.0.2.1',
      'trap 192.0.2.2',
      'other 192.0.2.1',
    ])
    clock.advance(59)
    await send(sent, '192.0.2.1')
    expect(alarms()).toHaveLength(3)
    clock.advance(1)
    await send(sent, '192.0.2.1')
    expect(alarms()).toHaveLength(4)
  })

  it('comes at most 100 times a minute for a canary, however many sources; no other canary is hidden', async () => {
    const other: CanaryToken = { name: 'other', token: 'a2at_other' }
    const { clock, send, alarms } = watched({ canaries: [trap, other] })
    for (let source = 0; source < 300; source++) await send(sent, `2001:db8::${source.toString(16)}`)
    expect(alarms()).toHaveLength(100)
    await send({ ...sent, Authorization: 'Bearer a2at_other' }, '2001:db8::1')
    expect(alarms().at(-1)).toMatchObject({ canary: 'other' })
    clock.advance(60)
    await send(sent, '2001:db8::ffff')
    expect(alarms()).toHaveLength(102)
  })

  it('comes again for as many sources as were last reported more than a minute ago, and for no more', async () => {
    const { clock, send, alarms } = watched()
    const sendFrom = async (sources: number, range: string): Promise<void> => {
      for (let source = 0; source < sources; source++) await send(sent, `2001:db8:${range}::${source}`)
    }
    await sendFrom(60, 'a')
    clock.advance(30)
    await sendFrom(60, 'b')
    expect(alarms()).toHaveLength(100)
    clock.advance(30)
    await sendFrom(100, 'c')
    expect(alarms()).toHaveLength(160)
    clock.advance(60)
    await sendFrom(101, 'd')
    expect(alarms()).toHaveLength(260)
  })

  it('tells sources apart by their first 64 characters, so that a long field takes no memory', async () => {
    const { send, alarms } = watched()
    const long = 'x'.repeat(63)
    for (const source of [`${long}a1`, `${long}a2`, `${long}b`]) await send(sent, source)
    expect(alarms().map(({ source }) => source)).toEqual([`${long}a1`, `${long}b`])
  })

  it('is not silenced for long by a clock that is set back', async () => {
    const { clock, send, alarms } = watched()
    await send(sent)
    clock.advance(-86_400)
    await send(sent)
    expect(alarms()).toHaveLength(2)
  })

  it('comes without a source where none is known', async () => {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock, { canaries: [trap] })
    const request = { ...requestWith(sent), source: undefined }
    await scheme.authenticate(request)
    await scheme.authenticate(request)
    await turn()
    expect(alarmsIn(events)).toEqual([
      { type: 'canary_used', at: clock.at, binding: 'http', canary: 'trap', id: 'c1' },
    ])
  })
})

describe('a canary is refused at the start', () => {
  const { alice } = peers
  const build = (given: object) => () =>
    new TOTPServerAuthScheme({
      peerSeeds: { alice: alice.seed },
      tokenToPeer: { [alice.token]: 'alice' },
      replay: 'reuse',
      ...given,
    })

  it.each<[string, object]>([
    ['of tokenToPeer', { canaries: [{ name: 'trap', token: alice.token }] }],
    ['of tokenToPeer, by its hash', { canaries: [{ name: 'trap', hash: hashToken(alice.token) }] }],
    [
      'of tokenToPeer beside a delegate',
      {
        delegate: { authenticateToken: () => ({}) },
        canaries: [{ name: 'trap', token: alice.token }],
      },
    ],
    [
      'of PeerTokenAuth, even if it has expired',
      {
        tokenToPeer: undefined,
        delegate: new PeerTokenAuth([{ token: alice.token, peer: 'alice', expiresAt: new Date(1) }]),
        canaries: [{ name: 'trap', token: alice.token }],
      },
    ],
    [
      'of SimpleTokenAuth',
      {
        tokenToPeer: undefined,
        delegate: new SimpleTokenAuth({ token: alice.token, peer: 'alice' }),
        canaries: [{ name: 'trap', token: alice.token }],
      },
    ],
  ])('if its token is one %s', (_, given) => {
    const error = failureOf(build(given))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toContain('canary "trap" is also a peer')
    expect(error.message).not.toContain(alice.token)
  })

  it('if it is listed twice, or cannot be sent', () => {
    const twice = [trap, { name: 'other', hash: hashToken(bait) }]
    expect(failureOf(build({ canaries: twice })).code).toBe('ERR_CONFIG_INVALID')
    expect(failureOf(build({ canaries: [{ name: 'trap', token: 'a b' }] })).code).toBe('ERR_TOKEN_INVALID')
  })
})

describe('the canaries of a server file', () => {
  const folder = temporaryFolder()
  let count = 0

  function followed(document: object) {
    const path = join(folder, `server-${++count}.json`)
    const write = (content: object): void => writeFileSync(path, JSON.stringify(content), { mode: 0o600 })
    write(document)
    const events: { type: string }[] = []
    const scheme = TOTPServerAuthScheme.fromFile(path, { onEvent: (event) => events.push(event) })
    onTestFinished(() => scheme.close())
    const send = async (source?: string): Promise<void> => {
      await scheme.authenticate(requestWith(sent, source))
      await turn()
    }
    const loaded = (type: string): Promise<void> =>
      vi.waitFor(() => expect(events.map((event) => event.type)).toContain(type), { interval: 20 })
    return { write, events, send, loaded }
  }

  const entry = { name: 'trap', id: 'c1', hash: hashToken(bait) }

  it('follow the file', async () => {
    const { write, events, send, loaded } = followed(serverFile())
    await send()
    expect(alarmsIn(events)).toHaveLength(0)
    write({ ...serverFile(), canaries: [entry] })
    await loaded('server_file_loaded')
    await send()
    await send()
    expect(alarmsIn(events)).toMatchObject([{ canary: 'trap', id: 'c1' }])
    events.length = 0
    write(serverFile())
    await loaded('server_file_loaded')
    await send('192.0.2.9')
    expect(alarmsIn(events)).toHaveLength(0)
  })

  it('are reported once a minute across a reload', async () => {
    const { write, events, send, loaded } = followed({ ...serverFile(), canaries: [entry] })
    await send()
    write({ ...serverFile(), canaries: [entry], newer: 1 })
    await loaded('server_file_loaded')
    await send()
    expect(alarmsIn(events)).toHaveLength(1)
  })

  it.each<[string, unknown, string]>([
    ['no list', {}, 'canaries'],
    ['no name', [{ ...entry, name: '' }], 'canaries[0].name'],
    ['no hash', [{ ...entry, hash: bait }], 'canaries[0].hash'],
    ['a token of a peer', [entry, { ...entry, hash: hashToken(peers.bob.token) }], 'canaries[1].hash'],
    ['one token twice', [entry, { ...entry, name: 'other' }], 'canaries[1].hash'],
  ])('make the file invalid with %s', (_, canaries, path) => {
    const error = failureOf(() => followed({ ...serverFile(), canaries }))
    expect(error.code).toBe('ERR_CONFIG_INVALID')
    expect(error.message).toContain(path)
    expect(error.message).not.toContain(bait)
  })

  it('are checked against the file’s tokens even with another delegate', () => {
    const path = join(folder, 'with-delegate.json')
    const canaries = [{ ...entry, hash: hashToken(peers.bob.token) }]
    writeFileSync(path, JSON.stringify({ ...serverFile(), canaries }), { mode: 0o600 })
    const delegate = new PeerTokenAuth({ a2at_x: 'alice' })
    expect(failureOf(() => TOTPServerAuthScheme.fromFile(path, { delegate })).code).toBe('ERR_CONFIG_INVALID')
  })
})
