import { isObject, requireJson } from '../core/json.js'
import { isName, quoteName } from '../core/name.js'
import { canaryEntryOf, entryOf, requestFrom, type Account, type Entry } from './entry.js'
import { invalidImport, type Fields } from './fields.js'
import { readToolDocument, readToolEntry } from './other-tools.js'
import { requireUnderstood } from './understood.js'

/** Reads the output of `export`, `config client --format json` or `config server --format maps`, or a list of peers. */
export function readJson(text: string): Entry[] {
  const document = parse(text)
  if (Array.isArray(document)) return listed(document, '')
  if (!isObject(document)) throw invalidImport(unrecognised)
  const { peers } = document
  if (Array.isArray(peers)) return fromList(document, peers)
  if ('token_to_peer' in document) return fromMaps(document)
  if ('peer' in document || 'name' in document) return [entryOf('the document', () => accountFrom(document))]
  const entries = readToolDocument(document)
  if (entries) return entries
  throw invalidImport(unrecognised)
}

const unrecognised =
  'unrecognised JSON; expected the output of `a2a-totp export --reveal` or of `a2a-totp config client NAME --format json`'

/** Reads a list of peers inside a document, as `export` prints it. */
function fromList(document: Fields, peers: readonly unknown[]): Entry[] {
  // `list` prints whether there is a shared seed, not the seed.
  const isFlag = typeof document['sharedSeed'] === 'boolean'
  const { agent, canaries } = document
  const isList = Array.isArray(canaries)
  requireUnderstood(
    document,
    new Set(['peers', ...(isFlag ? ['sharedSeed'] : []), ...(isList ? ['canaries'] : [])]),
  )
  const planted: readonly unknown[] = isList ? canaries : []
  const from = typeof agent === 'string' && isName(agent) ? agent : undefined
  return [
    ...listed(peers, 'peers').map((entry) =>
      from && 'request' in entry ? { ...entry, exportedFrom: from } : entry,
    ),
    ...planted.map((canary, index) => canaryEntryOf(`canaries[${index}]`, canary)),
  ]
}

function listed(peers: readonly unknown[], path: string): Entry[] {
  return peers.map((peer, index) =>
    entryOf(`${path}[${index}]`, () => {
      if (isObject(peer)) return accountFrom(peer)
      throw invalidImport('not an object')
    }),
  )
}

/** Reads a peer of this package, or an account of another tool. */
const accountFrom = (fields: Fields): Account => readToolEntry(fields) ?? requestFrom(fields)

/** Reads the dictionaries of agents configured by hand: a seed and a token for each peer. */
function fromMaps(document: Fields): Entry[] {
  const { peer_seeds: seeds, token_to_peer: owners } = document
  if (!isObject(seeds) || !isObject(owners)) {
    throw invalidImport('maps need peer_seeds and token_to_peer; a shared seed cannot be imported')
  }
  requireUnderstood(document, new Set(['peer_seeds', 'token_to_peer']))
  const tokens = new Map<string, string[]>()
  for (const [token, owner] of Object.entries(owners)) {
    if (typeof owner !== 'string')
      throw invalidImport('token_to_peer must map each token to the name of a peer')
    tokens.set(owner, [...(tokens.get(owner) ?? []), token])
  }
  const names = new Set([...Object.keys(seeds), ...tokens.keys()])
  return [...names].map((name) =>
    entryOf(`peer ${quoteName(name)}`, () => {
      const own = tokens.get(name) ?? []
      if (own.length > 1) throw invalidImport('it has several tokens; keep only the newest')
      if (!Object.hasOwn(seeds, name)) throw invalidImport('it has no seed in peer_seeds')
      // The maps list every token, so a peer without one may get its tokens from another issuer.
      return requestFrom({ name, seed: seeds[name], ...(own[0] === undefined ? {} : { token: own[0] }) })
    }),
  )
}

function parse(text: string): unknown {
  // Of a repeated name or key, one value would be lost.
  return requireJson(text, 'the file to import', invalidImport, { uniqueKeys: true })
}
