import { execFileSync } from 'node:child_process'
import { hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSignature, verifySignature, type RequestDescriptor } from 'http-message-sig'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import { describe, expect, it } from 'vitest'
import { componentsOf } from '../../src/core/proof/base.js'
import { digestOf, formatContentDigest } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { proofTag, type SignedRequest } from '../../src/core/proof/profile.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { verifyProof } from '../../src/server/index.js'
import { numbers } from '../support/numbers.js'
import type { Lines } from '../support/proofs.js'
import { packagePath, pythonTests } from '../support/python.js'
import { randomUnsigned, type Unsigned } from '../support/random-proofs.js'

const count = 10_000
const random = numbers(20_261_129)
// The libraries read the clock of this machine, so that what they are to verify is signed just before.
const secondsNow = (): number => Math.floor(Date.now() / 1000)
const created = secondsNow()
const requests = Array.from({ length: count }, () => randomUnsigned(random, created))
const keys = new Map(requests.map((one) => [one, new ProofKey(one.seed, one.agent)]))
const keyOf = (one: Unsigned): ProofKey => keys.get(one) ?? new ProofKey(one.seed, one.agent)

const expiresOf = ({ period, window }: Unsigned, from = created): number => from + (window + 1) * period
const macKeyOf = ({ seed, agent }: Unsigned): Buffer =>
  Buffer.from(hkdfSync('sha256', seed.bytes, proofTag, `mac ${agent}`, 32))
const urlOf = ({ target }: Unsigned): string => `https://billing.example${target}`

const seenAs = ({ binding, method, target }: Unsigned, headers: Lines): SignedRequest => ({
  binding,
  method,
  target,
  header: (name) => headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : [])),
})

function signedHere(one: Unsigned, from = created): Lines {
  const { fields } = signRequest(seenAs(one, one.headers), {
    key: keyOf(one),
    header: one.header,
    digest: digestOf(one.binding, one.body),
    created: from,
    expires: expiresOf(one, from),
    nonce: one.nonce,
  })
  return [...one.headers, ...Object.entries(fields)]
}

const verdictHere = (one: Unsigned, headers: Lines): string => {
  const { seed, agent, header, period, window, binding, method, target, body } = one
  const options = { seeds: [seed], agent, header, period, window, now: created }
  const { verdict, reason } = verifyProof({ binding, method, target, headers, body }, options)
  return reason ?? verdict
}

/** With the digest, and what is to be covered in an order of its own. */
function prepared(one: Unsigned): { headers: Lines; components: string[] } {
  const headers: Lines = [
    ...one.headers,
    ['Content-Digest', formatContentDigest(digestOf(one.binding, one.body))],
  ]
  const components = componentsOf(seenAs(one, headers), { header: one.header.toLowerCase() })
  const turn = random(components.length)
  return { headers, components: [...components.slice(turn), ...components.slice(0, turn)] }
}

const recordOf = (headers: Lines): Record<string, string[]> => {
  const record: Record<string, string[]> = {}
  for (const [name, value] of headers) (record[name.toLowerCase()] ??= []).push(value)
  return record
}
const descriptorOf = (one: Unsigned, headers: Lines): RequestDescriptor => ({
  kind: 'request',
  method: one.method,
  targetUri: urlOf(one),
  fields: headers.map(([name, value]) => ({ name, value })),
})

/** Which of the requests did not come out as they should, by their number. */
async function failures(check: (one: Unsigned) => Promise<boolean> | boolean): Promise<number[]> {
  const failed: number[] = []
  for (const [number, one] of requests.entries()) if (!(await check(one))) failed.push(number)
  return failed
}

const parametersOf = (one: Unsigned): { nonce: string; keyid: string; tag: string } => ({
  nonce: one.nonce.toString('base64url'),
  keyid: keyOf(one).keyid,
  tag: proofTag,
})

describe('http-message-signatures', () => {
  it(`verifies ${count} random requests that were signed here`, async () => {
    const failed = await failures(async (one) => {
      const key = { algs: ['hmac-sha256'], verify: createVerifier(macKeyOf(one), 'hmac-sha256') }
      const message = {
        method: one.method,
        url: urlOf(one),
        headers: recordOf(signedHere(one, secondsNow())),
      }
      return (await httpbis.verifyMessage({ keyLookup: () => Promise.resolve(key) }, message)) === true
    })
    expect(failed).toEqual([])
  })

  it(`signs ${count} random requests that are verified here`, async () => {
    const failed = await failures(async (one) => {
      const { headers, components } = prepared(one)
      const signed = await httpbis.signMessage(
        {
          key: createSigner(macKeyOf(one), 'hmac-sha256'),
          fields: components,
          params: ['created', 'expires', 'nonce', 'keyid', 'tag', ...(random(2) === 0 ? ['alg'] : [])],
          paramValues: {
            ...parametersOf(one),
            created: new Date(created * 1000),
            expires: new Date(expiresOf(one) * 1000),
          },
        },
        { method: one.method, url: urlOf(one), headers: recordOf(headers) },
      )
      const added = Object.entries(signed.headers).flatMap(([name, value]): [string, string][] =>
        /^signature/i.test(name) ? [value].flat().map((line) => [name, line]) : [],
      )
      return verdictHere(one, [...headers, ...added]) === 'valid'
    })
    expect(failed).toEqual([])
  })
})

describe('http-message-sig', () => {
  it(`verifies ${count} random requests that were signed here`, async () => {
    const failed = await failures(async (one) => {
      const key = macKeyOf(one)
      const headers = signedHere(one, secondsNow())
      const { components } = prepared(one)
      const verifier = createVerifier(key, 'hmac-sha256')
      const verified = await verifySignature(descriptorOf(one, headers), {
        label: 'a2a-totp',
        policy: {
          algorithms: ['hmac-sha256'],
          requiredComponents: components,
          requiredParameters: ['created', 'expires', 'nonce', 'keyid', 'tag'],
        },
        resolveVerifier: () => ({
          algorithm: 'hmac-sha256',
          verify: async (data, signature) =>
            (await verifier(Buffer.from(data), Buffer.from(signature))) === true,
        }),
      })
      return verified.parameters.keyid === parametersOf(one).keyid
    })
    expect(failed).toEqual([])
  })

  it(`signs ${count} random requests that are verified here`, async () => {
    const failed = await failures(async (one) => {
      const { headers, components } = prepared(one)
      const signer = createSigner(macKeyOf(one), 'hmac-sha256')
      const { signature, signatureInput } = await createSignature(descriptorOf(one, headers), {
        label: 'other-label',
        components,
        parameters: { ...parametersOf(one), created, expires: expiresOf(one) },
        signer: { algorithm: 'hmac-sha256', sign: (data) => signer.sign(Buffer.from(data)) },
      })
      const added: Lines = [
        ['Signature', signature],
        ['Signature-Input', signatureInput],
      ]
      return verdictHere(one, [...headers, ...added]) === 'valid'
    })
    expect(failed).toEqual([])
  })
})

interface PythonAnswer {
  readonly verdicts: readonly string[]
  readonly fields: readonly Readonly<Record<string, string>>[]
}

const python = (verify: readonly object[], sign: readonly object[], program = 'proofs.py'): PythonAnswer =>
  JSON.parse(
    execFileSync('python3', [pythonTests + program], {
      env: { PATH: process.env['PATH'], PYTHONPATH: packagePath, PYTHONDONTWRITEBYTECODE: '1' },
      input: JSON.stringify({ verify, sign }),
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      timeout: 110_000,
    }),
  ) as PythonAnswer

/** For Python, which writes and reads seeds, bytes and instants as JSON has them. */
const told = (one: Unsigned, headers: Lines): object => ({
  ...one,
  seed: one.seed.base32,
  nonce: one.nonce.toString('base64'),
  body: one.body.toString('base64'),
  now: created,
  headers,
})

/** One field with something in it that should not be there, or without something that should. */
function damaged(headers: Lines): Lines {
  const at = random(headers.length)
  const pieces = [
    ' ',
    '\t',
    ',',
    ';',
    '=',
    '"',
    '\\',
    ':',
    '(',
    ')',
    '1',
    'a',
    'é',
    '\n',
    ';tag="a2a-totp/proof/v1"',
    ', x=1',
  ]
  return headers.flatMap(([name, value], number): Lines => {
    if (number !== at) return [[name, value]]
    const begin = random(value.length + 1)
    const changed =
      value.slice(0, begin) + (pieces[random(pieces.length + 4)] ?? '') + value.slice(begin + random(3))
    return random(20) === 0
      ? []
      : random(20) === 0
        ? [
            [name, value],
            [name, value],
          ]
        : [[name, changed]]
  })
}

const { cases: publishedCases } = JSON.parse(
  readFileSync(new URL('../vectors/proof.json', import.meta.url), 'utf8'),
) as {
  cases: {
    request: { bodyBase64: string }
    expect: { verdict: string; reason?: string; reasons?: string[] }
  }[]
}
const published = publishedCases.map((one) => ({ ...one, ...one.request, body: one.request.bodyBase64 }))
const publishedVerdicts = publishedCases.map(
  ({ expect: { verdict, reason, reasons } }) => reasons?.[0] ?? reason ?? verdict,
)

describe('Python, written from docs/wire.md', () => {
  it(`verifies ${count} random requests that were signed here, and signs them to the same fields`, () => {
    const signed = requests.map((one) => signedHere(one))
    const answer = python(
      requests.map((one, number) => told(one, signed[number] ?? [])),
      requests.map((one) => told(one, one.headers)),
    )
    expect(answer.verdicts.filter((verdict) => verdict !== 'valid')).toEqual([])
    expect(answer.fields).toEqual(signed.map((headers) => Object.fromEntries(headers.slice(-3))))
    const fromPython = requests.map((one, number): Lines => [
      ...one.headers,
      ...Object.entries(answer.fields[number] ?? {}),
    ])
    expect(requests.filter((one, number) => verdictHere(one, fromPython[number] ?? []) !== 'valid')).toEqual(
      [],
    )
  })

  it(`has the same verdict and the same reason for ${count} damaged requests`, () => {
    const broken = requests.map((one) => damaged(signedHere(one)))
    const here = requests.map((one, number) => verdictHere(one, broken[number] ?? []))
    const { verdicts } = python(
      requests.map((one, number) => told(one, broken[number] ?? [])),
      [],
    )
    const different = here.flatMap((verdict, number) =>
      verdict === verdicts[number] ? [] : [[verdict, verdicts[number], broken[number]]],
    )
    expect(different).toEqual([])
    // So that it can be trusted.
    expect([...new Set(here)].sort()).toEqual([
      'proof-digest',
      'proof-key',
      'proof-mac',
      'proof-malformed',
      'proof-uncovered',
      'unsigned',
      'valid',
    ])
  })

  it('has the verdicts of the published proofs', () => {
    const { verdicts } = python(published, [])
    expect(verdicts).toEqual(publishedVerdicts)
  })
})

describe('the Python package', () => {
  const program = 'package_proofs.py'

  it('has the verdicts of the published proofs', () => {
    const { verdicts } = python(published, [], program)
    expect(verdicts).toEqual(publishedVerdicts)
  })

  it(`has the same verdict and the same reason for ${count} whole and ${2 * count} damaged requests`, () => {
    const whole = requests.map((one) => [one, signedHere(one)] as const)
    const broken = [
      ...requests.map((one) => [one, damaged(signedHere(one))] as const),
      ...requests.map((one) => [one, damaged(damaged(damaged(signedHere(one))))] as const),
    ]
    const all = [...whole, ...broken]
    const here = all.map(([one, headers]) => verdictHere(one, headers))
    const { verdicts } = python(
      all.map(([one, headers]) => told(one, headers)),
      [],
      program,
    )
    expect(
      here.flatMap((verdict, at) =>
        verdict === verdicts[at] ? [] : [[verdict, verdicts[at], all[at]?.[1]]],
      ),
    ).toEqual([])
    expect(new Set(here.slice(0, count))).toEqual(new Set(['valid']))
    expect(new Set(here).size).toBe(7)
  })

  it('signs random requests to the same fields', () => {
    const overHttp = requests.filter(({ binding }) => binding === 'http')
    const { fields } = python(
      [],
      overHttp.map((one) => told(one, one.headers)),
      program,
    )
    expect(fields).toEqual(overHttp.map((one) => Object.fromEntries(signedHere(one).slice(-3))))
    expect(overHttp.length).toBeGreaterThan(count / 2)
  })
})
