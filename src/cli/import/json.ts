import { quoteName } from '../../core/name.js'
import { entryOf, invalidImport, requestFrom, type Entry, type Fields } from './entry.js'

/** What `export`, `config client --format json` and `config server --format maps` give, or a list of peers. */
export function readJson(text: string): Entry[] {
  const document = parse(text)
  if (Array.isArray(document)) return listed(document, '')
  if (!isObject(document)) throw unknown()
  if (Array.isArray(document['peers'])) return listed(document['peers'], 'peers')
  if ('token_to_peer' in document) return fromMaps(document)
  if ('peer' in document || 'name' in document) return [entryOf('the document', () => requestFrom(document))]
  throw unknown()
}

function listed(peers: readonly unknown[], path: string): Entry[] {
  return peers.map((peer, index) =>
    entryOf(`${path}[${index}]`, () => {
      if (isObject(peer)) return requestFrom(peer)
      throw invalidImport('this is no object')
    }),
  )
}

/** The dictionaries of servers that were configured by hand: a seed and a token for each peer. */
function fromMaps({ peer_seeds: seeds, token_to_peer: owners }: Fields): Entry[] {
  if (!isObject(seeds) || !isObject(owners)) {
    throw invalidImport('the maps need peer_seeds and token_to_peer; a shared seed cannot be imported')
  }
  const tokens = new Map<string, string[]>()
  for (const [token, owner] of Object.entries(owners)) {
    if (typeof owner !== 'string')
      throw invalidImport('token_to_peer must give each token the name of a peer')
    tokens.set(owner, [...(tokens.get(owner) ?? []), token])
  }
  const names = new Set([...Object.keys(seeds), ...tokens.keys()])
  return [...names].map((name) =>
    entryOf(`peer ${quoteName(name)}`, () => {
      const own = tokens.get(name) ?? []
      if (own.length > 1) throw invalidImport('it has several tokens; keep the newest')
      if (!Object.hasOwn(seeds, name)) throw invalidImport('it has no seed in peer_seeds')
      return requestFrom({ name, seed: seeds[name], token: own[0] })
    }),
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The cause is dropped on purpose: it quotes the text around the mistake.
    throw invalidImport('this begins like JSON and is none')
  }
}

function unknown(): Error {
  return invalidImport(
    'this JSON is none of ours: give what `export`, or `config client --format json`, printed',
  )
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
