import { createHash, createHmac, randomBytes } from 'node:crypto'
import { defaultProfile } from '../../src/core/profile.js'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest, type SignedFields } from '../../src/core/proof/sign.js'
import { verifyHead } from '../../src/core/proof/verify.js'
import { makeSeed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import type { State } from '../../src/state/state.js'
import { makePeers, type BenchPeer } from '../peers.js'
import { cost, nanoseconds, type Measured, type Section } from '../report.js'
import { cpuTimeOf, takeRounds } from '../rounds.js'

const agent = 'billing'
const rules = { agent, header: 'x-totp', period: 30, window: 1 }
const sizes = [307, 4096, 65_536]
const sizeOf = (size: number): string => `${(size / 1024).toFixed(size < 1024 ? 1 : 0)} KiB`

/** The goal for a whole verification of a small request, in nanoseconds. */
const most = 12_000

/** Proofs in process: signing, verifying (the digest included), and what they add to a decision. */
export const signedSection: Section = {
  title: 'Proofs (CPU time, the digest of the body included)',
  async run({ rounds, quick }) {
    const at = new Date()
    const [peer] = makePeers(1)
    if (!peer) throw new Error('no peer')
    const key = new ProofKey(peer.seed, agent)
    const decoy = new ProofKey(makeSeed('SHA1', randomBytes), agent)
    const nonce = randomBytes(16)
    const created = Math.floor(at.getTime() / 1000)
    const variants = Object.fromEntries(
      (quick ? sizes.slice(0, 2) : sizes).flatMap((size) => {
        const body = randomBytes(size)
        const plain = requestOf(peer, at)
        const sign = (): SignedFields =>
          signRequest(plain, {
            key,
            header: 'X-TOTP',
            digest: digestOf('http', body),
            created,
            expires: created + 60,
            nonce,
          })
        const { fields, base } = sign()
        const request = requestOf(peer, at, fields, body)
        const schemes = schemesFor(peer, at)
        return [
          [`sign, ${sizeOf(size)}`, cpuTimeOf(sign)],
          [
            `verify, ${sizeOf(size)}`,
            cpuTimeOf(() => {
              const head = verifyHead(request, rules, [key], decoy, at)
              if (head.verdict !== 'valid' || !digestOf('http', body).equals(head.proof.digest))
                throw new Error('not verified')
            }),
          ],
          [
            `SHA-256 and HMAC alone, ${sizeOf(size)}`,
            cpuTimeOf(() => {
              createHash('sha256').update(body).digest()
              createHmac('sha256', nonce).update(base).digest()
            }),
          ],
          [`authenticate, signed, ${sizeOf(size)}`, cpuTimeOf(() => schemes.signed.authenticate(request))],
          [`authenticate, code alone, ${sizeOf(size)}`, cpuTimeOf(() => schemes.plain.authenticate(plain))],
        ]
      }),
    )
    const samples = await takeRounds(variants, Math.min(rounds, 15))
    const of = (name: string): Measured => ({ name, samples: samples[name] ?? [] })
    const [small = 0] = sizes
    const goal: Measured = { name: '12 µs', samples: of(`verify, ${sizeOf(small)}`).samples.map(() => most) }
    return [
      cost(of(`verify, ${sizeOf(small)}`), goal, nanoseconds, 1),
      ...(quick ? sizes.slice(0, 2) : sizes).flatMap((size) => {
        const [bare, own] = ['SHA-256 and HMAC alone', 'authenticate, code alone'].map((name) =>
          of(`${name}, ${sizeOf(size)}`),
        ) as [Measured, Measured]
        return [
          cost(of(`sign, ${sizeOf(size)}`), bare, nanoseconds),
          cost(of(`verify, ${sizeOf(size)}`), bare, nanoseconds),
          cost(of(`authenticate, signed, ${sizeOf(size)}`), own, nanoseconds),
        ]
      }),
    ]
  },
}

/** Takes every nonce again and again: what states cost is measured elsewhere. */
const state: State = {
  supports: { once: true, proofs: true },
  decide: ({ comparison }) =>
    comparison.kind === 'match' ? { kind: 'accepted' } : { kind: 'wrong', counted: false, tripped: false },
}

function schemesFor(
  { seed, token, name }: BenchPeer,
  at: Date,
): Record<'signed' | 'plain', TOTPServerAuthScheme> {
  const options = {
    peerSeeds: { [name]: seed },
    tokenToPeer: { [token]: name },
    replay: 'reuse',
    agent,
    state,
    now: () => at,
  } as const
  return {
    signed: new TOTPServerAuthScheme({ ...options, signed: 'require' }),
    plain: new TOTPServerAuthScheme(options),
  }
}

function requestOf(
  { seed, token }: BenchPeer,
  at: Date,
  fields: Readonly<Record<string, string>> = {},
  body?: Buffer,
): AuthRequest {
  const lines = new Map(
    Object.entries({
      authorization: `Bearer ${token}`,
      'x-totp': generateCode(seed, defaultProfile, at),
      'content-type': 'application/json',
      ...fields,
    }).map(([name, value]) => [name, [value]]),
  )
  return {
    binding: 'http',
    method: 'POST',
    target: '/a2a',
    header: (name) => lines.get(name) ?? [],
    source: '127.0.0.1',
    ...(body && {
      body: { expectDigest: (_: 'sha-256', digest: Uint8Array) => digestOf('http', body).equals(digest) },
    }),
  }
}
