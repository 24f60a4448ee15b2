import { defaultProfile } from '../../core/profile.js'
import { newestLive, type Credential, type Peer, type Roster } from '../../core/roster.js'
import { parseHttpUrl } from '../../core/url.js'
import { yamlLines, type YamlMap, type YamlValue } from './yaml-text.js'

/** A store that becomes an agent of a mesh. */
export interface DraftedStore {
  /** As the mesh file names it: relative to its folder where it is below. */
  readonly store: string
  readonly roster: Roster
}

/** What an edge says of itself. */
type EdgeFields = Readonly<Record<(typeof edgeFields)[number], YamlValue | undefined>>
const edgeFields = ['replay', 'signed', 'algorithm', 'digits', 'period', 'note', 'expires'] as const

const head = `# Who calls whom. Each agent has a store of its own, and each edge, one peer that may call one agent, a seed and a token
# of its own. What this file does not name stays as the store has it. It holds no secret.
#
#   a2a-totp mesh plan    what would change
#   a2a-totp mesh apply   do it, and deliver what changed to both ends
#   a2a-totp mesh prove   show that every edge works, and that nothing else is let in
`

/**
 * Returns the text of a mesh file that says what some stores hold, so that nothing has to change. Canaries are left alone.
 *
 * @param stores no two are of one agent
 * @param at what has expired is seen from this instant
 */
export function draftMesh(stores: readonly DraftedStore[], at: Date): string {
  const agents = stores.flatMap((one) => [...agentLines(one), ''])
  const names = [...new Set(stores.flatMap(({ roster }) => [...roster.peers.keys()]))]
  const peers = names.map((name) => [name, peerEntry(name, stores, at)] as const)
  return [
    ...[`${head}version: 1`, '', stores.length === 0 ? 'agents: {}' : 'agents:', ...agents],
    ...(names.length === 0 ? ['peers: {}'] : yamlLines({ peers: Object.fromEntries(peers) })),
    '',
  ].join('\n')
}

/** Returns the URL of a store's agent; undefined where it has none that a mesh file may have in it. */
export function urlOf({ url }: Roster): string | undefined {
  const parsed = url === undefined ? undefined : parseHttpUrl(url)
  return parsed?.username === '' && parsed.password === '' ? url : undefined
}

function agentLines({ store, roster }: DraftedStore): string[] {
  const { agent, profile, replay, signed = 'off' } = roster
  const url = urlOf(roster)
  const { algorithm, digits, period, window, header } = profile
  const named = <T extends YamlValue>(value: T, usual: T): T | undefined =>
    value === usual ? undefined : value
  const lines = yamlLines(
    {
      [agent]: {
        url: url ?? '',
        store,
        replay,
        signed,
        algorithm: named(algorithm, defaultProfile.algorithm),
        digits: named(digits, defaultProfile.digits),
        period: named(period, defaultProfile.period),
        window: named(window, defaultProfile.window),
        header: named(header, defaultProfile.header),
      },
    },
    2,
  )
  const missing = '    url:   # the store has none; clients, the probe and `mesh prove` need it'
  return url === undefined ? lines.map((line) => (line === '    url: ""' ? missing : line)) : lines
}

function peerEntry(name: string, stores: readonly DraftedStore[], at: Date): YamlMap {
  const edges = stores.flatMap(({ roster }) => {
    const peer = roster.peers.get(name)
    return peer ? [{ agent: roster.agent, fields: fieldsOf(roster, peer, at) }] : []
  })
  const [first] = edges
  const common = Object.fromEntries(
    edgeFields.flatMap((field) => {
      const value = first?.fields[field]
      const all = value !== undefined && edges.every(({ fields }) => fields[field] === value)
      return all ? [[field, value]] : []
    }),
  )
  const calls = edges.map(({ agent, fields }) => {
    const own = Object.entries(fields).filter(([field, value]) => value !== undefined && !(field in common))
    return own.length === 0 ? agent : { agent, ...Object.fromEntries(own) }
  })
  return { calls, ...common }
}

function fieldsOf(roster: Roster, peer: Peer, at: Date): EdgeFields {
  const { replay, signed, note } = peer
  const own = <T extends YamlValue>(value: T, ofAgent: T): T | undefined =>
    value === ofAgent ? undefined : value
  const { profile } = roster
  return {
    replay,
    // Else `once` would bring a policy for proofs along.
    signed: signed ?? (replay === 'once' ? 'inherit' : undefined),
    algorithm: own(peer.algorithm, profile.algorithm),
    digits: own(peer.digits, profile.digits),
    period: own(peer.period, profile.period),
    note: note === undefined || note.trim() === '' ? undefined : note,
    expires: endOf(peer, at),
  }
}

/** When both of a peer's credentials end; undefined where they do not, or not at once, which a mesh file cannot say. */
function endOf({ seeds, tokens }: Peer, at: Date): string | undefined {
  const end = (all: readonly Credential[]): Date | undefined => newestLive(all, at)?.expiresAt
  const [seed, token] = [end(seeds), end(tokens)]
  return seed && seed.getTime() === token?.getTime() ? seed.toISOString() : undefined
}
