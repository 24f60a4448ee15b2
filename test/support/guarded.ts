import { createHash } from 'node:crypto'
import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile, type CodeProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import { memoryState } from '../../src/state/memory-state.js'
import { PeerTokenAuth } from '../../src/server/scheme/delegates.js'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import type { PeerSeedsOptions } from '../../src/server/scheme/options.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { SecondLooks } from '../../src/server/scheme/second-looks.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'

/** A seed and a token that are the same in every run. */
function credentialsOf(peer: string): { seed: Seed; token: string } {
  const bytes = createHash('sha256').update(peer).digest()
  return { seed: Seed.fromBytes(bytes.subarray(0, 20)), token: `a2at_${bytes.toString('base64url')}` }
}

export const peers = { alice: credentialsOf('alice'), bob: credentialsOf('bob') }
export type PeerName = keyof typeof peers

/** A moment in the middle of a time step. */
export const someInstant = new Date(1_800_000_015_000)

/** A clock that moves only when it is told to. */
export class Clock {
  at = someInstant
  now = (): Date => this.at
  advance = (seconds: number): void => {
    this.at = new Date(this.at.getTime() + seconds * 1000)
  }
}

/** The code of a peer, some time steps away from an instant. */
export function codeOf(
  peer: PeerName,
  at: Date,
  { drift = 0, profile = defaultProfile }: { drift?: number; profile?: CodeProfile } = {},
): string {
  return generateCodeOfStep(peers[peer].seed, profile, timeStepAt(profile, at) + drift)
}

/** What neither peer's clock shows for more than 20 minutes before and after an instant. They take a while to find. */
const wrongCodes = new Map<number, readonly string[]>()

function wrongCodesOf(at: Date): readonly string[] {
  const near = (['alice', 'bob'] as const).flatMap((peer) =>
    Array.from({ length: 91 }, (_, n) => codeOf(peer, at, { drift: n - 45 })),
  )
  const candidates = Array.from({ length: 1000 }, (_, n) => String(n * 997).padStart(6, '0'))
  return candidates.filter((code) => !near.includes(code))
}

/** A well-formed code of neither peer, for more than 20 minutes before and after that instant. */
export function wrongCodeOf(at: Date, which = 0): string {
  const codes = wrongCodes.get(at.getTime()) ?? wrongCodesOf(at)
  wrongCodes.set(at.getTime(), codes)
  return codes[which] ?? ''
}

export const bearerOf = (peer: PeerName): string => `Bearer ${peers[peer].token}`

/** How a look begins outside of tests, whatever other tests of this process do. */
export const pacedLook = SecondLooks.later

/**
 * Resolves when all guesses that were counted so far have been looked at again: that happens after their answers. From
 * the first call on, each look begins at once.
 */
export async function secondLooks(): Promise<void> {
  SecondLooks.later = setImmediate
  do await new Promise(setImmediate)
  while (SecondLooks.underWay > 0)
}

/** Both header fields of a peer, right now. */
export function headersOf(peer: PeerName, at: Date): Record<string, string> {
  return { Authorization: bearerOf(peer), 'X-TOTP': codeOf(peer, at) }
}

/** A request by hand. A field given as a list came in as many lines. */
export function requestWith(
  fields: Readonly<Record<string, string | readonly string[]>>,
  source = '192.0.2.1',
): AuthRequest {
  const lines = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), [value].flat()]))
  return {
    binding: 'http',
    method: 'POST',
    target: '/a2a',
    header: (name) => lines.get(name.toLowerCase()) ?? [],
    source,
  }
}

/** A scheme for both peers, whose guard has seen everything, with its events. */
export function schemeFor(
  clock: Clock,
  given: Partial<PeerSeedsOptions> = {},
): { scheme: TOTPServerAuthScheme; events: AuthEvent[] } {
  const events: AuthEvent[] = []
  const scheme = new TOTPServerAuthScheme({
    delegate: new PeerTokenAuth({ [peers.alice.token]: 'alice', [peers.bob.token]: 'bob' }),
    peerSeeds: { alice: peers.alice.seed, bob: peers.bob.seed },
    replay: 'reuse',
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
    onEvent: (event) => events.push(event),
    ...given,
  })
  return { scheme, events }
}

/** A roster of both peers. */
export function rosterOf(replay: ReplayPolicy = 'reuse', overrides: Partial<Peer> = {}): Roster {
  const createdAt = new Date(0)
  const { algorithm, digits, period } = defaultProfile
  const entries = (['alice', 'bob'] as const).map((name): [string, Peer] => [
    name,
    {
      name,
      algorithm,
      digits,
      period,
      createdAt,
      seeds: [{ id: `${name}-seed`, createdAt, seed: peers[name].seed }],
      tokens: [{ id: `${name}-token`, createdAt, token: Token.parse(peers[name].token) }],
      ...overrides,
    },
  ])
  return { agent: 'agent', profile: defaultProfile, replay, peers: new Map(entries) }
}
