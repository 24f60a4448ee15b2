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
/** A reader that needs its square takes minutes; ours a fraction of a second, also on a busy machine. */
const length = 400_000
const timeout = 20_000

describe.each(fields)('a long %s', (field) => {
  it.each(Object.entries(shapes))(
    'of %s does not take the square of its length',
    (_, shape) => {
      const begin = performance.now()
      expect(verifyProof(withField(request, field, [shape(length)]), proofOptions).verdict).not.toBe('valid')
      expect(performance.now() - begin).toBeLessThan(timeout)
    },
    2 * timeout,
  )
})
