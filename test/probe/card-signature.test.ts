import { createHmac, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CardJson } from '../../src/core/card/shapes.js'
import { canonicalJson } from '../../src/core/card/canonical.js'
import { withoutSignatures } from '../../src/core/card/signatures.js'
import { probe, type ProbeReport } from '../../src/probe/index.js'
import { parseCardKeys } from '../../src/probe/target/card-keys.js'
import { verifyCard } from '../../src/probe/target/card-signatures.js'
import { signCard } from '../../src/server/card.js'
import { midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}
const ec = (namedCurve = 'P-256'): Pair => generateKeyPairSync('ec', { namedCurve })
const pairs: Readonly<Record<string, Pair>> = {
  ES256: ec(),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const own = pairs['ES256'] ?? ec()
const jwkOf = ({ publicKey }: Pair, more: object = {}): CardJson => ({
  ...(publicKey.export({ format: 'jwk' }) as CardJson),
  ...more,
})

const newer: CardJson = {
  name: 'x',
  supportedInterfaces: [{ url: 'https://h/', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
  skills: [],
}
const older: CardJson = { name: 'x', url: 'https://h/', security: [{ bearer: [], totp: [] }], skills: [] }

const signed = (card: CardJson, pair: Pair = own, alg = 'ES256', kid = 'k1'): Promise<CardJson> =>
  signCard(card, pair.privateKey, { kid, alg })

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const withHead = (card: CardJson, head: string, signature = 'c2ln'): CardJson => ({
  ...card,
  signatures: [{ protected: head, signature }],
})
const keys = (...jwks: readonly CardJson[]) => parseCardKeys({ keys: jwks })
const verdictOn = (card: CardJson, ...jwks: readonly CardJson[]) => verifyCard(card, keys(...jwks))
const reasonIn = (card: CardJson, ...jwks: readonly CardJson[]): string => {
  const verdict = verdictOn(card, ...(jwks.length > 0 ? jwks : [jwkOf(own, { kid: 'k1' })]))
  return verdict?.verified === false ? verdict.reasons.join('; ') : 'verified'
}

describe('a signature of a card', () => {
  describe.each([
    ['1.0', newer],
    ['0.3', older],
  ])('of %s', (_, card) => {
    it.each(Object.entries(pairs))('with %s verifies with the public key', async (alg, pair) => {
      const verdict = verdictOn(await signed(card, pair, alg), jwkOf(pair, { kid: 'k1' }))
      expect(verdict).toMatchObject({ verified: true, alg, kid: 'k1', covers: 'everything' })
    })

    it('verifies with any order of its keys, and not after a change', async () => {
      const made = await signed(card)
      const turned = Object.fromEntries(Object.entries(made).reverse())
      expect(reasonIn(turned)).toBe('verified')
      expect(reasonIn({ ...made, name: 'y' })).toContain('not one over this card')
      expect(reasonIn({ ...made, skills: [{ id: 'new', name: 'n', description: 'd', tags: [] }] })).toContain(
        'not one over this card',
      )
    })
  })

  it('of a member that A2A does not know is covered by the card as it was received', async () => {
    const verdict = verdictOn(await signed({ ...newer, 'x-own': 1 }), jwkOf(own))
    expect(verdict).toMatchObject({ verified: true, covers: 'everything' })
  })

  it('verifies where one of several is good', async () => {
    const good = (await signed(newer))['signatures'] as unknown[]
    const bad = (await signed(newer, ec()))['signatures'] as unknown[]
    expect(reasonIn({ ...newer, signatures: [null, ...bad, ...good] })).toBe('verified')
    expect(reasonIn({ ...newer, signatures: bad })).not.toBe('verified')
  })

  it('needs a key of its kid, or one without', async () => {
    const card = await signed(newer)
    expect(reasonIn(card, jwkOf(own, { kid: 'other' }))).toBe('no key given has the kid "k1"')
    expect(reasonIn(card, jwkOf(ec(), { kid: 'k1' }), jwkOf(own))).toBe('verified')
    expect(reasonIn(card, jwkOf(ec(), { kid: 'k1' }), jwkOf(own, { kid: 'k1' }))).toBe('verified')
    expect(reasonIn(card, jwkOf(own, { kid: 'k1', alg: 'ES384' }))).toContain('is for ES256')
    expect(reasonIn(card, jwkOf(pairs['RS256'] ?? own, { kid: 'k1' }))).toContain('is for ES256')
  })

  it('is refused with no algorithm, or with one whose key anybody would have', () => {
    const secret = JSON.stringify(jwkOf(own))
    const head = base64url({ alg: 'HS256', kid: 'k1' })
    const payload = Buffer.from(canonicalJson(withoutSignatures(newer))).toString('base64url')
    const mac = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url')
    expect(reasonIn(withHead(newer, head, mac))).toContain('the algorithm "HS256" is refused')
    for (const alg of ['none', 'NONE', '', 'constructor', 'RS1', 7, undefined]) {
      expect(reasonIn(withHead(newer, base64url({ alg, kid: 'k1' })))).toMatch(/the algorithm .* is refused/)
    }
  })

  it.each([
    ['a protected header that is no JSON', withHead(newer, 'AAAA'), 'not base64url of a JSON object'],
    ['one that is a list', withHead(newer, base64url([])), 'not base64url of a JSON object'],
    ['one that is not base64url', withHead(newer, '{"alg":"ES256"}'), 'not base64url of a JSON object'],
    ['no protected header', { ...newer, signatures: [{ signature: 'c2ln' }] }, 'lacks its protected header'],
    ['no value', { ...newer, signatures: [{ protected: 'e30' }] }, 'lacks its protected header or its value'],
    ['entries that are no objects', { ...newer, signatures: [null, 'x', 1] }, 'lacks its protected header'],
    ['an object in place of the list', { ...newer, signatures: {} }, 'signatures is not a list'],
    ['critical parameters', withHead(newer, base64url({ alg: 'ES256', crit: ['b64'], b64: false })), 'crit'],
    ['text that is not Unicode', { ...withHead(newer, 'e30'), name: '\ud800' }, 'not Unicode'],
  ])('with %s is refused with a clear word', (_, card, word) => {
    expect(reasonIn(card)).toContain(word)
  })

  it('is not looked for in an unsigned card', () => {
    expect(verdictOn(newer, jwkOf(own))).toBeUndefined()
    expect(verdictOn({ ...newer, signatures: [] }, jwkOf(own))).toBeUndefined()
  })
})

describe('the keys', () => {
  it.each([
    ['a set', { keys: [jwkOf(own)] }],
    ['a list', [jwkOf(own)]],
    ['one key', jwkOf(own)],
    ['a private key', own.privateKey.export({ format: 'jwk' })],
    ['a set with others', { keys: [{ kty: 'oct', k: 'AAAA' }, 7, null, { kty: 'EC' }, jwkOf(own)] }],
  ])('may be %s', (_, given) => {
    expect(parseCardKeys(given)).toHaveLength(1)
  })

  it.each([
    [{}],
    [{ keys: [] }],
    [{ keys: {} }],
    [[]],
    ['text'],
    [null],
    [{ kty: 'oct', k: randomBytes(32).toString('base64url') }],
    [jwkOf(own, { use: 'enc' })],
    [jwkOf(own, { key_ops: ['deriveKey'] })],
    [jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
  ])('are refused as %j before anything is sent', async (given) => {
    await expect(
      probe({ ...probeOptions('http://127.0.0.1:1', stillClock(midStep)), cardKeys: given }),
    ).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })
})

describe('card.signature', () => {
  /** Signs each card when it is served: the test agent makes one for each version. */
  const probed = async (sign: readonly ('1.0' | '0.3')[], cardKeys?: unknown, change = {}) => {
    // The cards name the port, so they are known after a first look.
    const served = new Map<string, CardJson>()
    const learn = (card: CardJson): CardJson => {
      served.set(versionOf(card), card)
      return card
    }
    const seen: ProbeReport[] = []
    const run = async (card: (card: CardJson) => unknown): Promise<void> => {
      const options = { only: ['card.fetch', 'card.signature'], ...(cardKeys !== undefined && { cardKeys }) }
      seen.push((await probeAgent({ card: (one) => card(one) }, options)).report)
    }
    await run(learn)
    const fixed = JSON.parse(
      JSON.stringify(Object.fromEntries(served)).replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:9'),
    ) as Record<string, CardJson>
    const ready: Record<string, CardJson> = {}
    for (const [version, card] of Object.entries(fixed)) {
      ready[version] = sign.some((one) => one === version) ? { ...(await signed(card)), ...change } : card
    }
    await run((card) => ready[versionOf(card)])
    return seen.at(-1)?.checks.find(({ id }) => id === 'card.signature')
  }
  const versionOf = (card: CardJson): string => ('supportedInterfaces' in card ? '1.0' : '0.3')
  const jwks = { keys: [jwkOf(own, { kid: 'k1' })] }

  it('passes for both cards, and names the key', async () => {
    expect(await probed(['1.0', '0.3'], jwks)).toMatchObject({
      status: 'pass',
      actual: 'verified (ES256, key k1)',
      detail: '',
    })
  })

  it('passes for one signed card, and says that the other is not', async () => {
    expect(await probed(['1.0'], jwks)).toMatchObject({
      status: 'pass',
      detail: 'the card for clients of one version is not signed',
    })
  })

  it('fails for a card that was changed, in either version', async () => {
    for (const version of ['1.0', '0.3'] as const) {
      expect(await probed([version], jwks, { name: 'mine now' })).toMatchObject({
        status: 'fail',
        detail: expect.stringContaining('not one over this card') as string,
      })
    }
  })

  it('is skipped where it is unsigned, or no key is given, and says which', async () => {
    expect(await probed([], jwks)).toMatchObject({ status: 'skip', actual: 'not signed' })
    expect(await probed(['1.0'])).toMatchObject({
      status: 'skip',
      actual: 'signed',
      detail: expect.stringContaining('--card-jwks') as string,
    })
  })
})
