import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  defaultBudgets,
  memoryState,
  TOTPServerAuthScheme,
  type AuthEvent,
  type FromFileOptions,
  type ServerFileEvent,
} from '../../src/server/index.js'
import { failureOf } from '../support/failure.js'
import { temporaryFolder } from '../support/folder.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  someInstant,
  wrongCodeOf,
} from '../support/guarded.js'
import { reloadStorm } from '../support/reload-storm.js'
import { seedEntry, serverFile, tokenEntry, type ServerFileDocument } from '../support/server-file.js'

const folder = temporaryFolder()
let count = 0
const freshPath = (): string => join(folder, `server-${++count}.json`)
const textOf = (document: unknown): string =>
  typeof document === 'string' ? document : JSON.stringify(document)

function write(path: string, document: unknown, mode = 0o640): string {
  writeFileSync(path, textOf(document), { mode })
  return path
}

const open: TOTPServerAuthScheme[] = []
afterEach(() => {
  for (const scheme of open.splice(0)) scheme.close()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

interface Subject {
  readonly scheme: TOTPServerAuthScheme
  readonly clock: Clock
  readonly events: (AuthEvent | ServerFileEvent)[]
  /** What becomes of a request: whose it is, or why it is refused. */
  readonly ask: (fields: Parameters<typeof requestWith>[0]) => Promise<string>
}

function fromFile(path: string, options: FromFileOptions = {}): Subject {
  const clock = new Clock()
  const events: (AuthEvent | ServerFileEvent)[] = []
  const scheme = TOTPServerAuthScheme.fromFile(path, {
    now: clock.now,
    state: memoryState({ since: new Date(0) }),
    onEvent: (event) => events.push(event),
    ...options,
  })
  open.push(scheme)
  return {
    scheme,
    clock,
    events,
    ask: async (fields) => {
      const { caller, refusal } = await scheme.authenticate(requestWith(fields))
      return caller?.peer ?? refusal?.reason ?? 'nothing'
    },
  }
}

const right = headersOf('alice', someInstant)
const typesOf = ({ events }: Subject): string[] =>
  events.map(({ type }) => type).filter((type) => type.startsWith('server_file'))
const seen = (subject: Subject, type: ServerFileEvent['type']): Promise<void> =>
  vi.waitFor(() => expect(typesOf(subject)).toContain(type), { interval: 20 })

/** A document with something of it changed. */
function changed(change: (file: ServerFileDocument) => void): ServerFileDocument {
  const file = serverFile()
  change(file)
  return file
}
const alice = (fields: Record<string, unknown>): ServerFileDocument =>
  changed(({ peers: all }) => Object.assign(all['alice'] ?? {}, fields))
const profile = (fields: Record<string, unknown>): ServerFileDocument =>
  changed((file) => Object.assign(file.profile, fields))

describe('fromFile', () => {
  it('serves the peers of what config server prints', async () => {
    const { ask } = fromFile(write(freshPath(), serverFile()))
    expect(await ask(right)).toBe('alice')
    expect(await ask(headersOf('bob', someInstant))).toBe('bob')
    expect(await ask({ ...right, 'X-TOTP': codeOf('bob', someInstant) })).toBe('code-wrong')
    expect(await ask({ ...right, Authorization: 'Bearer nobody' })).toBe('token-refused')
  })

  it('takes its path from $A2A_TOTP_SERVER_FILE, and refuses to start without one', () => {
    vi.stubEnv('A2A_TOTP_SERVER_FILE', write(freshPath(), serverFile()))
    open.push(TOTPServerAuthScheme.fromFile())
    vi.stubEnv('A2A_TOTP_SERVER_FILE', '')
    expect(failureOf(() => TOTPServerAuthScheme.fromFile())).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('$A2A_TOTP_SERVER_FILE') as string,
    })
  })

  it("keeps to each peer's own policy, codes and seeds", async () => {
    const file = alice({ replay: 'once', digits: 8, period: 60, algorithm: 'SHA256' })
    const { ask } = fromFile(write(freshPath(), file))
    const own = { algorithm: 'SHA256', digits: 8, period: 60 } as const
    const fields = { ...right, 'X-TOTP': codeOf('alice', someInstant, { profile: own }) }
    expect(await ask(right)).toBe('code-malformed')
    expect(await ask(fields)).toBe('alice')
    expect(await ask(fields)).toBe('code-replayed')
    for (let n = 0; n < 2; n++) expect(await ask(headersOf('bob', someInstant))).toBe('bob')
  })

  it('lets several seeds and tokens live side by side, and refuses each the moment it expires', async () => {
    const end = new Date(someInstant.getTime() + 10_000).toISOString()
    const file = alice({
      seeds: [seedEntry('old', 'bob', end), seedEntry('new', 'alice')],
      tokens: [tokenEntry('old', 'old-token', end), tokenEntry('new', peers.alice.token)],
    })
    const { ask, clock } = fromFile(write(freshPath(), file))
    const oldToken = { Authorization: 'Bearer old-token', 'X-TOTP': codeOf('alice', someInstant) }
    const oldSeed = { ...right, 'X-TOTP': codeOf('bob', someInstant) }
    for (const fields of [right, oldToken, oldSeed]) expect(await ask(fields)).toBe('alice')
    clock.advance(9.999)
    for (const fields of [right, oldToken, oldSeed]) expect(await ask(fields)).toBe('alice')
    clock.advance(0.001)
    expect(await ask(right)).toBe('alice')
    expect(await ask(oldToken)).toBe('token-refused')
    expect(await ask(oldSeed)).toBe('code-wrong')
  })

  it('takes one seed shared by all, for the peers that the file names', async () => {
    const file = changed((document) => {
      document['sharedSeeds'] = [seedEntry('shared', 'bob')]
      for (const peer of Object.values(document.peers)) delete peer['seeds']
    })
    const { ask } = fromFile(write(freshPath(), file))
    expect(await ask({ ...right, 'X-TOTP': codeOf('bob', someInstant) })).toBe('alice')
    expect(await ask(right)).toBe('code-wrong')
  })

  it("asks the user's own delegate in place of the file's tokens, and trusts it for peers of the file only", async () => {
    const whose: Record<string, string> = { 'of-alice': 'alice', 'of-carol': 'carol' }
    const delegate = { authenticateToken: (token: string) => ({ peer: whose[token] ?? '' }) }
    const { ask } = fromFile(write(freshPath(), serverFile()), { delegate })
    expect(await ask({ ...right, Authorization: 'Bearer of-alice' })).toBe('alice')
    expect(await ask({ ...right, Authorization: 'Bearer of-carol' })).toBe('peer-unknown')
  })

  it('ignores keys that it does not know', async () => {
    const file = { ...alice({ colour: 'red' }), futureKey: { a: 1 } }
    const { ask } = fromFile(write(freshPath(), file))
    expect(await ask(right)).toBe('alice')
  })

  it('takes a peer by the name of an inherited property', async () => {
    const file = changed((document) => {
      const { alice: one } = document.peers
      document.peers = { constructor: one ?? {} }
    })
    const { ask } = fromFile(write(freshPath(), file))
    expect(await ask(right)).toBe('constructor')
  })

  const weak = 'JBSWY3DPEHPK3PXP'
  it.each<[what: string, code: string, words: string, document: unknown]>([
    [
      'no JSON',
      'ERR_CONFIG_INVALID',
      'it is not JSON: line 1, column ',
      `{"seed":"${peers.alice.seed.base32}",`,
    ],
    ['null', 'ERR_CONFIG_INVALID', 'the document must be an object', null],
    ['a store', 'ERR_CONFIG_INVALID', 'it is a store', { ...serverFile(), agent: { name: 'billing' } }],
    ['a newer version', 'ERR_CONFIG_INVALID', 'version must be 1', { ...serverFile(), version: 2 }],
    [
      'an unknown word in requires',
      'ERR_CONFIG_INVALID',
      'requires asks',
      { ...serverFile(), requires: ['x'] },
    ],
    [
      'requires that is no list',
      'ERR_CONFIG_INVALID',
      'requires must be a list',
      { ...serverFile(), requires: 'x' },
    ],
    ['no peers', 'ERR_CONFIG_INVALID', 'peers is missing', { ...serverFile(), peers: undefined }],
    ['a window of 3', 'ERR_CONFIG_INVALID', 'profile.window must be', profile({ window: 3 })],
    ['a header of HTTP', 'ERR_CONFIG_INVALID', 'profile.header must be', profile({ header: 'Cookie' })],
    ['no period', 'ERR_CONFIG_INVALID', 'profile.period is missing', profile({ period: undefined })],
    [
      'a peer without a policy',
      'ERR_CONFIG_INVALID',
      'peers.alice.replay is missing',
      alice({ replay: undefined }),
    ],
    ['an unknown policy', 'ERR_CONFIG_INVALID', 'peers.alice.replay must be', alice({ replay: 'never' })],
    ['5 digits', 'ERR_CONFIG_INVALID', 'peers.alice.digits must be', alice({ digits: 5 })],
    ['a peer without seeds', 'ERR_SEED_MISSING', 'peers.alice.seeds has no seed', alice({ seeds: [] })],
    ['a peer without the key seeds', 'ERR_SEED_MISSING', 'peers.alice.seeds', alice({ seeds: undefined })],
    [
      'no base32',
      'ERR_CONFIG_INVALID',
      'peers.alice.seeds[0].seed must be',
      alice({ seeds: [{ id: 's', seed: '!1' }] }),
    ],
    ['a weak seed', 'ERR_SEED_WEAK', 'peer "alice"', alice({ seeds: [{ id: 's', seed: weak }] })],
    [
      'two seeds of one id',
      'ERR_CONFIG_INVALID',
      'peer "alice"',
      alice({ seeds: [seedEntry('s', 'alice'), seedEntry('s', 'bob')] }),
    ],
    [
      'a token in the clear',
      'ERR_CONFIG_INVALID',
      'peers.alice.tokens[0].hash must be',
      alice({ tokens: [{ id: 't', hash: peers.alice.token }] }),
    ],
    [
      "another peer's token",
      'ERR_CONFIG_INVALID',
      'listed twice',
      alice({ tokens: [tokenEntry('t', peers.bob.token)] }),
    ],
    [
      'a day that does not exist',
      'ERR_CONFIG_INVALID',
      'peers.alice.tokens[0].expiresAt must be',
      alice({ tokens: [tokenEntry('t', 'x', '2026-02-30T00:00:00Z')] }),
    ],
    [
      'both seed modes',
      'ERR_CONFIG_INVALID',
      'peers.alice.seeds must be absent',
      { ...serverFile(), sharedSeeds: [seedEntry('s', 'bob')] },
    ],
    [
      'policy once for a peer that shares its seed',
      'ERR_CONFIG_INVALID',
      'peers.bob.replay must not be once',
      changed((document) => {
        document['sharedSeeds'] = [seedEntry('shared', 'bob')]
        for (const peer of Object.values(document.peers)) delete peer['seeds']
        Object.assign(document.peers['bob'] ?? {}, { replay: 'once' })
      }),
    ],
    [
      'an empty list of shared seeds',
      'ERR_SEED_MISSING',
      'sharedSeeds',
      { ...serverFile(), sharedSeeds: [] },
    ],
    [
      'a weak shared seed, even without peers',
      'ERR_SEED_WEAK',
      'sharedSeeds[1] has 80 bits',
      { ...serverFile(), peers: {}, sharedSeeds: [seedEntry('s', 'bob'), { id: 'w', seed: weak }] },
    ],
    [
      'a seed for a name',
      'ERR_CONFIG_INVALID',
      'peers',
      changed(({ peers: all }) => (all[peers.bob.seed.base32] = {})),
    ],
  ])('refuses to start with %s, and shows nothing secret', (_, code, words, document) => {
    const path = write(freshPath(), document)
    const failure = failureOf(() => TOTPServerAuthScheme.fromFile(path))
    expect(failure).toMatchObject({ code, message: expect.stringContaining(words) as string })
    expect(failure.message).toContain(`server file ${path}: `)
    for (const { seed, token } of Object.values(peers)) {
      for (const secret of [seed.base32, token, weak]) {
        expect(`${failure.message} ${String(failure.cause)}`).not.toContain(secret)
      }
    }
  })

  it('takes weak seeds and a wide window only by the options that say so', async () => {
    const file = profile({ window: 10 })
    const path = write(freshPath(), file)
    expect(failureOf(() => TOTPServerAuthScheme.fromFile(path)).code).toBe('ERR_CONFIG_INVALID')
    const { ask } = fromFile(path, { allowInsecureWindow: true })
    expect(await ask({ ...right, 'X-TOTP': codeOf('alice', someInstant, { drift: -10 }) })).toBe('alice')
    expect(await ask({ ...right, 'X-TOTP': codeOf('alice', someInstant, { drift: -11 }) })).toBe('code-wrong')

    const weakFile = write(freshPath(), alice({ seeds: [{ id: 's', seed: weak }] }))
    expect(() => fromFile(weakFile, { allowWeakSeeds: true })).not.toThrow()

    const weakForAll = write(freshPath(), {
      ...serverFile(),
      peers: {},
      sharedSeeds: [{ id: 's', seed: weak }],
    })
    expect(failureOf(() => fromFile(weakForAll)).message).toContain('set allowWeakSeeds')
    expect(() => fromFile(weakForAll, { allowWeakSeeds: true })).not.toThrow()
  })

  it('says nothing of an error that is not its own, which may quote what nobody should see', () => {
    const path = write(freshPath(), alice({ replay: 'once' }))
    const state = {
      ...memoryState(),
      get supports(): never {
        throw new Error(`connect to redis://:${peers.alice.token}@localhost`)
      },
    }
    const failure = failureOf(() => TOTPServerAuthScheme.fromFile(path, { state }))
    expect(failure).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: `server file ${path}: cannot be used`,
    })
    expect(failure.cause).toBeUndefined()
  })

  it.each([
    ['is not there', () => join(folder, 'nowhere.json'), 'no such file', 'ENOENT'],
    ['is a folder', () => folder, 'not a regular file', undefined],
  ])('refuses to start with a file that %s, and says why', (_, path, words, cause) => {
    const failure = failureOf(() => TOTPServerAuthScheme.fromFile(path()))
    expect(failure).toMatchObject({
      code: 'ERR_FILE_UNREADABLE',
      message: expect.stringContaining(words) as string,
    })
    expect((failure.cause as NodeJS.ErrnoException | undefined)?.code).toBe(cause)
  })

  it('refuses to start over a state that cannot do what a peer needs', () => {
    const path = write(freshPath(), alice({ replay: 'once' }))
    const state = { ...memoryState(), supports: { once: false } }
    expect(failureOf(() => TOTPServerAuthScheme.fromFile(path, { state })).code).toBe('ERR_CONFIG_INVALID')
  })

  it.skipIf(process.platform === 'win32')('warns of a file that all can read, and only of such', () => {
    const groupReadable = fromFile(write(freshPath(), serverFile(), 0o640))
    expect(typesOf(groupReadable)).toEqual([])
    const path = freshPath()
    write(path, serverFile())
    chmodSync(path, 0o644)
    expect(typesOf(fromFile(path))).toEqual(['server_file_exposed'])

    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    open.push(TOTPServerAuthScheme.fromFile(path))
    expect(warning).toHaveBeenCalledWith(expect.stringContaining(path), expect.anything())
  })
})

describe('a server file that changes', () => {
  const withoutAlice = changed(({ peers: all }) => delete all['alice'])

  it.each<[how: string, replace: (path: string, text: string) => void]>([
    ['is renamed over', (path, text) => renameSync(write(`${path}.new`, text), path)],
    ['is written in place', (path, text) => void write(path, text)],
    ['is removed and made anew', (path, text) => (rmSync(path), write(path, text))],
  ])('is in force without a restart when it %s', async (_, replace) => {
    const path = write(freshPath(), serverFile())
    const subject = fromFile(path)
    expect(await subject.ask(right)).toBe('alice')
    replace(path, textOf(withoutAlice))
    await vi.waitFor(async () => expect(await subject.ask(right)).toBe('token-refused'))
    expect(await subject.ask(headersOf('bob', someInstant))).toBe('bob')
    expect(typesOf(subject)).toEqual(['server_file_loaded'])
  })

  it('is seen behind the links of a mounted secret, swapped as Kubernetes does', async () => {
    const mount = join(folder, 'mount')
    const publish = (name: string, document: unknown): void => {
      mkdirSync(join(mount, name), { recursive: true })
      write(join(mount, name, 'server.json'), document)
      symlinkSync(name, join(mount, '..data_tmp'))
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
    }
    publish('..2026_01', serverFile())
    symlinkSync('..data/server.json', join(mount, 'server.json'))
    const subject = fromFile(join(mount, 'server.json'))
    expect(await subject.ask(right)).toBe('alice')
    publish('..2026_02', withoutAlice)
    rmSync(join(mount, '..2026_01'), { recursive: true })
    await seen(subject, 'server_file_loaded')
    expect(await subject.ask(right)).toBe('token-refused')
  })

  it.each<[how: string, break_: (path: string) => void, code: string]>([
    ['broken', (path) => void write(path, '{"version":1,'), 'ERR_CONFIG_INVALID'],
    ['contradictory', (path) => void write(path, alice({ seeds: [] })), 'ERR_SEED_MISSING'],
    [
      'weak',
      (path) => void write(path, alice({ seeds: [{ id: 's', seed: 'JBSWY3DPEHPK3PXP' }] })),
      'ERR_SEED_WEAK',
    ],
    ['gone', (path) => rmSync(path), 'ERR_FILE_UNREADABLE'],
  ])(
    'leaves the old one in force while it is %s, says so once, and is followed on',
    async (_, break_, code) => {
      const path = write(freshPath(), serverFile())
      const subject = fromFile(path)
      break_(path)
      await seen(subject, 'server_file_refused')
      const refused = subject.events.find(({ type }) => type === 'server_file_refused')
      expect(refused).toMatchObject({ path, code, message: expect.stringContaining(path) as string })
      expect(await subject.ask(right)).toBe('alice')
      await sleep(600)
      expect(typesOf(subject)).toEqual(['server_file_refused'])
      write(path, withoutAlice)
      await seen(subject, 'server_file_loaded')
      expect(await subject.ask(right)).toBe('token-refused')
    },
  )

  it('is a warning of the process when it is broken and nobody listens', async () => {
    const path = write(freshPath(), serverFile())
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    open.push(TOTPServerAuthScheme.fromFile(path))
    write(path, 'nonsense')
    await vi.waitFor(() => expect(warning).toHaveBeenCalledTimes(1))
    expect(warning).toHaveBeenCalledWith(expect.stringContaining('not JSON'), expect.anything())
  })

  it('is loaded with its serial, and reported where it is older than the one before', async () => {
    const path = write(freshPath(), { ...serverFile(), serial: 7 })
    const subject = fromFile(path)
    const loaded = async (serial: number | undefined): Promise<unknown> => {
      const count = subject.events.length
      write(`${path}.new`, { ...withoutAlice, serial })
      renameSync(`${path}.new`, path)
      await vi.waitFor(() => expect(subject.events.length).toBe(count + 1))
      return subject.events.at(-1)
    }
    const event = { type: 'server_file_loaded', at: someInstant, path }
    expect(await loaded(9)).toEqual({ ...event, serial: 9 })
    expect(await subject.ask(right)).toBe('token-refused')
    expect(await loaded(8)).toEqual({ ...event, serial: 8, older: true })
    expect(await loaded(8)).toEqual({ ...event, serial: 8 })
    expect(await loaded(undefined)).toStrictEqual(event)
    expect(await loaded(1)).toEqual({ ...event, serial: 1 })
  })

  it('is a warning of the process when it is older and nobody listens', async () => {
    const path = write(freshPath(), { ...serverFile(), serial: 7 })
    const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
    open.push(TOTPServerAuthScheme.fromFile(path))
    write(path, { ...serverFile(), serial: 3 })
    await vi.waitFor(() => expect(warning).toHaveBeenCalledTimes(1))
    expect(warning).toHaveBeenCalledWith(expect.stringMatching(/older.*serial 3/), expect.anything())
  })

  it('forgets neither spent codes nor guesses', async () => {
    const once = alice({ replay: 'once' })
    const path = write(freshPath(), once)
    const subject = fromFile(path, { throttle: { budgets: [{ limit: 1, seconds: 3600 }] } })
    expect(await subject.ask(right)).toBe('alice')
    const guess = { Authorization: bearerOf('bob'), 'X-TOTP': wrongCodeOf(someInstant) }
    expect(await subject.ask(guess)).toBe('code-wrong')
    write(path, { ...once, agent: 'renamed' })
    await seen(subject, 'server_file_loaded')
    expect(await subject.ask(right)).toBe('code-replayed')
    expect(await subject.ask(headersOf('bob', someInstant))).toBe('guesses-exhausted')
  })

  it('leaves the old one in force where the window of the new one allows more than the risk', async () => {
    const path = write(freshPath(), serverFile())
    const subject = fromFile(path, { throttle: { budgets: defaultBudgets } })
    write(path, profile({ window: 2 }))
    await seen(subject, 'server_file_refused')
    const refused = subject.events.find(({ type }) => type === 'server_file_refused')
    expect(refused).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    expect(refused).toMatchObject({ message: expect.stringContaining('throttle.risk') as string })
    expect(subject.scheme.profile.window).toBe(1)
  })

  it('brings a new header and window along', async () => {
    const path = write(freshPath(), serverFile())
    const subject = fromFile(path)
    write(path, profile({ header: 'X-Second', window: 0 }))
    await seen(subject, 'server_file_loaded')
    expect(subject.scheme.profile).toMatchObject({ header: 'X-Second', window: 0 })
    const { Authorization = '', 'X-TOTP': code = '' } = right
    expect(await subject.ask(right)).toBe('code-missing')
    expect(await subject.ask({ Authorization, 'X-Second': code })).toBe('alice')
  })

  it('is looked at no more once the scheme is closed', async () => {
    const path = write(freshPath(), serverFile())
    const subject = fromFile(path)
    subject.scheme.close()
    write(path, withoutAlice)
    await sleep(700)
    expect(typesOf(subject)).toEqual([])
    expect(await subject.ask(right)).toBe('alice')
  })

  it('fails no request while it changes again and again', async () => {
    const { requests, failed } = await reloadStorm(freshPath(), 25)
    expect(failed).toBe(0)
    expect(requests).toBeGreaterThan(25)
  })
})
