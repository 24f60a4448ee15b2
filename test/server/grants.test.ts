import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import {
  memoryState,
  PeerTokenAuth,
  TOTPServerAuthScheme,
  type Caller,
  type FromFileOptions,
  type ServerAuthScheme,
} from '../../src/server/index.js'
import { schemeOptions } from '../../src/server/scheme/from-file.js'
import { Clock, codeOf, headersOf, peers, requestWith, schemeFor, someInstant } from '../support/guarded.js'
import { seedEntry, serverFile, tokenEntry, type ServerFileDocument } from '../support/server-file.js'

/** Some seconds after the instant at which callers are let in. */
const ahead = (seconds: number): string => new Date(someInstant.getTime() + seconds * 1000).toISOString()

/** A scheme of a document that can be replaced at once, without a file. */
function followed(document: object, given: FromFileOptions = {}) {
  const clock = new Clock()
  const options = {
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
    onEvent: () => undefined,
    ...given,
  }
  const read = (content: object) => schemeOptions(JSON.stringify(content), options)
  let apply: ((options: ReturnType<typeof read>) => void) | undefined
  const scheme = TOTPServerAuthScheme.following({
    options: read(document),
    inForce: { path: '', serial: undefined, loadedAt: someInstant, peers: new Set(), canaries: 0 },
    follow: (applied) => (apply = applied),
    readAgain: () => undefined,
    stop: () => undefined,
  })
  return { scheme, clock, replace: (content: object): void => apply?.(read(content)) }
}

async function admit(
  scheme: TOTPServerAuthScheme,
  headers = headersOf('alice', someInstant),
): Promise<Caller> {
  const { caller, refusal } = await scheme.authenticate(requestWith(headers))
  return caller ?? expect.fail(`refused: ${refusal.reason}`)
}

const alice = (fields: Record<string, unknown>): ServerFileDocument => {
  const file = serverFile()
  Object.assign(file.peers['alice'] ?? {}, fields)
  return file
}
const withoutAlice = serverFile()
delete withoutAlice.peers['alice']

const revoked: unknown = expect.objectContaining({ code: 'ERR_CREDENTIAL_REVOKED' })
const expired: unknown = expect.objectContaining({ code: 'ERR_CREDENTIAL_EXPIRED' })

const token = (expiresAt?: string): Record<string, unknown> => ({
  tokens: [tokenEntry('t', peers.alice.token, expiresAt)],
})
const otherToken = { tokens: [tokenEntry('u', 'a2at_other')] }
const thirdSeed = Seed.fromBytes(new Uint8Array(20).fill(7))
const seeds = (...entries: object[]): Record<string, unknown> => ({ seeds: entries })
/** A delegate of the user's own, which the file's tokens mean nothing to. */
const own = (expiresAt?: string): ServerAuthScheme => ({
  authenticateToken: () => ({
    peer: 'alice',
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
  }),
})

/** What becomes of a caller that was let in under one document when the next one replaces it, some seconds later. */
async function endAfter(
  before: object,
  after: object,
  seconds: number,
  given: FromFileOptions = {},
): Promise<unknown> {
  const { scheme, clock, replace } = followed(before, given)
  const { signal } = await admit(scheme)
  expect(signal.aborted).toBe(false)
  clock.advance(seconds)
  replace(after)
  return signal.aborted ? signal.reason : 'open'
}

describe('a caller that was let in, after the rules have changed', () => {
  it.each<[what: string, before: object, after: object, end: unknown]>([
    ['nothing changes', serverFile(), serverFile(), 'open'],
    ['its peer is gone', serverFile(), withoutAlice, revoked],
    ['its token is gone', serverFile(), alice(otherToken), revoked],
    ['its seed is gone', serverFile(), alice(seeds({ id: 'x', seed: thirdSeed.base32 })), revoked],
    [
      'its seed is one of several',
      serverFile(),
      alice(seeds({ id: 'x', seed: thirdSeed.base32 }, seedEntry('y', 'alice'))),
      'open',
    ],
    ['its token expires later', serverFile(), alice(token(ahead(60))), 'open'],
    ['its token has expired by now', serverFile(), alice(token(ahead(10))), expired],
    ['its seed has expired by now', serverFile(), alice(seeds(seedEntry('s', 'alice', ahead(10)))), expired],
    ['its token expires later than it did', alice(token(ahead(10))), alice(token(ahead(60))), 'open'],
    ['its token no longer expires', alice(token(ahead(10))), serverFile(), 'open'],
    ['its seed no longer expires', alice(seeds(seedEntry('s', 'alice', ahead(10)))), serverFile(), 'open'],
  ])('ends as it should if %s', async (_, before, after, end) => {
    expect(await endAfter(before, after, 20)).toEqual(end)
  })

  it('ends if its token is now another peer’s', async () => {
    const swapped = alice(otherToken)
    Object.assign(swapped.peers['bob'] ?? {}, token())
    expect(await endAfter(serverFile(), swapped, 0)).toEqual(revoked)
  })

  it.each<[what: string, after: object, tokenEnd: string | undefined, end: unknown]>([
    ['the file’s tokens change', alice(otherToken), undefined, 'open'],
    ['its peer is gone', withoutAlice, undefined, revoked],
    ['its seed has expired by now', alice(seeds(seedEntry('s', 'alice', ahead(10)))), ahead(60), expired],
    ['its seed expires later', alice(seeds(seedEntry('s', 'alice', ahead(60)))), undefined, 'open'],
    ['its token has expired by now', serverFile(), ahead(10), expired],
  ])(
    'goes by what a delegate of the user’s own said of the token, and by the file’s seeds: %s',
    async (_, after, tokenEnd, end) => {
      expect(await endAfter(serverFile(), after, 20, { delegate: own(tokenEnd) })).toEqual(end)
    },
  )

  it('does not ask a delegate that extends ours about a hash, since it may do anything with a token', async () => {
    class Issuer extends PeerTokenAuth {
      override authenticateToken(text: string) {
        return text === peers.alice.token ? { peer: 'alice' } : { refusal: 'unknown token' }
      }
    }
    expect(await endAfter(serverFile(), alice(otherToken), 0, { delegate: new Issuer({}) })).toBe('open')
  })
})

describe('a caller whose peer has several seeds', () => {
  const rotating = {
    seeds: [
      { id: 'new', seed: peers.alice.seed },
      { id: 'old', seed: peers.bob.seed, expiresAt: new Date(ahead(60)) },
    ],
  }

  it('ends with the seed that its code was made from, and with no other', async () => {
    const clock = new Clock()
    const { scheme } = schemeFor(clock, { peerSeeds: { alice: rotating } })
    const withOld = { ...headersOf('alice', someInstant), 'X-TOTP': codeOf('bob', someInstant) }
    const [current, previous] = [await admit(scheme), await admit(scheme, withOld)]
    expect([current.seedId, previous.seedId]).toEqual(['new', 'old'])
    clock.advance(60)
    expect(previous.signal.reason).toEqual(expired)
    expect(current.signal.aborted).toBe(false)
  })
})
