import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/core/proof/digest.js'
import { ProofKey } from '../../../src/core/proof/key.js'
import { readProof } from '../../../src/core/proof/parse.js'
import { verifyHead } from '../../../src/core/proof/verify.js'
import { verifyProof } from '../../../src/server/index.js'
import { numbers } from '../../support/numbers.js'
import { fuzzedProof, fuzzOriginals } from '../../support/fuzzed-proofs.js'
import { forge, proofNow, proofOptions, proofSeed, seenAs, type ForgedRequest } from '../../support/proofs.js'

const rules = { ...proofOptions, header: 'x-totp' }
const keys = [new ProofKey(proofSeed, proofOptions.agent)]
const decoy = new ProofKey(proofSeed, 'decoy')
const at = new Date(proofNow * 1000)

function outcomeOf(request: ForgedRequest, original: ForgedRequest): string {
  const head = verifyHead(seenAs(request), rules, keys, decoy, at)
  if (head.verdict !== 'valid') return head.verdict === 'refused' ? head.reason : head.verdict
  if (!head.proof.digest.equals(digestOf(request.binding, request.body))) return 'proof-digest'
  // What changed may be nobody's: whitespace around a line, a foreign member, another digest.
  const same = readProof(seenAs(original), rules)
  const { base, signature } = head.proof
  const isSame = same.kind === 'parsed' && same.proof.base === base && same.proof.signature.equals(signature)
  return isSame ? 'the same proof' : 'another proof'
}

describe('fuzzed fields', () => {
  it('are never let in, and never make it throw: 100,000 of them', () => {
    const random = numbers(20_261_129)
    const seen = new Map<string, number>()
    for (let made = 0; made < 100_000 / fuzzOriginals.length; made++) {
      for (const original of fuzzOriginals) {
        const outcome = outcomeOf(fuzzedProof(original, random), original)
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
    }
    // None is another proof. So that it can be trusted: fields led everywhere but into another time.
    expect([...seen.keys()].sort()).toEqual([
      'proof-digest',
      'proof-key',
      'proof-mac',
      'proof-malformed',
      'proof-uncovered',
      'the same proof',
      'unsigned',
    ])
  })
})

describe('what a header function returns in plain JavaScript', () => {
  const strange: readonly unknown[] = [
    ...[
      undefined,
      null,
      '',
      'x',
      [],
      [''],
      [undefined],
      [null],
      [1],
      [[]],
      [{}],
      0,
      1,
      Number.NaN,
      true,
      {},
      Symbol('x'),
    ],
    ...[
      new Map(),
      new Date(0),
      () => ['x'],
      Buffer.from('x'),
      new String('x'),
      'x'.repeat(1e6),
      Array(1000).fill('a=1'),
    ],
  ]
  const request = forge({ headers: [['Content-Type', 'application/json']] })
  const names = [
    'signature-input',
    'signature',
    'content-digest',
    'content-encoding',
    'content-type',
    'x-totp',
  ]

  it.each(names)('never makes %s valid or throw, whatever it is', (strangeName) => {
    for (const value of strange) {
      const right = seenAs(request)
      const header = (name: string): readonly string[] =>
        name === strangeName ? (value as readonly string[]) : right.header(name)
      const { verdict } = verifyProof({ ...right, header, body: request.body }, proofOptions)
      const isAbsent = value === undefined || value === null || (Array.isArray(value) && value.length === 0)
      expect(verdict === 'valid', String(value)).toBe(strangeName === 'content-encoding' && isAbsent)
    }
  })

  it('may be a string in place of a list of one', () => {
    const right = seenAs(request)
    const header = (name: string): string | undefined => right.header(name)[0]
    expect(verifyProof({ ...right, header, body: request.body }, proofOptions).verdict).toBe('valid')
  })
})
