import { describe, expect, it } from 'vitest'
import { isTOTPError } from '../../../src/core/errors.js'
import { contentHash, digestOf } from '../../../src/core/proof/digest.js'
import { ProofKey } from '../../../src/core/proof/key.js'
import { isBare, noContent } from '../../../src/core/proof/no-content.js'
import {
  parseSigned,
  signedPolicies,
  usesProofs,
  type SignedRequest,
} from '../../../src/core/proof/profile.js'
import { requireSignable, signRequest, writeProof } from '../../../src/core/proof/sign.js'
import { mayBeSigned } from '../../../src/core/proof/parse.js'
import { forge, proofNow, proofSeed, seenAs, type Lines } from '../../support/proofs.js'

const content = Buffer.from('{"id":7}')
const input = {
  key: new ProofKey(proofSeed, 'billing'),
  header: 'X-TOTP',
  digest: digestOf('http', content),
  created: proofNow - 2,
  expires: proofNow + 58,
  nonce: Buffer.from('QcGD9-jrJhlATWa5iK0_6A', 'base64url'),
}

/** A right request, as it is before it has a proof, with more fields. */
const unsigned = (...headers: Lines): SignedRequest => {
  const { headers: all, ...request } = forge({ headers })
  return seenAs({ ...request, headers: all.filter(([name]) => !/^(signature|content-digest)/i.test(name)) })
}

const always = ['@method', '@path', '@query', 'content-digest', 'authorization', 'x-totp']

describe('a signed request', () => {
  it('has the fields that a signer made from the specification alone writes', () => {
    const request = forge()
    const { fields } = signRequest(unsigned(), input)
    for (const [name, value] of Object.entries(fields)) expect(seenAs(request).header(name)).toEqual([value])
    expect(writeProof(unsigned(), always, input).fields).toEqual(fields)
  })

  it('is one that may have a proof, as half of one is', () => {
    expect(mayBeSigned(seenAs(forge()))).toBe(true)
    expect(mayBeSigned(seenAs(forge({ input: () => [] })))).toBe(true)
    expect(mayBeSigned(seenAs(forge({ signature: () => [] })))).toBe(true)
    expect(mayBeSigned(unsigned())).toBe(false)
  })

  it.each<[what: string, header: readonly [string, string], message: RegExp]>([
    ['a Content-Encoding', ['Content-Encoding', 'gzip'], /Content-Encoding/],
    ['an empty Content-Encoding', ['Content-Encoding', ''], /Content-Encoding/],
    ['a type beyond ASCII', ['Content-Type', 'text/plain; name=Zoë'], /its content-type has characters/],
    ['a line break in an extension', ['A2A-Extensions', 'a\r\n b'], /its a2a-extensions has characters/],
  ])('cannot have %s, which the error names', (_, header, message) => {
    for (const sign of [
      () => void signRequest(unsigned(header), input),
      () => requireSignable(unsigned(header), 'x-totp'),
    ]) {
      expect(sign).toThrow(message)
      expect(sign).toThrow(expect.toSatisfy(isTOTPError))
      expect(sign).toThrow(expect.objectContaining({ code: 'ERR_CANNOT_SIGN' }))
      expect(sign).not.toThrow(/Zoë|gzip/)
    }
  })

  it('may lack code and digest while it is looked at', () => {
    const bare = { ...unsigned(), header: () => [] }
    expect(() => requireSignable(bare, 'x-totp')).not.toThrow()
  })
})

describe('the digest of a content', () => {
  it('is the same in one piece and in several, for each binding', () => {
    for (const binding of ['http', 'grpc'] as const) {
      const hash = contentHash(binding, content.length)
      for (const byte of content) hash.update(Uint8Array.of(byte))
      expect(hash.digest()).toEqual(digestOf(binding, content))
    }
    expect(digestOf('http', content)).not.toEqual(digestOf('grpc', content))
  })

  it('of no content is that of no bytes, which GET, HEAD and DELETE usually have', () => {
    // The SHA-256 of nothing (RFC 9530, appendix B.2 has others; this one is FIPS 180's).
    expect(noContent.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(['GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'get', ''].filter(isBare)).toEqual([
      'GET',
      'HEAD',
      'DELETE',
    ])
  })
})

describe('a policy for proofs', () => {
  it('is one of four words, of which two change what is decided', () => {
    expect(signedPolicies.map(parseSigned)).toEqual(signedPolicies)
    expect(signedPolicies.filter(usesProofs)).toEqual(['accept', 'require'])
  })

  it.each(['', 'on', 'Off', undefined, null, true])('is not %j', (policy) => {
    expect(() => parseSigned(policy)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG_INVALID',
        message: 'signed must be one of off, observe, accept, require',
      }),
    )
  })
})
