import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { verifyProof, type ProofOptions } from '../../src/server/index.js'
import { fuzzedProof, fuzzOriginals } from '../support/fuzzed-proofs.js'
import { numbers } from '../support/numbers.js'
import { proofOptions, proofSeed, seenAs, type ForgedRequest } from '../support/proofs.js'
import { describeWith, pythonTests } from '../support/python.js'
import { randomUnsigned, type Unsigned } from '../support/random-proofs.js'

const random = numbers(20_261_130)
const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
const created = proofOptions.now

type Asked = Pick<ForgedRequest, 'binding' | 'method' | 'target' | 'headers' | 'body'> &
  Pick<ProofOptions, 'seeds'> & {
    readonly seed: string
    readonly agent: string
    readonly header: string
    readonly period: number
    readonly window: number
    readonly now: number
  }

/** A request that was signed right, but for what is asked about it. */
function signed(one: Unsigned): Asked {
  const agent = pick([one.agent, one.agent, one.agent, one.agent, one.agent, 'other'])
  const head = seenAs({ ...one, headers: one.headers })
  const { fields } = signRequest(head, {
    key: new ProofKey(one.seed, agent),
    header: one.header,
    digest: digestOf(one.binding, one.body),
    created,
    expires: created + pick([1, one.period, (one.window + 1) * one.period]),
    nonce: one.nonce,
  })
  const life = (one.window + 1) * one.period
  return {
    ...one,
    seeds: [one.seed],
    seed: one.seed.base32,
    headers: [...one.headers, ...Object.entries(fields)],
    now: created + pick([0, 0, 0, 0, 0.999, 1, 1.5, life, life + 1, -life, -life - 0.5, -life - 1, 1e6]),
  }
}

const fieldNames = [
  'X-Other',
  'Content-Encoding',
  'A2A-Version',
  'Content-Type',
  'SIGNATURE',
  'Authorization',
]
const odd = ['', ' ', '\t', 'é', '\u2028', '\0', '\r\n', 'x'.repeat(5000), 'Ж', '\u212A', ',', '"', 'gzip']

/** One thing that a middleman, a careless client or an attacker changes. */
const mutations: readonly ((one: Asked) => Asked)[] = [
  (one) => one,
  (one) => ({ ...one, method: pick(['GET', 'POST', 'post', 'PUT', '', 'PÖST', 'GET ']) }),
  (one) => ({
    ...one,
    target: pick([`${one.target}?`, `${one.target}&a`, '/', '', '*', '/é', `//${one.target}`]),
  }),
  (one) => ({ ...one, binding: one.binding === 'grpc' ? 'http' : 'grpc' }),
  (one) => ({
    ...one,
    body: pick([new Uint8Array(), Buffer.concat([one.body, Buffer.of(0)]), one.body.slice(1)]),
  }),
  (one) => ({ ...one, header: pick(['X-TOTP', 'x-otp', 'X-Second-Factor']) }),
  (one) => ({ ...one, period: pick([10, 30, 60, 120]), window: random(3) }),
  (one) => ({ ...one, agent: pick(['other', 'Billing', one.agent.toUpperCase()]) }),
  (one) => ({ ...one, headers: one.headers.filter(() => random(6) > 0) }),
  (one) => ({ ...one, headers: [...one.headers, pick(one.headers)] }),
  (one) => ({ ...one, headers: [...one.headers, [pick(fieldNames), pick(odd)]] }),
  (one) => ({ ...one, headers: [...one.headers].reverse() }),
  (one) => ({ ...one, headers: one.headers.map(([name, value]) => [name.toUpperCase(), ` ${value}\t`]) }),
  (one) => {
    const at = random(one.headers.length)
    return {
      ...one,
      headers: one.headers.map(([name, value], place) => {
        const cut = random(value.length + 1)
        const changed = value.slice(0, cut) + pick(odd) + value.slice(cut + random(3))
        return [name, place === at ? changed : value]
      }),
    }
  },
]

const fuzzed = (): Asked => ({
  ...proofOptions,
  ...fuzzedProof(pick(fuzzOriginals), random),
  seed: proofSeed.base32,
  now: proofOptions.now + pick([0, 0, 0, 58, 59, 61]),
})

const verdictHere = ({ binding, method, target, headers, body, ...options }: Asked): unknown[] => {
  const { verdict, reason, keyid } = verifyProof({ binding, method, target, headers, body }, options)
  return [verdict, reason ?? null, keyid ?? null]
}

function verdictsThere(asked: readonly Asked[]): unknown[][] {
  const verify = asked.map(({ binding, method, target, headers, body, seed, ...options }) => {
    const { agent, header, period, window, now } = options
    const content = Buffer.from(body).toString('base64')
    return { binding, method, target, headers, body: content, seed, agent, header, period, window, now }
  })
  const answer = execFileSync('python3', [`${pythonTests}proof_verdicts.py`], {
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' },
    input: JSON.stringify({ verify }),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 110_000,
  })
  return JSON.parse(answer) as unknown[][]
}

const reasons = [
  'proof-digest',
  'proof-key',
  'proof-mac',
  'proof-malformed',
  'proof-stale',
  'proof-uncovered',
  'unsigned',
  'valid',
]

describeWith('a2a-1', 'a2a_totp.proof.verify and verifyProof', () => {
  it.each([
    ['mutated', 4_000, () => mutations[random(mutations.length)]?.(signed(randomUnsigned(random, created)))],
    ['fuzzed', 10_000, fuzzed],
  ] as const)('have the same verdict, reason and key id for %s requests: %i of them', (_, count, make) => {
    const asked = Array.from({ length: count }, make).filter((one) => one !== undefined)
    const here = asked.map(verdictHere)
    const there = verdictsThere(asked)
    const different = here.flatMap((verdict, at) =>
      JSON.stringify(verdict) === JSON.stringify(there[at]) ? [] : [[verdict, there[at], asked[at]]],
    )
    expect(different.slice(0, 3).map((one) => JSON.stringify(one))).toEqual([])
    expect(there).toHaveLength(count)
    // So that it can be trusted: they led everywhere.
    expect([...new Set(here.map(([verdict, reason]) => reason ?? verdict))].sort()).toEqual(reasons)
  })
})
