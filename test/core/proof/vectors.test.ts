import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ProofKey } from '../../../src/core/proof/key.js'
import { readProof } from '../../../src/core/proof/parse.js'
import type { Binding } from '../../../src/core/proof/profile.js'
import { Seed } from '../../../src/core/seed.js'
import { verifyProof, type ProofRequest } from '../../../src/server/index.js'
import { seenAs } from '../../support/proofs.js'

interface Case {
  readonly description: string
  readonly seed: string
  readonly agent: string
  readonly header: string
  readonly period: number
  readonly window: number
  readonly now: number
  readonly request: {
    readonly binding: Binding
    readonly method: string
    readonly target: string
    readonly headers: readonly (readonly [string, string])[]
    readonly bodyBase64: string
  }
  readonly expect: {
    readonly verdict: string
    readonly reason?: string
    readonly reasons?: readonly string[]
  }
  readonly signatureBase?: string
  readonly keyid?: string
}

const { cases } = JSON.parse(readFileSync(new URL('../../vectors/proof.json', import.meta.url), 'utf8')) as {
  cases: readonly Case[]
}

const decoy = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

/** The ways in which a request may be handed in. */
const shapes: Record<string, (one: Case) => ProofRequest> = {
  'pairs and bytes': ({ request }) => ({ ...request, body: Buffer.from(request.bodyBase64, 'base64') }),
  'lower-case pairs of an iterable, and an ArrayBuffer': ({ request }) => ({
    ...request,
    headers: new Set(request.headers.map(([name, value]) => [name.toLowerCase(), value] as const)),
    body: Uint8Array.from(Buffer.from(request.bodyBase64, 'base64')).buffer,
  }),
  'a function and a comparison': ({ request }) => {
    const { binding, bodyBase64 } = request
    const body = Buffer.from(bodyBase64, 'base64')
    const expectDigest = (_: string, digest: Uint8Array): boolean => hasDigest(binding, body, digest)
    return { ...seenAs({ ...request, body }), body: { expectDigest } }
  },
}

/** By the words of the contract: 0x00, the length as uint32be, and the message. */
function hasDigest(binding: Binding, body: Buffer, digest: Uint8Array): boolean {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const content = binding === 'grpc' ? Buffer.concat([Buffer.from([0]), length, body]) : body
  return createHash('sha256').update(content).digest().equals(digest)
}

describe.each(Object.entries(shapes))('the published proofs, as %s', (_, shape) => {
  it.each(cases.map((one) => [one.description, one] as const))('%s', (__, one) => {
    const verdict = verifyProof(shape(one), { ...one, seeds: [decoy, one.seed] })
    expect(verdict.verdict).toBe(one.expect.verdict)
    // Where several were fair, the order of the contract decides, and the first of the list is it.
    expect(verdict.reason).toBe(one.expect.reasons?.[0] ?? one.expect.reason)
    if (verdict.verdict === 'valid') expect(verdict.keyid).toBe(one.keyid)
  })
})

describe('the signature bases of the published proofs', () => {
  const valid = cases.filter(({ signatureBase }) => signatureBase !== undefined)

  it.each(valid.map((one) => [one.description, one] as const))('%s', (_, one) => {
    const request = seenAs({ ...one.request, body: Buffer.alloc(0) })
    const read = readProof(request, { ...one, header: one.header.toLowerCase() })
    expect(read.kind === 'parsed' && read.proof.base).toBe(one.signatureBase)
    expect(new ProofKey(Seed.fromBase32(one.seed), one.agent).keyid).toBe(one.keyid)
  })
})
