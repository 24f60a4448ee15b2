import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../../src/server/index.js'
import { forge, proofOptions, withField } from '../../support/proofs.js'

/** Texts of about that many characters which readers with a way back take long over. */
const shapes: Readonly<Record<string, (length: number) => string>> = {
  'blanks in the middle': (length) => `a=1${' '.repeat(length)}b`,
  'tabs and blanks': (length) => `a${' \t'.repeat(length / 2)}b`,
  'escapes without an end': (length) => `a="${'\\"'.repeat(length / 2)}`,
  'a string without an end': (length) => `a="${'x'.repeat(length)}`,
  'bytes without an end': (length) => `a=:${'A'.repeat(length)}`,
  padding: (length) => `a=:${'='.repeat(length)}:`,
  'opening brackets': (length) => `a=${'('.repeat(length)}`,
  'a long list': (length) => `a=(${'1 '.repeat(length / 2)})`,
  'parameters, all of one name': (length) => `a${';b'.repeat(length / 2)}`,
  'members, all of one label': (length) => `${'a,'.repeat(length / 2)}a`,
  'members of different labels': (length) => Array.from({ length: length / 8 }, (_, at) => `a${at}=1`).join(),
  'tags of ours': (length) => `a=()${';tag="a2a-totp/proof/v1"'.repeat(length / 24)}`,
  'members of ours': (length) =>
    Array.from({ length: length / 40 }, (_, at) => `a${at}=();tag="a2a-totp/proof/v1"`).join(),
  digits: (length) => `a=${'1'.repeat(length)}`,
  'a token': (length) => `a=${'t'.repeat(length)}`,
  'a label': (length) => 'a'.repeat(length),
}

const request = forge({ headers: [['Content-Type', 'application/json']] })
const fields = ['Signature-Input', 'Signature', 'Content-Digest', 'Content-Type']
const short = 4000
const factor = 16

/** The least of a few, in milliseconds: what else the machine does can only make it longer. */
function leastTime(run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 8; round++) {
    const begin = performance.now()
    run()
    least = Math.min(least, performance.now() - begin)
  }
  return least
}

describe.each(fields)('a long %s', (field) => {
  it.each(Object.entries(shapes))('of %s takes time in proportion to its length', (_, shape) => {
    const timeOf = (length: number): number => {
      const long = withField(request, field, [shape(length)])
      return leastTime(() => expect(verifyProof(long, proofOptions).verdict).not.toBe('valid'))
    }
    // What takes 0.2 ms at most is measured by its size, so that a pause of the machine is not.
    const allowed = factor * Math.max(timeOf(short), 0.2) * 5
    // A square would be 256 times as long.
    expect(timeOf(short * factor)).toBeLessThan(allowed)
  })
})
