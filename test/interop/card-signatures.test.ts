import { exportJWK, generateKeyPair } from 'jose'
import { expect, it } from 'vitest'
import { readTotpExtension } from '../../src/core/card/extension.js'
import { withTotpSecurity } from '../../src/core/card/security.js'
import { signedTexts } from '../../src/core/card/signatures.js'
import type { CardJson } from '../../src/core/card/shapes.js'
import { defaultProfile } from '../../src/core/profile.js'
import { signedTotpAgentCard } from '../../src/server/a2a.js'
import { signCard } from '../../src/server/card.js'
import { verifiedOver } from '../support/card-signatures.js'
import { cardJson } from '../support/guarded-agent.js'
import { describeWith, pythonTests, runPython } from '../support/python.js'

/** With everything on which implementations have differed: defaults, text beyond ASCII, keys beyond the BMP, numbers. */
const difficult: CardJson = {
  ...cardJson('https://h'),
  description: 'Prüft Codes: ✓, 😀',
  skills: [{ id: 'echo', name: 'Echo', description: '', tags: [], examples: [''] }],
  capabilities: {
    streaming: false,
    pushNotifications: false,
    extensions: [
      { uri: 'urn:x', required: false, params: { text: '', n: 1e21, tenth: 0.1, whole: 5, none: null } },
    ],
  },
  securitySchemes: {
    bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
    '\ufb33': { mtlsSecurityScheme: {} },
    '\ud83d\ude00': { mtlsSecurityScheme: { description: 'm' } },
  },
}

/** For the extension that says so. */
const said = { profile: { ...defaultProfile, digits: 8 }, signed: 'require' } as const

describeWith('a2a-1', 'signatures of cards, with a2a-sdk 1.x for Python', () => {
  it('verify there when made here, and here when made there', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const named = { kid: 'card-1', alg: 'ES256' }
    const sign = (card: object): Promise<CardJson> => signCard(card, privateKey, named)
    const inSdk = await signedTotpAgentCard(difficult, { signCard: sign })
    const signed = [
      await sign(withTotpSecurity(difficult)),
      await sign(withTotpSecurity(difficult, { protocol: 'both', ...said })),
      JSON.parse(JSON.stringify(inSdk)) as CardJson,
    ]
    const changed = signed.map((card) => ({ ...card, description: 'another' }))
    const unsigned = withTotpSecurity(difficult, said)
    const key = await exportJWK(privateKey)
    const input = JSON.stringify({ key, unsigned, cards: [...signed, ...changed] })
    const printed = JSON.parse(runPython('a2a-1', [`${pythonTests}card_signatures.py`], { input })) as {
      verdicts: boolean[]
      signed: CardJson
    }
    expect(printed.verdicts).toEqual([true, true, true, false, false, false])
    const verdicts = await Promise.all(
      signedTexts(printed.signed, true).map((text) => verifiedOver(text, printed.signed, publicKey)),
    )
    expect(verdicts).toContain(1)
    expect(withTotpSecurity(printed.signed, said)).toHaveProperty('signatures')
    expect(readTotpExtension(printed.signed)).toEqual(readTotpExtension(unsigned))
  })
})
