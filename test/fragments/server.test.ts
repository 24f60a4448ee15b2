import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { hashToken } from '../../src/core/token.js'
import { renderServerFragment, serverFragments, type ServerFormat } from '../../src/fragments/index.js'
import { sourcedBySh } from '../support/env-readers.js'
import { future, lookAt, past, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

const alice = peerOf('alice', {
  seeds: [seedCredential('s0', 1, past), seedCredential('s1', 2, future), seedCredential('s2', 3)],
  tokens: [
    tokenCredential('t0', 'a2at_old', past),
    tokenCredential('t1', 'a2at_mid', future),
    tokenCredential('t2', 'a2at_new'),
  ],
})
const bob = peerOf('bob', { algorithm: 'SHA256', digits: 8, period: 60, replay: 'once' })
const gone = peerOf('gone', { seeds: [seedCredential('s', 9, past)] })
const base32 = (byte: number) => seedCredential('', byte).seed.base32
const formats = Object.keys(serverFragments) as ServerFormat[]

const render = (format: ServerFormat, roster = rosterOf([alice, bob])) =>
  renderServerFragment(format, { roster, at: lookAt })

describe('the server file', () => {
  it('holds live seeds, hashes of live tokens, and each peer’s policy', async () => {
    expect((await render('json')).document).toEqual({
      version: 1,
      requires: ['once'],
      agent: 'agent',
      serial: 0,
      profile: { algorithm: 'SHA1', digits: 6, period: 30, window: 1, header: 'X-TOTP' },
      peers: {
        alice: {
          replay: 'reuse',
          signed: 'off',
          seeds: [
            { id: 's1', seed: base32(2), expiresAt: future.toISOString() },
            { id: 's2', seed: base32(3) },
          ],
          tokens: [
            { id: 't1', hash: hashToken('a2at_mid'), expiresAt: future.toISOString() },
            { id: 't2', hash: hashToken('a2at_new') },
          ],
        },
        bob: {
          replay: 'once',
          signed: 'off',
          algorithm: 'SHA256',
          digits: 8,
          period: 60,
          seeds: [{ id: 'bob-s1', seed: bob.seeds[0]?.seed.base32 }],
          tokens: [{ id: 'bob-t1', hash: hashToken('a2at_token-of-bob') }],
        },
      },
    })
  })

  it('says what a reader has to know, and nothing where there is nothing', async () => {
    const requiredBy = async (...roster: Parameters<typeof rosterOf>): Promise<unknown> =>
      (JSON.parse((await render('json', rosterOf(...roster))).content) as { requires?: unknown }).requires
    const shared = { sharedSeeds: [seedCredential('s', 5)] }
    const [one, other] = [peerOf('alice', { seeds: [] }), peerOf('bob', { seeds: [] })]
    expect(await requiredBy([alice])).toBeUndefined()
    expect(await requiredBy([alice, bob])).toEqual(['once'])
    // The policy of the next peer.
    expect(await requiredBy([alice], { replay: 'once' })).toEqual(['once'])
    expect(await requiredBy([one, other], shared)).toEqual(['shared-seed'])
  })

  it('has the policies for proofs, and asks for a reader that knows them only where they decide', async () => {
    const fileOf = async (...roster: Parameters<typeof rosterOf>): Promise<unknown> =>
      (await render('json', rosterOf(...roster))).document
    const [carol, dave] = [peerOf('carol'), peerOf('dave', { signed: 'require' })]
    expect(await fileOf([carol], { signed: 'observe' })).toMatchObject({
      requires: undefined,
      signed: 'observe',
      peers: { carol: { signed: 'observe' } },
    })
    expect(await fileOf([carol, dave])).toMatchObject({
      requires: ['signed'],
      signed: undefined,
      peers: { carol: { signed: 'off' }, dave: { signed: 'require' } },
    })
    expect(await fileOf([carol], { signed: 'accept', replay: 'once' })).toMatchObject({
      requires: ['once', 'signed'],
      signed: 'accept',
    })
    const yaml = parse((await render('yaml', rosterOf([dave]))).content) as unknown
    expect(yaml).toMatchObject({ requires: ['signed'], peers: { dave: { signed: 'require' } } })
  })

  it('has the serial of the store, in every format that holds the file', async () => {
    const roster = rosterOf([alice, bob], { serial: 41 })
    expect((await render('json', roster)).document).toMatchObject({ serial: 41 })
    expect(parse((await render('yaml', roster)).content)).toMatchObject({ serial: 41, requires: ['once'] })
    const secret = parse((await render('kubernetes', roster)).content) as {
      stringData: Record<string, string>
    }
    expect(JSON.parse(secret.stringData['a2a-totp-server.json'] ?? '')).toMatchObject({ serial: 41 })
  })

  it('never holds a token', async () => {
    const { content } = await render('json')
    for (const { token } of [...alice.tokens, ...bob.tokens]) expect(content).not.toContain(token.value)
  })

  it('has a shared seed at the top, and none in the peers', async () => {
    const sharedSeeds = [seedCredential('old', 5, past), seedCredential('new', 6)]
    const peers = [peerOf('alice', { seeds: [] }), peerOf('bob', { seeds: [] })]
    const file = (await render('json', rosterOf(peers, { sharedSeeds }))).document
    expect(file).toMatchObject({ sharedSeeds: [{ id: 'new', seed: base32(6) }] })
    expect(file).toHaveProperty('peers.alice.tokens')
    expect(file).not.toHaveProperty('peers.alice.seeds')
    expect(file).not.toHaveProperty('peers.bob.seeds')
  })

  it('takes a peer whose name means something to JavaScript', async () => {
    const { content } = await render('json', rosterOf([peerOf('constructor'), peerOf('toString')]))
    const { peers } = JSON.parse(content) as { peers: object }
    expect(Object.keys(peers)).toEqual(['constructor', 'toString'])
  })

  it('is empty but whole for an agent without peers', async () => {
    expect((await render('json', rosterOf([]))).document).toMatchObject({ version: 1, peers: {} })
  })
})

describe('the maps', () => {
  it('hold the newest live seed and all live tokens', async () => {
    const roster = rosterOf([alice, { ...bob, replay: 'reuse' }])
    expect((await render('maps', roster)).document).toEqual({
      peer_seeds: { alice: base32(3), bob: bob.seeds[0]?.seed.base32 },
      token_to_peer: { a2at_mid: 'alice', a2at_new: 'alice', 'a2at_token-of-bob': 'bob' },
    })
  })

  it('hold a shared seed in place of the seeds', async () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [seedCredential('x', 7)] })
    expect((await render('maps', roster)).document).toEqual({
      shared_seed: base32(7),
      token_to_peer: { 'a2at_token-of-alice': 'alice' },
    })
  })

  it('are refused for a peer under once, whose codes would be good twice', async () => {
    const refused = { code: 'ERR_CONFIG_INVALID', message: expect.stringContaining('once of bob') as string }
    await expect(render('maps')).rejects.toThrow(expect.objectContaining(refused))
    await expect(render('maps', rosterOf([alice], { replay: 'once' }))).rejects.toThrow(/once of alice/)
    await expect(render('maps', rosterOf([], { replay: 'once' }))).resolves.toBeDefined()
  })

  it.each(['accept', 'require'] as const)(
    'are refused for a peer under %s, which they cannot say',
    async (signed) => {
      const refused = {
        code: 'ERR_CONFIG_INVALID',
        message: expect.stringContaining(`${signed} of carol`) as string,
      }
      await expect(render('maps', rosterOf([peerOf('carol', { signed })]))).rejects.toThrow(
        expect.objectContaining(refused),
      )
      await expect(render('maps', rosterOf([peerOf('carol')], { signed }))).rejects.toThrow(/signed policy/)
      const observed = rosterOf([peerOf('carol', { signed: 'observe' })], { signed })
      await expect(render('maps', observed)).resolves.toBeDefined()
    },
  )

  it('come with a warning that they cannot hold an overlap', async () => {
    expect((await render('maps', rosterOf([alice]))).warnings.join()).toMatch(/overlap/)
    expect((await render('json')).warnings).toEqual([])
  })
})

describe.each(['python', 'crewai'] as const)('the code for %s', (format) => {
  it('is the same whatever the policies for proofs, which it reads from the server file', async () => {
    const { content } = await render(format, rosterOf([alice]))
    for (const signed of ['observe', 'accept', 'require'] as const) {
      expect((await render(format, rosterOf([alice, peerOf('carol', { signed })]))).content).toBe(content)
    }
    expect(content).toContain('from_file()')
  })
})

describe('the agent’s env file', () => {
  it('names the server file and holds nothing secret', async () => {
    const { content, secret, document } = await render('env')
    expect(content).toMatch(/^# /)
    expect(sourcedBySh(content, ['A2A_TOTP_SERVER_FILE'])).toEqual({
      A2A_TOTP_SERVER_FILE: './a2a-totp-server.json',
    })
    expect(secret).toBe(false)
    for (const { seed } of [...alice.seeds, ...bob.seeds]) expect(content).not.toContain(seed.base32)
    expect(document).toEqual({ format: 'env', content })
  })

  it('takes any path', async () => {
    const serverFile = "/srv/it's here/#1.json"
    const input = { roster: rosterOf([]), at: lookAt, serverFile }
    const { content } = await renderServerFragment('env', input)
    expect(sourcedBySh(content, ['A2A_TOTP_SERVER_FILE'])).toEqual({ A2A_TOTP_SERVER_FILE: serverFile })
  })
})

describe.each(formats)('the server fragment %s', (format) => {
  const roster = format === 'maps' ? rosterOf([alice]) : rosterOf([alice, bob])

  it('says truly whether it is secret', async () => {
    const { content, secret } = await render(format, roster)
    expect(content.includes(base32(3))).toBe(secret)
  })

  it('ends in one newline, and is the document where it is JSON', async () => {
    const { content, document } = await render(format, roster)
    expect(content).toMatch(/[^\n]\n$/)
    if (serverFragments[format].kind === 'json') expect(JSON.parse(content)).toEqual(document)
  })
})

describe.each(['json', 'maps', 'yaml', 'kubernetes'] as const)('%s', (format) => {
  it('leaves out a peer whose seeds have expired, and says so with the command that mends it', async () => {
    const { content, warnings } = await render(format, rosterOf([alice, gone]))
    expect(content).not.toContain('gone')
    expect(warnings.join('\n')).toContain('`a2a-totp rotate gone`')
  })

  it('fails when the shared seed has expired', async () => {
    const roster = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [seedCredential('x', 7, past)] })
    await expect(render(format, roster)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_CREDENTIAL_EXPIRED' }),
    )
  })
})

describe('the module for Express', () => {
  it('has a listener, with a line for pino and one for OpenTelemetry', async () => {
    const { content } = await render('typescript')
    expect(content).toMatch(/^ *onEvent: \(event\) =>/m)
    expect(content).toMatch(/pino: .*log\.info\(event\)/)
    expect(content).toMatch(/OpenTelemetry: .*counter\.add\(1, \{ type \}\)/)
  })
})
