import { generateKeyPairSync, sign } from 'node:crypto'
import { canonicalJson } from '../../../src/core/card/canonical.js'
import type { Quirks } from '../broken-agent.js'
import { edited, type Card } from '../broken/card-edits.js'
import { testAgent, type RightAgent } from './right-agent.js'

type Entry = Record<string, unknown>

const interfacesOf = (card: Card): Entry[] => (card['supportedInterfaces'] ?? []) as Entry[]

/** Keeps those interfaces of a card of 1.0, and serves clients of 0.3 the same card. */
const only = (isKept: (entry: Entry) => boolean): Quirks =>
  edited((card) =>
    'supportedInterfaces' in card
      ? { ...card, supportedInterfaces: interfacesOf(card).filter(isKept) }
      : { ...card, additionalInterfaces: [] },
  )

const urls = (edit: (url: string, origin: string) => string): Quirks =>
  edited((card, origin) => {
    const change = (entry: Entry): Entry => ({ ...entry, url: edit(String(entry['url']), origin) })
    return 'supportedInterfaces' in card
      ? { ...card, supportedInterfaces: interfacesOf(card).map(change) }
      : {
          ...change(card),
          additionalInterfaces: ((card['additionalInterfaces'] ?? []) as Entry[]).map(change),
        }
  })

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ours', alg: 'ES256' }] }

/** A card with a JWS over its canonical form (A2A 1.0 §8.4). */
const signed = edited((card) => {
  const head = base64url(JSON.stringify({ alg: 'ES256', typ: 'JOSE', kid: 'ours' }))
  const input = Buffer.from(`${head}.${base64url(canonicalJson(card))}`)
  const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  )
  return { ...card, signatures: [{ protected: head, signature }] }
})

const isCard = (url = ''): boolean => url.endsWith('.json')

/** Agents whose cards are as the field has them. */
export const rightCards: readonly RightAgent[] = [
  { name: 'names relative addresses', start: testAgent(urls((url, origin) => url.replace(origin, ''))) },
  {
    name: 'names itself localhost',
    start: testAgent(urls((url) => url.replace('127.0.0.1', 'localhost'))),
  },
  {
    name: 'has a user name, a query and a fragment in its addresses',
    start: testAgent(urls((url) => `${url.replace('//', '//me:pass@')}?to=1#top`)),
  },
  { name: 'speaks 1.0 alone', start: testAgent(only(({ protocolVersion }) => protocolVersion === '1.0')) },
  {
    name: 'speaks JSON-RPC alone',
    start: testAgent(only(({ protocolBinding }) => protocolBinding === 'JSONRPC')),
  },
  {
    name: 'has tenants',
    start: testAgent(
      edited((card) =>
        'supportedInterfaces' in card
          ? {
              ...card,
              supportedInterfaces: interfacesOf(card).map((entry) =>
                entry['protocolVersion'] === '1.0' ? { ...entry, tenant: 'north' } : entry,
              ),
            }
          : card,
      ),
      { front: { path: (path) => path.replace('/rest/north/', '/rest/') } },
    ),
  },
  { name: 'has a signed card, and no key is known', start: testAgent(signed) },
  {
    name: 'has a signed card, and its key is known',
    start: testAgent(signed, { options: { cardKeys: jwks } }),
  },
  {
    name: 'serves its card with a byte order mark',
    start: testAgent(
      {},
      { front: { edit: (body, { url }) => (isCard(url) ? Buffer.from(`\ufeff${body.toString()}`) : body) } },
    ),
    tolerated: ['card.fetch'],
  },
  {
    name: 'serves its card at agent.json alone',
    start: testAgent(
      {},
      {
        front: {
          path: (path) =>
            path.endsWith('/agent-card.json') ? '/gone' : path.replace('/agent.json', '/agent-card.json'),
        },
      },
    ),
    tolerated: ['card.fetch'],
  },
  {
    name: 'serves its card to callers alone',
    start: testAgent(
      {},
      {
        front: {
          answers: (request, response) => {
            const credentials = [request.headers.authorization, request.headers['x-totp']]
            if (!isCard(request.url) || credentials.every((one) => one !== undefined)) return false
            response.writeHead(401, { 'WWW-Authenticate': 'Bearer realm="a2a"' }).end()
            return true
          },
        },
      },
    ),
    tolerated: ['card.fetch'],
  },
  {
    name: 'is below a path of its host',
    start: testAgent(
      urls((url, origin) => url.replace(origin, `${origin}/agents/one`)),
      { front: { path: (path) => path.replace('/agents/one', '') }, path: '/agents/one' },
    ),
  },
]
