import { describe, expect, it } from 'vitest'
import { readOwnForm } from '../../../src/core/proof/own-form.js'
import { readAnyForm } from '../../../src/core/proof/parse.js'
import type { ProofRules, SignedRequest } from '../../../src/core/proof/profile.js'
import { fuzzedProof, fuzzOriginals } from '../../support/fuzzed-proofs.js'
import { numbers } from '../../support/numbers.js'
import {
  forge,
  proofNow,
  proofOptions,
  rightParameters,
  seenAs,
  withField,
  type Forgery,
} from '../../support/proofs.js'

const rules: ProofRules = { ...proofOptions, header: 'x-totp' }
const [created = '', expires = '', nonce = '', keyid = '', tag = ''] = rightParameters
const always = ['@method', '@path', '@query', 'content-digest', 'authorization', 'x-totp']
const parameters = (...given: string[]): string => given.join(';')

/** The short cut may only ever say what the grammar says. Returns whether it said anything. */
function agrees(request: SignedRequest, by = rules): boolean {
  const short = readOwnForm(request, by)
  if (short) expect(readAnyForm(request, by)).toEqual({ kind: 'parsed', proof: short })
  return short !== undefined
}

const right: Readonly<Record<string, Forgery>> = {
  'a plain one': {},
  'one with a content type': { headers: [['Content-Type', 'application/json']] },
  'one with all fields': {
    headers: [
      ['A2A-Extensions', 'urn:a'],
      ['A2A-Version', '1.0'],
      ['Content-Type', 'a/b'],
    ],
  },
  'one with two lines of a covered field': {
    headers: [
      ['A2A-Version', ' 1.0\t'],
      ['A2A-Version', ''],
    ],
  },
  'one of gRPC': { binding: 'grpc', target: '/a.B/C', headers: [['content-type', 'application/grpc']] },
  'one with a query': { target: '/a?b?c' },
  'one under another label': {
    input: (member) => [`*x-1._=${member}`],
    signature: (mac) => [`*x-1._=:${mac}:`],
  },
}

/** What is not as it is written here, or not right; the grammar decides about all of it. */
const odd: Readonly<Record<string, Forgery>> = {
  'another order': { names: ['@path', '@method', ...always.slice(2)] },
  'a component too few': { names: always.slice(1) },
  'a component too many': { names: [...always, 'date'] },
  'a component twice': { names: [...always, 'x-totp'] },
  'an absent component': { names: [...always, 'a2a-version'] },
  'parameters of a component': { list: `(${always.map((name) => `"${name}";req`).join(' ')})` },
  'two blanks': { list: `("${always.join('"  "')}")` },
  'the algorithm': { parameters: parameters(...rightParameters, 'alg="hmac-sha256"') },
  'another order of parameters': { parameters: parameters(expires, created, nonce, keyid, tag) },
  'a parameter twice': { parameters: parameters(created, ...rightParameters) },
  'a foreign member': { input: (member) => [`a2a-totp=${member}, x=1`] },
  'a foreign signature': { signature: (mac) => [`a2a-totp=:${mac}:, x=:YQ==:`] },
  'two members of ours': { input: (member) => [`a=${member}, a2a-totp=${member}`] },
  'two lines': { input: (member) => [`a2a-totp=${member}`, 'x=1'] },
  'another label in the signature': { signature: (mac) => [`a2a-totq=:${mac}:`] },
  'no token': { credentials: [['X-TOTP', '123456']] },
  'no code': { credentials: [['Authorization', 'Bearer a']] },
  'no label': { input: (member) => [`=${member}`], signature: (mac) => [`=:${mac}:`] },
  'a label in capitals': { input: (member) => [`A=${member}`], signature: (mac) => [`A=:${mac}:`] },
  'no padding': { signature: (mac) => [`a2a-totp=:${mac.slice(0, -1)}:`] },
  'spare bits': { signature: (mac) => [`a2a-totp=:${mac.slice(0, -2)}B=:`] },
  'a parameter of the signature': { signature: (mac) => [`a2a-totp=:${mac}:;a`] },
  'a line break at the end': { signature: (mac) => [`a2a-totp=:${mac}:\n`] },
  'a line break in a value': { headers: [['A2A-Version', '1\n"x": y']] },
  'another character in a value': { headers: [['A2A-Version', '1é']] },
  'a digest with spare bits': { digest: (value) => [`${value.slice(0, -3)}B=:`] },
  'two digests': { digest: (value) => [`${value}, sha-512=:YQ==:`] },
  'a digest twice': { digest: (value) => [value, value] },
  'an encoding': { headers: [['Content-Encoding', 'identity']] },
  'a zero in front': {
    parameters: parameters(`created=0${proofNow}`, `expires=${proofNow + 9}`, nonce, keyid, tag),
  },
  'a time below zero': { parameters: parameters('created=-5', 'expires=9', nonce, keyid, tag) },
  'the zero below zero': { parameters: parameters('created=-0', 'expires=9', nonce, keyid, tag) },
  'a time of 16 digits': {
    parameters: parameters('created=1000000000000000', 'expires=1000000000000001', nonce, keyid, tag),
  },
  'no life': { parameters: parameters(created, `expires=${proofNow - 2}`, nonce, keyid, tag) },
  'a long life': { parameters: parameters(created, `expires=${proofNow + 59}`, nonce, keyid, tag) },
  'a nonce of no bytes': {
    parameters: parameters(created, expires, `nonce="${'a'.repeat(25)}"`, keyid, tag),
  },
  'a short nonce': { parameters: parameters(created, expires, `nonce="${'a'.repeat(20)}"`, keyid, tag) },
  'a long nonce': { parameters: parameters(created, expires, `nonce="${'a'.repeat(66)}"`, keyid, tag) },
  'an escape in the key id': { parameters: parameters(created, expires, nonce, 'keyid="a\\"b"', tag) },
  'another tag': { parameters: parameters(created, expires, nonce, keyid, 'tag="a2a-totp/proof/v2"') },
}

describe('the short cut for proofs as they are written here', () => {
  it.each(Object.entries(right))('reads %s as the grammar does', (_, forgery) => {
    expect(agrees(seenAs(forge(forgery)))).toBe(true)
  })

  it.each(Object.entries(odd))('leaves %s to the grammar', (_, forgery) => {
    expect(agrees(seenAs(forge(forgery)))).toBe(false)
  })

  it.each([
    'authorization',
    '@method',
    'content-digest',
    'content-type',
    'a2a-version',
    'a b',
    'x"',
    'X-TOTP',
  ])('leaves a code in the field %s to the grammar', (header) => {
    const names = [...always.slice(0, 5), header]
    const list = `(${names.map((name) => `"${name.replace('"', '\\"')}"`).join(' ')})`
    expect(agrees(seenAs(forge({ names, list })), { ...rules, header })).toBe(false)
  })

  it('says what the grammar says of 100,000 fuzzed fields', () => {
    const random = numbers(20_261_130)
    let read = 0
    for (let made = 0; made < 100_000 / fuzzOriginals.length; made++) {
      for (const original of fuzzOriginals) if (agrees(seenAs(fuzzedProof(original, random)))) read++
    }
    // So that it can be trusted: some were left as they are, or changed within the form.
    expect(read).toBeGreaterThan(100)
  })

  it('says what the grammar says of every field with one character changed', () => {
    const request = forge({ headers: [['Content-Type', 'a/b']] })
    for (const [name, value] of request.headers) {
      for (let at = 0; at <= value.length; at++) {
        for (const other of [
          '',
          ' ',
          '"',
          '\\',
          ';',
          ',',
          '=',
          ':',
          '(',
          '0',
          '9',
          'a',
          'B',
          '-',
          '\n',
          'é',
        ]) {
          const changed = value.slice(0, at) + other + value.slice(at + 1)
          agrees(seenAs(withField(request, name, [changed])))
        }
      }
    }
  })
})
