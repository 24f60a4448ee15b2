import { quoteName } from '../core/name.js'
import { entryOf, requestFrom, type Entry } from './entry.js'
import { invalidImport, isObject, type Fields } from './fields.js'
import { cannotRead, toolOfDocument } from './other-tools.js'
import { requireUnderstood } from './understood.js'

/** What `export`, `config client --format json` and `config server --format maps` give, or a list of peers. */
export function readJson(text: string): Entry[] {
  const document = parse(text)
  if (Array.isArray(document)) return listed(document, '')
  if (!isObject(document)) throw invalidImport(unrecognised)
  const { peers } = document
  if (Array.isArray(peers)) return fromList(document, peers)
  if ('token_to_peer' in document) return fromMaps(document)
  if ('peer' in document || 'name' in document) return [entryOf('the document', () => requestFrom(document))]
  const tool = toolOfDocument(document)
  throw invalidImport(tool === undefined ? unrecognised : cannotRead(tool))
}

const unrecognised =
  'unrecognised JSON; give the output of `a2a-totp export --reveal` or of `a2a-totp config client NAME --format json`'

/** A list with something said of all peers, as `export` prints it. */
function fromList(document: Fields, peers: readonly unknown[]): Entry[] {
  // `list` says whether there is a shared seed, and not which.
  const saysWhether = typeof document['sharedSeed'] === 'boolean'
  requireUnderstood(document, new Set(['peers', ...(saysWhether ? ['sharedSeed'] : [])]))
  return listed(peers, 'peers')
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
function fromMaps(document: Fields): Entry[] {
  const { peer_seeds: seeds, token_to_peer: owners } = document
  if (!isObject(seeds) || !isObject(owners)) {
    throw invalidImport('the maps need peer_seeds and token_to_peer; a shared seed cannot be imported')
  }
  requireUnderstood(document, new Set(['peer_seeds', 'token_to_peer']))
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
      // The maps list every token, so a peer without one has none: its tokens may come from somebody else.
      return requestFrom({ name, seed: seeds[name], ...(own[0] === undefined ? {} : { token: own[0] }) })
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
