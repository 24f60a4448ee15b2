import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contentHash, digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { verifyProof } from '../../src/server/index.js'
import { blocksOf, readPages } from '../support/pages.js'

const page = readPages().find(({ path }) => path === 'docs/wire.md')
const code = page ? blocksOf(page).map((block) => block.code.trimEnd()) : []
const blockWith = (start: string): string => code.find((block) => block.startsWith(start)) ?? ''

/** The values of the first block of the example, by their names. */
const given = new Map(
  blockWith('seed ')
    .split('\n')
    .map((line) => [line.slice(0, 9).trim(), line.slice(9)] as const),
)
const valueOf = (name: string): string => given.get(name) ?? ''

const [head = '', body = ''] = blockWith('POST ').split('\n\n')
const [requestLine = '', ...lines] = head.split('\n')
const [method = '', target = ''] = requestLine.split(' ')
const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string])
const shown = (name: string): string | undefined => headers.find(([field]) => field === name)?.[1]

const seed = Seed.fromBase32(valueOf('seed'))
const key = new ProofKey(seed, valueOf('agent'))
const created = Number(valueOf('created'))
const expires = created + 60
const signed = signRequest(
  {
    binding: 'http',
    method,
    target,
    header: (name) => headers.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : [])),
  },
  {
    key,
    header: 'X-TOTP',
    digest: digestOf('http', Buffer.from(body)),
    created,
    expires,
    nonce: Buffer.from(valueOf('nonce'), 'hex'),
  },
)

describe('the worked example of docs/wire.md', () => {
  it('has the code and the key id of its seed', () => {
    expect(shown('X-TOTP')).toBe(generateCode(seed, defaultProfile, new Date(created * 1000)))
    expect(valueOf('keyid')).toBe(key.keyid)
  })

  it('has the MAC key', () => {
    // The key does not print, so that its MAC is compared.
    const mac = createHmac('sha256', Buffer.from(valueOf('key'), 'hex'))
      .update('x')
      .digest()
    expect(key.mac('x').equals(mac)).toBe(true)
  })

  it('has the fields that are computed of it', () => {
    const { fields } = signed
    expect({
      'content-digest': shown('Content-Digest'),
      'signature-input': shown('Signature-Input'),
      signature: shown('Signature'),
    }).toEqual(fields)
  })

  it('has the signature base', () => {
    expect(code).toContain(signed.base)
  })

  it('is valid, and refused a second after it ended', () => {
    const request = { method, target, headers, body }
    const options = { seeds: [seed], agent: valueOf('agent'), now: expires }
    expect(verifyProof(request, options)).toEqual({ verdict: 'valid', keyid: key.keyid })
    expect(verifyProof(request, { ...options, now: expires + 1 })).toMatchObject({ reason: 'proof-stale' })
  })

  it('has the digest of the same content over gRPC', () => {
    const content = Buffer.from(body)
    const digest = contentHash('grpc', content.length).update(content).digest('base64')
    expect(page?.text).toContain(`\`sha-256=:${digest}:\``)
  })
})
