import { expect, it } from 'vitest'
import type { Algorithm, Digits } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { hashToken } from '../../src/core/token.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { numbers } from '../support/numbers.js'
import { describeWith } from '../support/python.js'
import { ourVerdicts, pythonVerdicts, type ToldRequest, type ToldRun } from '../support/verdicts.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

interface FileSeed {
  readonly seed: string
}
interface FilePeer {
  readonly seeds?: readonly FileSeed[]
  readonly algorithm?: string
  readonly digits?: number
  readonly period?: number
}
interface File {
  readonly profile: { algorithm: string; digits: number; period: number; header: string }
  readonly sharedSeeds?: readonly FileSeed[]
  readonly peers: Readonly<Record<string, FilePeer>>
}

const requestsInARun = 200
const runsOfAFile = 10

const { own, shared } = vectors.files
/** The ends of the tokens of a peer, where that is not its name. */
const tokensOf: Readonly<Record<string, readonly string[]>> = {
  carol: ['carol', 'carol-old'],
  crowd: Array.from({ length: 40 }, (_, number) => `crowd-${number}`),
}

/** Those of the vectors, all windows, peers that share a seed and its budget, and more tokens than are told apart. */
const files: Readonly<Record<string, object>> = {
  own,
  shared,
  narrow: { ...own, profile: { ...own.profile, window: 0 } },
  wide: { ...own, profile: { ...own.profile, window: 2 } },
  twins: {
    ...own,
    peers: {
      alice: own.peers.alice,
      erin: { ...own.peers.alice, tokens: shared.peers.erin.tokens },
      bob: own.peers.bob,
      carol: own.peers.carol,
    },
  },
  crowd: {
    ...own,
    peers: {
      crowd: {
        ...own.peers.alice,
        tokens: tokensOf['crowd']?.map((end, number) => ({
          id: end,
          hash: hashToken(`a2at_vector-token-of-${end}`),
          // One after the other, so that guesses stop counting.
          expiresAt: new Date(Date.UTC(2026, 5, 1, 16, 41, 30 * number)).toISOString(),
        })),
      },
    },
  },
}

/** What a stranger sends for a code, given the right one. */
const distortions: readonly ((code: string) => string)[] = [
  () => '',
  () => ' ',
  () => '000000',
  () => '1e5000',
  () => '١٢٣٤٥٦',
  () => 'x'.repeat(10_000),
  () => '\u00b9\u00b2\u00b3456',
  (code) => ` ${code}`,
  (code) => `${code} `,
  (code) => `${code}\n`,
  (code) => `${code}, ${code}`,
  (code) => `+${code.slice(1)}`,
  (code) => `\0${code.slice(1)}`,
  (code) => code.slice(1),
  (code) => `${code}0`,
]

/** The same for the field that carries the token. */
const credentialsOf = (token: string): readonly string[] => [
  '',
  'Bearer',
  'Basic YTpi',
  `bearer ${token}`,
  `BEARER   ${token}`,
  `Bearer\t${token}`,
  ` Bearer ${token}`,
  `Bearer ${token} `,
  `Bearer ${token}=`,
  `Bearer ${token},x`,
  `Bearer ${token}\n`,
  `Bearer "${token}"`,
  `Bearer Bearer ${token}`,
  `\u212Aearer ${token}`,
  `Bearer é${token}`,
]

/** One run: mostly right credentials of any peer, in and around their window, and everything else now and then. */
function* randomRequests(
  file: File,
  random: (limit: number) => number,
  start: number,
): Generator<ToldRequest> {
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
  const names = Object.keys(file.peers)
  const tokenOf = (name: string): string => `a2at_vector-token-of-${pick(tokensOf[name] ?? [name])}`
  let at = start
  for (let made = 0; made < requestsInARun; made++) {
    at += pick([
      0,
      1,
      random(500),
      random(5000),
      random(31_000),
      random(20) === 0 ? pick([3_600_000, -3_600_000]) : 7,
      -random(2000),
    ])
    const name = pick(names)
    const peer = { ...file.profile, ...file.peers[name] }
    const seed = Seed.fromBase32(pick(file.sharedSeeds ?? peer.seeds ?? []).seed)
    const profile = {
      algorithm: peer.algorithm as Algorithm,
      digits: peer.digits as Digits,
      period: peer.period,
    }
    const step =
      Math.floor(at / 1000 / peer.period) + pick([0, 0, 0, 0, 1, -1, 1, -1, 2, -2, 3, 10, -11, 40, -41, 44])
    const right = generateCodeOfStep(seed, profile, step)
    const wrong = String(random(10 ** peer.digits)).padStart(peer.digits, '0')
    const usual = pick([right, right, right, right, right, right, wrong, pick(distortions)(right)])
    const code = name === 'crowd' && random(2) === 0 ? wrong : usual
    const token = random(8) === 0 ? pick(['a2at_nobody', tokenOf(pick(names))]) : tokenOf(name)
    const credentials = random(20) === 0 ? pick(credentialsOf(token)) : `Bearer ${token}`
    const { header } = file.profile
    const fields: [string, string][] = []
    if (random(30) > 0) fields.push([pick(['Authorization', 'authorization', 'AUTHORIZATION']), credentials])
    if (random(20) > 0) fields.push([pick([header, header.toLowerCase(), header.toUpperCase()]), code])
    if (random(20) === 0) fields.push(['authorization', pick([credentials, 'x', ''])])
    if (random(20) === 0) fields.push([header, pick([code, '1', ''])])
    if (random(10) === 0) fields.push([pick(['x-totp', 'X_TOTP', 'cookie']), code])
    yield { at, fields, source: pick(['', '192.0.2.1', '::1']) }
  }
}

describeWith('a2a-1', 'the Python package and the TypeScript scheme', () => {
  it(`give ${Object.keys(files).length * runsOfAFile * requestsInARun} random requests the same verdict and the same answer`, async () => {
    const random = numbers(20_261_126)
    const runs: ToldRun[] = []
    const ours: object[][] = []
    for (const [file, document] of Object.entries(files)) {
      for (let run = 0; run < runsOfAFile; run++) {
        const since = Date.parse('2026-06-01T16:40:00Z') + random(60_000)
        const requests = [...randomRequests(document as File, random, since)]
        runs.push({ file, since, requests })
        ours.push(await ourVerdicts(document, since, requests))
      }
    }
    const theirs = pythonVerdicts(files, runs)
    for (const [index, verdicts] of ours.entries()) {
      for (const [at, verdict] of verdicts.entries()) {
        expect(theirs[index]?.[at], JSON.stringify(runs[index]?.requests[at])).toEqual(verdict)
      }
    }
    // So that it can be trusted: guesses, late codes on both sides, and every reason that a server file can lead to was among them.
    const reasons = ours.flat().map((verdict) => ('reason' in verdict ? verdict.reason : 'accepted'))
    const heard = (kind: 'stale' | 'suspected'): unknown[] => [
      ...new Set(ours.flat().map((verdict) => (verdict as Record<typeof kind, unknown>)[kind])),
    ]
    expect(heard('stale')).toEqual(expect.arrayContaining([-41, -11, -2, 2, 10, 40]))
    expect(heard('suspected')).toEqual(expect.arrayContaining([true, false]))
    expect([...new Set(reasons)].sort()).toEqual([
      'accepted',
      'code-doubled',
      'code-malformed',
      'code-missing',
      'code-replayed',
      'code-wrong',
      'guesses-exhausted',
      'replay-unknown',
      'token-doubled',
      'token-malformed',
      'token-missing',
      'token-refused',
    ])
  })
})
