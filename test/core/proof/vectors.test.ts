import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/core/proof/digest.js'
import { ProofKey } from '../../../src/core/proof/key.js'
import { readProof } from '../../../src/core/proof/parse.js'
import type { Binding, ProofRules, SignedRequest } from '../../../src/core/proof/profile.js'
import { verifyHead } from '../../../src/core/proof/verify.js'
import { Seed } from '../../../src/core/seed.js'

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
  readonly expect: { readonly verdict: string; readonly reason?: string; readonly reasons?: readonly string[] }
  readonly signatureBase?: string
  readonly keyid?: string
  readonly macKeyHex?: string
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../vectors/proof.json', import.meta.url), 'utf8'),
) as { cases: readonly Case[] }

const requestOf = ({ request: { binding, method, target, headers } }: Case): SignedRequest => ({
  binding,
  method,
  target,
  header: (name) => headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value),
})

const rulesOf = ({ agent, header, period, window }: Case): ProofRules => ({
  agent,
  header: header.toLowerCase(),
  period,
  window,
})

const decoy = new ProofKey(Seed.fromBytes(Buffer.alloc(20, 7)), 'decoy')

describe('the published proofs', () => {
  it.each(cases.map((one) => [one.description, one] as const))('%s', (_, one) => {
    const request = requestOf(one)
    const key = new ProofKey(Seed.fromBase32(one.seed), one.agent)
    const verdict = verifyHead(request, rulesOf(one), [key], decoy, new Date(one.now * 1000))
    const { expect: expected } = one
    const reasons = expected.reasons ?? [expected.reason]
    const body = digestOf(one.request.binding, Buffer.from(one.request.bodyBase64, 'base64'))
    const outcome =
      verdict.verdict === 'valid' && !verdict.proof.digest.equals(body)
        ? { verdict: 'refused' as const, reason: 'proof-digest' }
        : verdict
    expect(outcome.verdict).toBe(expected.verdict)
    if (outcome.verdict === 'refused') expect(reasons).toContain(outcome.reason)
    if (outcome.verdict !== 'valid') return
    const read = readProof(request, rulesOf(one))
    expect(read.kind === 'parsed' && read.proof.base).toBe(one.signatureBase)
    expect(key.keyid).toBe(one.keyid)
  })
})
