import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import {
  clientFragments,
  renderClientFragment,
  renderServerFragment,
  serverFragments,
  type ClientFormat,
  type ServerFormat,
} from '../../src/fragments/index.js'
import { readByDotenv, sourcedBySh } from '../support/env-readers.js'
import { future, lookAt, peerOf, rosterOf, seedCredential, tokenCredential } from '../support/roster.js'

/** Names that YAML, shells or JavaScript take for something else. */
const names = ['no', 'on', 'y', 'null', '1e3', '0o7', '0x1F', '12', '1_000', '1.5', 'constructor', 'a.b-c_d']
const peers = names.map((name, index) => peerOf(name, { seeds: [seedCredential('s', 100 + index)] }))
const url = `https://h/it's "$HOME" \`id\` #1: 😀\u2028?a=b&c`
const overlap = peerOf('no', {
  seeds: [seedCredential('s1', 1, future), seedCredential('s2', 2)],
  tokens: [tokenCredential('t1', 'a2at_old', future), tokenCredential('t2', 'a2at_new')],
})

/** What a store can be like; the first peer of each is the one that clients' fragments are for. */
const stores: Record<string, Roster> = {
  'names that mean something elsewhere': rosterOf(peers, { agent: '0o7' }),
  'a URL and notes with quotes, dollars, newlines and emoji': rosterOf(
    peers.map((peer) => ({ ...peer, note: `"it's": $x\n# - no 😀` })),
    { agent: 'true', url },
  ),
  'one seed for all': rosterOf(
    peers.map((peer) => ({ ...peer, seeds: [] })),
    { url, sharedSeeds: [seedCredential('old', 7, future), seedCredential('new', 8)] },
  ),
  'another profile and another header': rosterOf(
    peers.map((peer) => ({ ...peer, algorithm: 'SHA256', digits: 8, period: 60, replay: 'once' })),
    { profile: { algorithm: 'SHA256', digits: 8, period: 60, window: 2, header: 'X-$`|~#!' }, url },
  ),
  'an overlap': rosterOf([overlap, ...peers.slice(1)]),
  'peers that differ from the agent': rosterOf(
    peers.map((peer, index) => ({
      ...peer,
      digits: ([6, 7, 8] as const)[index % 3] ?? 6,
      period: 10 + index,
    })),
    { profile: { ...defaultProfile, digits: 7 } },
  ),
}

const everySeed = ({ peers, sharedSeeds = [] }: Roster): string[] =>
  [...sharedSeeds, ...[...peers.values()].flatMap(({ seeds }) => seeds)].map(({ seed }) => seed.base32)
const tokensOf = (peers: Iterable<Peer>): string[] =>
  [...peers].flatMap(({ tokens }) => tokens).flatMap(({ token }) => token.value ?? [])

/** The document of a fragment that has one, as its readers see it: YAML 1.1 and 1.2, or a shell and dotenv. */
function documentOf(format: ClientFormat | ServerFormat, content: string): unknown {
  if (['yaml', 'kubernetes', 'compose', 'github'].includes(format)) {
    const [one, other] = (['1.1', '1.2'] as const).map((version) => parse(content, { version }) as unknown)
    expect(one).toEqual(other)
    return other
  }
  if (format === 'env') {
    const read = readByDotenv(content)
    expect(sourcedBySh(content, Object.keys(read))).toEqual(read)
    return read
  }
  return ['json', 'maps'].includes(format) ? (JSON.parse(content) as unknown) : undefined
}

describe.each(Object.entries(stores))('of a store with %s', (_, roster) => {
  const formats = Object.keys(serverFragments) as ServerFormat[]

  it.each(formats)('the server fragment %s is read back, and holds no token but in maps', async (format) => {
    if (format === 'maps' && [...roster.peers.values()].some(({ replay }) => replay === 'once')) {
      await expect(renderServerFragment(format, { roster, at: lookAt })).rejects.toThrow(/once/)
      return
    }
    if (serverFragments[format].kind === 'files' && !/^[\w-]+$/.test(roster.profile.header)) {
      await expect(renderServerFragment(format, { roster, at: lookAt })).rejects.toThrow(/proxies drop/)
      return
    }
    const { content, secret } = await renderServerFragment(format, { roster, at: lookAt })
    const document = documentOf(format, content)
    if (format === 'json' || format === 'yaml') {
      expect(Object.keys((document as { peers: object }).peers).sort()).toEqual([...names].sort())
    }
    expect(tokensOf(roster.peers.values()).some((token) => content.includes(token))).toBe(format === 'maps')
    expect(everySeed(roster).some((seed) => content.includes(seed))).toBe(secret)
  })

  const clientFormats = Object.keys(clientFragments) as ClientFormat[]

  it.each(clientFormats)(
    'the client fragment %s is read back, and holds nothing of others',
    async (format) => {
      for (const peer of [...roster.peers.values()].slice(0, 6)) {
        const { content, secret } = await renderClientFragment(format, { roster, peer, at: lookAt })
        const document = documentOf(format, content)
        if (format === 'json' || format === 'yaml') {
          expect(document).toMatchObject({
            peer: peer.name,
            agent: roster.agent,
            url: roster.url ?? null,
            digits: peer.digits,
            period: peer.period,
            header: roster.profile.header,
          })
        }
        const others = [...roster.peers.values()].filter(({ name }) => name !== peer.name)
        const hidden = [
          ...tokensOf(others),
          ...(roster.sharedSeeds ? [] : others.flatMap(({ seeds }) => seeds)),
        ]
        for (const value of hidden) {
          expect(content).not.toContain(typeof value === 'string' ? value : value.seed.base32)
        }
        expect(everySeed(roster).some((seed) => content.includes(seed))).toBe(secret)
      }
    },
  )
})
