import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import type { Digits } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { numbers } from '../support/numbers.js'
import { describeWith } from '../support/python.js'
import { ourVerdicts, pythonVerdicts, type ToldRequest, type ToldRun } from '../support/verdicts.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

const requestsInARun = 200
const runs = 6

const { own } = vectors.files
const { alice, bob, carol, dave } = own.peers as Record<string, object>

/** Peers under each policy, at agents that ask for proofs and that do not. */
const files: Readonly<Record<string, object>> = {
  mixed: {
    ...own,
    requires: ['signed', 'once'],
    signed: 'require',
    peers: {
      alice: { ...alice, replay: 'once', signed: 'accept' },
      bob: { ...bob, replay: 'once', signed: 'require' },
      carol: { ...carol, signed: 'observe' },
      dave: { ...dave, signed: 'off' },
    },
  },
  reuse: {
    ...own,
    signed: 'accept',
    peers: {
      alice: { ...alice, replay: 'reuse', signed: 'accept' },
      bob: { ...bob, replay: 'reuse', signed: 'require' },
    },
  },
}

interface FilePeer {
  readonly seeds: readonly { readonly seed: string }[]
  readonly algorithm?: 'SHA1'
  readonly digits?: Digits
  readonly period?: number
}

/** Signed requests, most of them right, captured ones, changed ones, and some without a proof. */
function* randomRequests(
  file: { readonly peers: Readonly<Record<string, FilePeer>> },
  random: (limit: number) => number,
  start: number,
): Generator<ToldRequest> {
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
  const { profile, agent } = own
  const names = Object.keys(file.peers)
  const sent: ToldRequest[] = []
  let at = start
  for (let made = 0; made < requestsInARun; made++) {
    at += pick([0, 1, random(500), random(5000), random(31_000), -random(2000)])
    const captured = sent.length > 0 && random(6) === 0 ? pick(sent.slice(-5)) : undefined
    if (captured) {
      const { fields } = captured
      const stripped = fields.filter(([name]) => !/^(signature|signature-input)$/.test(name))
      yield { ...captured, at, fields: pick([fields, fields, stripped, fields.filter(() => random(20) > 0)]) }
      continue
    }
    const name = pick(names)
    const peer = { ...profile, ...file.peers[name] } as typeof profile & FilePeer
    const { period, digits } = peer
    const seed = Seed.fromBase32(pick(peer.seeds).seed)
    const step = Math.floor(at / 1000 / period) + pick([0, 0, 0, 0, 1, -1, 2, -2])
    const algorithm = peer.algorithm
    const right = generateCodeOfStep(seed, { algorithm, digits: digits, period }, step)
    const code = pick([right, right, right, right, right, right, '000000', '', 'x'])
    const token = pick([name, name, name, name, name, name, name, pick([...names, 'nobody'])])
    const target = pick(['/', '/a2a/jsonrpc', '/v1/tasks?pageSize=1', '/a%2Fb?', '/é'])
    const method = pick(['POST', 'POST', 'POST', 'GET', 'DELETE'])
    const body = method === 'POST' ? pick(['', '{"jsonrpc":"2.0"}', 'é']) : ''
    const plain: [string, string][] = [
      ['authorization', `Bearer a2at_vector-token-of-${token}`],
      [profile.header.toLowerCase(), code],
      ...(random(2) === 0 ? ([['content-type', 'application/json']] as [string, string][]) : []),
    ]
    let fields = plain
    if (random(7) > 0 && target !== '/é') {
      const created = Math.floor(at / 1000) + pick([0, 0, 0, 0, 0, 0, -20, -59, -60, -61, 20, 60, 61, 120])
      const lines = (wanted: string): string[] =>
        plain.flatMap(([field, value]) => (field === wanted ? [value] : []))
      const signed = signRequest(
        { binding: 'http', method, target, header: lines },
        {
          key: new ProofKey(seed, pick([agent, agent, agent, agent, agent, agent, agent, 'other'])),
          header: profile.header,
          digest: digestOf('http', Buffer.from(pick([body, body, body, body, body, body, 'other']))),
          created,
          expires: created + pick([60, 60, 60, 60, period, 2 * period, 61, 1]),
          nonce: randomBytes(16),
        },
      )
      fields = [...plain, ...Object.entries(signed.fields)]
    }
    if (random(15) === 0) fields = fields.filter(() => random(5) > 0)
    if (random(20) === 0) fields = [...fields, pick([...fields, ['a2a-version', '1.0'] as [string, string]])]
    const request = { at, fields, source: pick(['', '192.0.2.1']), method, target, body }
    sent.push(request)
    yield request
  }
}

describeWith('a2a-1', 'the Python package and the TypeScript scheme', () => {
  it(`give ${Object.keys(files).length * runs * requestsInARun} signed requests the same verdict and the same answer`, async () => {
    const random = numbers(20_261_129)
    const told: ToldRun[] = []
    const ours: object[][] = []
    for (const [file, document] of Object.entries(files)) {
      for (let run = 0; run < runs; run++) {
        const since = Date.parse('2026-06-01T16:40:00Z') + random(60_000)
        const requests = [...randomRequests(document as never, random, since)]
        told.push({ file, since, requests })
        ours.push(await ourVerdicts(document, since, requests))
      }
    }
    const theirs = pythonVerdicts(files, told)
    for (const [index, verdicts] of ours.entries()) {
      for (const [at, verdict] of verdicts.entries()) {
        expect(theirs[index]?.[at], JSON.stringify(told[index]?.requests[at])).toEqual(verdict)
      }
    }
    // So that it can be trusted.
    const outcomes = ours
      .flat()
      .map((verdict) => String('reason' in verdict ? verdict.reason : (verdict as { proof: string }).proof))
    expect([...new Set(outcomes)].sort()).toEqual(
      expect.arrayContaining([
        'code',
        'code-malformed',
        'code-replayed',
        'code-wrong',
        'guesses-exhausted',
        'proof-digest',
        'proof-key',
        'proof-malformed',
        'proof-missing',
        'proof-replayed',
        'proof-stale',
        'proof-uncovered',
        'replay-unknown',
        'signed',
        'token-refused',
      ]),
    )
  })
})
