import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { clientFragments, renderClientFragment, type ClientFormat } from '../../src/fragments/index.js'
import { readByDotenv, sourcedBySh } from '../support/env-readers.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const formats = Object.keys(clientFragments) as ClientFormat[]

function render(format: ClientFormat, peer: Peer, overrides: Partial<Roster> = {}) {
  return renderClientFragment(format, { roster: rosterOf([peer], overrides), peer, at: lookAt })
}

const alice = peerOf('alice', {
  seeds: [seedCredential('s1', 1, future), seedCredential('s2', 2), seedCredential('s3', 3, past)],
  tokens: [
    tokenCredential('t1', 'a2at_1', future),
    tokenCredential('t2', 'x/y+z~.-_=='),
    tokenCredential('t3', 'a2at_3', past),
  ],
})
const newestSeed = seedCredential('', 2).seed.base32
const newestToken = 'x/y+z~.-_=='

const unusual = peerOf('alice', { algorithm: 'SHA512', digits: 8, period: 60 })
const unusualAgent = {
  url: "https://h/it's $HOME #1",
  profile: { ...defaultProfile, header: 'X-$`#!', window: 2 },
}

describe('a client’s JSON', () => {
  it('holds the newest live credentials and the whole profile', async () => {
    const credentials = {
      url: 'https://h/a2a',
      token: newestToken,
      seed: newestSeed,
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
      header: 'X-TOTP',
      replay: 'reuse',
      signed: 'off',
      window: 1,
    }
    expect((await render('json', alice, { url: 'https://h/a2a' })).document).toEqual({
      version: 1,
      peer: 'alice',
      agent: 'agent',
      ...credentials,
      agents: { agent: credentials },
    })
  })

  it('has the policy that applies to the peer, the window, and the agent’s name as a key, whatever it is', async () => {
    const profile = { ...defaultProfile, window: 2 }
    const once = await render('json', peerOf('alice', { replay: 'once' }), { agent: 'constructor', profile })
    expect(JSON.parse(once.content)).toMatchObject({
      replay: 'once',
      window: 2,
      agents: { constructor: { replay: 'once', window: 2 } },
    })
    const followed = await render('json', peerOf('alice', { replay: undefined }), { replay: 'once' })
    expect(followed.document).toMatchObject({ replay: 'once' })
  })

  it('has the peer’s own algorithm, digits and period, and null for an unknown URL', async () => {
    expect((await render('json', unusual)).document).toMatchObject({
      url: null,
      algorithm: 'SHA512',
      digits: 8,
      period: 60,
    })
  })

  it('hands out the shared seed where there is one', async () => {
    const sharedSeeds = [seedCredential('a', 7), seedCredential('b', 8)]
    const { document } = await render('json', peerOf('alice', { seeds: [] }), { sharedSeeds })
    expect(document).toMatchObject({ seed: seedCredential('', 8).seed.base32 })
  })
})

describe('a client’s env file', () => {
  it('sets the agent, the token, the seed and the window, and no more, for a usual peer', async () => {
    const { content } = await render('env', alice)
    const expected = {
      A2A_TOTP_AGENT: 'agent',
      A2A_TOTP_TOKEN: newestToken,
      A2A_TOTP_SEED: newestSeed,
      A2A_TOTP_WINDOW: '1',
    }
    expect(readByDotenv(content)).toEqual(expected)
    expect(sourcedBySh(content, Object.keys(expected))).toEqual(expected)
  })

  it('adds what differs from the defaults, and the URL', async () => {
    const { content } = await render('env', unusual, unusualAgent)
    const expected = {
      A2A_TOTP_AGENT: 'agent',
      A2A_TOTP_URL: 'https://h/it%27s $HOME #1',
      A2A_TOTP_TOKEN: 'a2at_token-of-alice',
      A2A_TOTP_SEED: unusual.seeds[0]?.seed.base32,
      A2A_TOTP_ALGORITHM: 'SHA512',
      A2A_TOTP_DIGITS: '8',
      A2A_TOTP_PERIOD: '60',
      A2A_TOTP_HEADER: 'X-$`#!',
      A2A_TOTP_WINDOW: '2',
    }
    expect(readByDotenv(content)).toEqual(expected)
    expect(sourcedBySh(content, Object.keys(expected))).toEqual(expected)
  })

  it('says at its top what it is, and that it is secret, without showing a secret in a comment', async () => {
    const comments = (await render('env', alice)).content.split('\n').filter((line) => line.startsWith('#'))
    expect(comments[0]).toMatch(/"alice".*"agent"/)
    expect(comments.join('\n')).toMatch(/SECRETS/)
    expect(comments.join('\n')).not.toContain(newestSeed)
    expect(comments.join('\n')).not.toContain(newestToken)
  })
})

describe('the policy for proofs of a peer', () => {
  const signing = peerOf('alice', { signed: 'require' })

  it('is in its JSON, its YAML and, unless it is off, in its variables', async () => {
    const { content } = await render('env', signing)
    expect(readByDotenv(content)).toMatchObject({ A2A_TOTP_SIGNED: 'require' })
    expect(sourcedBySh(content, ['A2A_TOTP_SIGNED'])).toEqual({ A2A_TOTP_SIGNED: 'require' })
    expect((await render('json', signing)).document).toMatchObject({
      signed: 'require',
      agents: { agent: { signed: 'require' } },
    })
    expect((await render('yaml', signing)).content.match(/^ *signed: "require"$/gm)).toHaveLength(2)
    for (const format of ['kubernetes', 'github'] as const)
      expect((await render(format, signing)).content).toMatch(/^ *A2A_TOTP_SIGNED: "require"$/m)
    for (const format of ['env', 'kubernetes', 'github'] as const)
      expect((await render(format, peerOf('alice', { signed: 'off' }))).content).not.toContain('SIGNED')
    const followed = await render('env', peerOf('alice'), { signed: 'observe' })
    expect(readByDotenv(followed.content)).toMatchObject({ A2A_TOTP_SIGNED: 'observe' })
  })

  it.each(['python', 'crewai', 'go'] as const)(
    'is no matter for the code for %s, which signs',
    async (format) => {
      const { content } = await render(format, signing)
      expect(content).toBe((await render(format, peerOf('alice', { signed: 'off' }))).content)
      expect(content).toMatch(/TOTPAuth|TOTPClientAuthScheme|"Signature-Input"/)
    },
  )
})

describe.each(formats)('the client fragment %s', (format) => {
  it.each([
    ['seed', peerOf('alice', { seeds: [seedCredential('s', 1, past)] })],
    ['token', peerOf('alice', { tokens: [tokenCredential('t', 'a2at_x', past)] })],
    ['seed', peerOf('alice', { seeds: [] })],
  ])('fails when there is no live %s, and names the command that mends it', async (what, peer) => {
    await expect(render(format, peer)).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_CREDENTIAL_EXPIRED',
        message: expect.stringMatching(new RegExp(`${what}.*\`a2a-totp rotate alice\``)) as string,
      }),
    )
  })

  it('says truly whether it is secret, has no warning, and ends in one newline', async () => {
    const { content, secret, warnings } = await render(format, alice)
    expect(secret).toBe(content.includes(newestToken))
    expect(secret).toBe(content.includes(newestSeed))
    expect(warnings).toEqual([])
    expect(content).toMatch(/[^\n]\n$/)
  })
})
