import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../../src/server/index.js'
import { forge, proofOptions, withField, type ForgedRequest } from '../../support/proofs.js'

const requests: Readonly<Record<string, ForgedRequest>> = {
  HTTP: forge({
    target: '/a2a/tasks?page=1&x=%2F',
    headers: [
      ['Content-Type', 'application/json'],
      ['A2A-Version', '1.0'],
      ['A2A-Extensions', 'urn:a2a-totp:v1, urn:other'],
    ],
  }),
  gRPC: forge({
    binding: 'grpc',
    target: '/lf.a2a.v1.A2AService/GetTask',
    headers: [['a2a-version', '1.0']],
  }),
}

/** A text with each single bit of each of its characters changed. */
function* oneBitOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      yield text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1)
    }
  }
}

function* changedRequests(request: ForgedRequest): Generator<ForgedRequest> {
  for (const method of oneBitOf(request.method)) yield { ...request, method }
  for (const target of oneBitOf(request.target)) yield { ...request, target }
  for (const [name, value] of request.headers) {
    for (const changed of oneBitOf(value)) yield withField(request, name, [changed])
  }
  for (const body of oneBitOf(Buffer.from(request.body).toString('latin1'))) {
    yield { ...request, body: Buffer.from(body, 'latin1') }
  }
}

describe.each(Object.entries(requests))('one changed bit of a signed request over %s', (_, request) => {
  it('is refused, wherever it is', () => {
    expect(verifyProof(request, proofOptions).verdict).toBe('valid')
    const seen = new Map<string, number>()
    for (const changed of changedRequests(request)) {
      const { verdict, reason = verdict } = verifyProof(changed, proofOptions)
      seen.set(reason, (seen.get(reason) ?? 0) + 1)
    }
    // Unsigned: without the tag a proof is none of ours.
    const tagBits = (' tag="a2a-totp/proof/v1"'.length - 1) * 8
    expect(seen.get('valid')).toBeUndefined()
    expect(seen.get('unsigned')).toBeLessThanOrEqual(tagBits)
    expect([...seen.keys()].sort()).toEqual([
      'proof-digest',
      'proof-key',
      'proof-mac',
      'proof-malformed',
      'proof-uncovered',
      'unsigned',
    ])
  })
})
