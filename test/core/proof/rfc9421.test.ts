import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { componentValue, signatureBase } from '../../../src/core/proof/base.js'
import { bytesOf, parseDictionary, type Member } from '../../../src/core/proof/dictionary.js'
import { isCanonical } from '../../../src/core/proof/canonical.js'
import { digestOf, formatContentDigest, parseContentDigest } from '../../../src/core/proof/digest.js'
import type { SignedRequest } from '../../../src/core/proof/profile.js'
import vectors from '../../vectors/rfc9421.json' with { type: 'json' }

interface Vector {
  readonly method: string
  readonly target: string
  readonly fields: readonly string[][]
  readonly signatureInput: string
}

const linesOf = (fields: readonly string[][], wanted: string): string[] =>
  fields.flatMap(([name, value]) => (name === wanted && value !== undefined ? [value] : []))

const requestOf = ({ method, target, fields }: Omit<Vector, 'signatureInput'>): SignedRequest => ({
  binding: 'http',
  method,
  target,
  // @authority is no part of the profile, so that its value stands among the fields here.
  header: (name) => linesOf(fields, name),
})

function memberOf(text: string): Member {
  const [member] = parseDictionary([text]) ?? []
  if (!member) throw new Error(`no dictionary: ${text}`)
  return member
}

function baseOf(vector: Vector): string {
  const { value, text } = memberOf(vector.signatureInput)
  const names = 'kind' in value ? [] : value.map((item) => String(item.value.value))
  return signatureBase(requestOf(vector), names, text)
}

describe('RFC 9421', () => {
  it('has the signature base of section 2.5', () => {
    expect(baseOf(vectors.base)).toBe(vectors.base.base)
  })

  it('has the base and the hmac-sha256 of appendix B.2.5', () => {
    const { hmac } = vectors
    expect(baseOf(hmac)).toBe(hmac.base)
    const mac = createHmac('sha256', Buffer.from(hmac.keyBase64, 'base64')).update(baseOf(hmac)).digest()
    const { label, value } = memberOf(hmac.signature)
    expect(label).toBe('sig-b25')
    expect('kind' in value && bytesOf(value, 32)).toEqual(mac)
  })

  it.each([vectors.base, vectors.hmac])('writes $signatureInput as it is read', ({ signatureInput }) => {
    expect(isCanonical(memberOf(signatureInput))).toBe(true)
  })

  it.each(vectors.fieldValues)('has the value of $name (section 2.1)', ({ name, lines, value }) => {
    const fields = lines.map((line) => [name, line])
    expect(componentValue(requestOf({ method: 'GET', target: '/', fields }), name)).toBe(value)
  })

  it.each(vectors.derived)('has $name of $target (section 2.2)', ({ name, target, value }) => {
    expect(componentValue(requestOf({ method: 'POST', target, fields: [] }), name)).toBe(value)
  })

  it('has the Content-Digest of RFC 9530', () => {
    const { content, value } = vectors.contentDigest
    const digest = digestOf('http', Buffer.from(content))
    expect(formatContentDigest(digest)).toBe(value)
    expect(parseContentDigest([value])).toEqual(digest)
    expect(parseContentDigest(linesOf(vectors.base.fields, 'content-digest'))).toBeUndefined()
  })
})
