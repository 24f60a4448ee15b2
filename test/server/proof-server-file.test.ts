import { describe, expect, it, onTestFinished } from 'vitest'
import { profileRules } from '../../src/core/profile.js'
import { memoryState, type FromFileOptions } from '../../src/server/index.js'
import { parseServerFile } from '../../src/server/file/parse.js'
import { schemeOptions } from '../../src/server/scheme/from-file.js'
import { rosterOptions } from '../../src/server/scheme/roster.js'
import { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { failureOf } from '../support/failure.js'
import { temporaryFolder } from '../support/folder.js'
import { followedScheme } from '../support/followed-scheme.js'
import { Clock, rosterOf } from '../support/guarded.js'
import { serverFile } from '../support/server-file.js'
import { received, signed, stripped, type Sent } from '../support/signed.js'

const folder = temporaryFolder()

/** What `config server` prints, with policies. */
function file(own: unknown, ofAlice: unknown, more: object = {}): object {
  const document = serverFile()
  document['signed'] = own
  document.peers['alice'] = { ...document.peers['alice'], signed: ofAlice, ...more }
  return document
}

const parse = (document: object) => parseServerFile(JSON.stringify(document), profileRules)
const signedFor = (sent: Parameters<typeof signed>[0] = {}): Sent => signed({ agent: 'agent', ...sent })

function followed(document: object, options: FromFileOptions = {}) {
  const subject = followedScheme(folder, document, { now: new Clock().now, ...options })
  onTestFinished(() => subject.scheme.close())
  return {
    ...subject,
    ask: async (sent: Sent): Promise<string> => {
      const { request } = received(sent, { early: true })
      const { caller, refusal } = await subject.scheme.authenticate(request)
      return caller ? `${caller.peer} ${caller.proof}` : refusal.reason
    },
  }
}

describe('the policies for proofs of a server file', () => {
  it.each(['off', 'observe', 'accept', 'require'] as const)('are read: %s', (policy) => {
    const { agent, signed: own, peers } = parse(file(policy, policy))
    expect({ agent, own }).toEqual({ agent: 'agent', own: policy })
    expect(peers.map(({ name, signed: one }) => [name, one])).toEqual([
      ['alice', policy],
      ['bob', 'off'],
    ])
  })

  it('are off where they are absent, whatever the agent’s own is', () => {
    const { signed: own, peers } = parse(file(undefined, undefined))
    expect([own, ...peers.map(({ signed: one }) => one)]).toEqual(['off', 'off', 'off'])
    const [alice] = parse(file('require', undefined)).peers
    expect(alice?.signed).toBe('off')
  })

  it.each(['always', '', null, true, 'REQUIRE', ['require'], 'constructor'])('refuses %j', (word) => {
    const words = /must be one of off, observe, accept, require/
    for (const [document, path] of [
      [file(word, 'off'), 'signed'],
      [file('off', word), 'peers.alice.signed'],
    ] as const) {
      const failure = failureOf(() => parse(document))
      expect(failure).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
      expect((failure as Error).message).toMatch(words)
      expect((failure as Error).message).toContain(path)
    }
  })

  it('know the word in requires', () => {
    expect(() => parse({ ...file('off', 'require'), requires: ['signed', 'once'] })).not.toThrow()
    expect(() => parse({ ...file('off', 'require'), requires: ['sealed'] })).toThrow(/does not know/)
  })

  it('become options of the scheme, with the agent', () => {
    const { agent, signed: own } = schemeOptions(JSON.stringify(file('require', 'accept')), {})
    expect({ agent, own }).toEqual({ agent: 'agent', own: 'require' })
  })

  it('of a roster do too: a peer’s own, else the agent’s', () => {
    const {
      agent,
      signed: own,
      peerSeeds,
    } = rosterOptions({
      ...rosterOf('reuse', { signed: 'accept' }),
      signed: 'require',
    })
    expect({ agent, own }).toEqual({ agent: 'agent', own: 'require' })
    expect([...(peerSeeds as Map<string, object>).values()]).toMatchObject([
      { signed: 'accept' },
      { signed: 'accept' },
    ])
    const inherited = rosterOptions({ ...rosterOf(), signed: 'observe' })
    expect([...(inherited.peerSeeds as Map<string, object>).values()]).toMatchObject([
      { signed: 'observe' },
      { signed: 'observe' },
    ])
  })
})

describe('a scheme that follows a server file', () => {
  it('takes agent and policies from it', async () => {
    const { scheme, ask } = followed(file('require', 'require'))
    expect(scheme).toMatchObject({ agent: 'agent', signed: 'require', readsProofs: true })
    expect(await ask(signedFor())).toBe('alice signed')
    expect(await ask(stripped(signedFor()))).toBe('proof-missing')
    expect(await ask(stripped(signedFor({ peer: 'bob' })))).toBe('bob code')
  })

  it('applies a change of policy at once, and keeps spent nonces', async () => {
    const { scheme, ask, replace } = followed(file('off', 'off'))
    expect(scheme.readsProofs).toBe(false)
    expect(await ask(signedFor())).toBe('alice code')
    await replace(file('require', 'require'))
    expect(scheme).toMatchObject({ signed: 'require', readsProofs: true })
    expect(await ask(stripped(signedFor()))).toBe('proof-missing')
    const sent = signedFor()
    expect(await ask(sent)).toBe('alice signed')
    await replace(file('accept', 'accept'))
    expect(await ask(sent)).toBe('proof-replayed')
    expect(await ask(stripped(sent))).toBe('alice code')
    await replace(file('off', 'off'))
    expect(await ask(sent)).toBe('alice code')
  })

  it('checks proofs for the new name of a renamed agent alone', async () => {
    const { ask, replace } = followed(file('off', 'accept'))
    expect(await ask(signedFor())).toBe('alice signed')
    await replace({ ...file('off', 'accept'), agent: 'renamed' })
    expect(await ask(signedFor())).toBe('proof-key')
    expect(await ask(signedFor({ agent: 'renamed' }))).toBe('alice signed')
  })

  it('takes pathPrefix as an option', async () => {
    const { ask } = followed(file('off', 'require'), { pathPrefix: '/agents/a' })
    const sent = signedFor({ target: '/agents/a/rpc' })
    expect(await ask({ ...sent, target: '/rpc' })).toBe('alice signed')
  })

  const noProofs = () => {
    const memory = memoryState({ since: new Date(0) })
    return { ...memory, supports: { once: true } }
  }

  it.each(['accept', 'require'])('refuses at the start %s with a state that knows no proofs', (policy) => {
    expect(() => followed(file('off', policy), { state: noProofs() })).toThrow(
      /signed is "accept" or "require"/,
    )
  })

  it('keeps the file in force where a new one needs what the state does not support', async () => {
    const { scheme, replace, ask } = followed(file('off', 'observe'), { state: noProofs() })
    await replace(file('off', 'require'))
    expect(scheme.readsProofs).toBe(true)
    expect(await ask(stripped(signedFor()))).toBe('alice code')
  })

  it('takes a shared seed under once where proofs are required', () => {
    const document = serverFile()
    const [seed] = document.peers['alice']?.['seeds'] as object[]
    const shared = (policy: string): object => ({
      ...document,
      sharedSeeds: [seed],
      peers: Object.fromEntries(
        Object.entries(document.peers).map(([name, { tokens }]) => [
          name,
          { replay: 'once', signed: policy, tokens },
        ]),
      ),
    })
    expect(() => parse(shared('accept'))).toThrow(/require proofs/)
    const options = schemeOptions(JSON.stringify(shared('require')), {})
    expect(new TOTPServerAuthScheme(options)).toMatchObject({ readsProofs: true })
  })
})
