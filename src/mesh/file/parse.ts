import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { isAlias, LineCounter, parseDocument, type Document } from 'yaml'
import { describeIssue, formatPath, type Path, type SchemaIssue } from '../../core/document.js'
import { TOTPError } from '../../core/errors.js'
import { isObject } from '../../core/json.js'
import { isName, nameRule } from '../../core/name.js'
import { defaultOverlapMs, type Mesh, type MeshAgent, type MeshEdge, type MeshPeer } from './mesh.js'
import { agentSchema, callSchema, defaultsSchema, name as nameSchema, peerSchema } from './schema.js'

type Defaults = v.InferOutput<typeof defaultsSchema>
type AgentEntry = v.InferOutput<typeof agentSchema>
type PeerEntry = v.InferOutput<typeof peerSchema>
type CallEntry = v.InferOutput<typeof callSchema>

/** Aliases that a file may unfold to, as for any YAML that people write. */
const maxAliasCount = 100

/**
 * Reads the text of a mesh file: YAML, and so JSON too.
 *
 * @param path its absolute path; paths in it are relative to its folder
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with everything that is wrong, each with its line and the path of its field,
 *   and never a value
 */
export function parseMesh(text: string, path: string): Mesh {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [error] = document.errors
  if (error) {
    const place = error.linePos?.[0]
    throw invalid(path, [`line ${place?.line ?? 1}, column ${place?.col ?? 1}: this is not YAML`])
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount })
  } catch {
    throw invalid(path, ['it has too many aliases for YAML that people write'])
  }
  const reader = new Reader(path, new Places(document, lines))
  const mesh = reader.read(value)
  if (reader.problems.length > 0) throw invalid(path, reader.problems)
  return mesh
}

function invalid(path: string, problems: readonly string[]): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `${path}: ${problems.join('; ')}`)
}

/** Where fields are in the text. */
class Places {
  constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** The line of a field, or of the nearest field around it that is there. */
  lineOf(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const line = this.#lineOf(path.slice(0, length))
      if (line !== undefined) return line
    }
    return 1
  }

  #lineOf(path: Path): number | undefined {
    const found = this.document.getIn(path, true)
    const node = isAlias(found) ? found : (found as { range?: readonly number[] } | undefined)
    const start = node?.range?.[0]
    return start === undefined ? undefined : this.lines.linePos(start).line
  }
}

/** Collects what is wrong, so that all of it is told at once. */
class Reader {
  readonly problems: string[] = []
  readonly #folder: string

  constructor(
    private readonly path: string,
    private readonly places: Places,
  ) {
    this.#folder = dirname(path)
  }

  read(value: unknown): Mesh {
    const mesh = { path: this.path, folder: this.#folder }
    const none: Mesh = { ...mesh, agents: new Map(), peers: new Map(), edges: [] }
    if (!isObject(value)) {
      this.problems.push('line 1: it must be a map with version, agents and peers')
      return none
    }
    if (value['version'] !== 1) this.#say(['version'], 'must be 1; a newer file needs a newer a2a-totp')
    const known = ['version', 'defaults', 'agents', 'peers']
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.#say([key], `is no key here; expected ${known.join(', ')}`)
    const defaults = this.#checked(defaultsSchema, value['defaults'] ?? {}, ['defaults']) ?? {}
    const agents = new Map<string, MeshAgent>()
    const ages = new Map<string, AgentEntry>()
    for (const [name, entry] of this.#entries(value, 'agents')) {
      const read = this.#checked(agentSchema, entry, ['agents', name])
      if (!read) continue
      ages.set(name, read)
      agents.set(name, this.#agent(name, read, defaults))
    }
    const peers = new Map<string, MeshPeer>()
    const edges: MeshEdge[] = []
    for (const [name, entry] of this.#entries(value, 'peers')) {
      const read = this.#checked(peerSchema, entry, ['peers', name])
      if (!read) continue
      peers.set(name, this.#peer(name, read, defaults))
      for (const [index, call] of this.#calls(name, read)) {
        const at = ['peers', name, 'calls', index]
        const agent = ages.get(call.agent)
        if (!agent) {
          const isThere = isObject(value['agents']) && Object.hasOwn(value['agents'], call.agent)
          if (!isThere) this.#say(at, 'names an agent that is not under agents')
        } else if (edges.some((edge) => edge.peer === name && edge.agent === call.agent)) {
          this.#say(at, 'names an agent that is there already; name each once')
        } else edges.push(this.#edge(name, at, { call, peer: read, agent, defaults }))
      }
    }
    return { ...mesh, agents, peers, edges }
  }

  #entries(value: Readonly<Record<string, unknown>>, key: 'agents' | 'peers'): [string, unknown][] {
    const entries = value[key]
    if (entries === undefined || !isObject(entries)) {
      this.#say([key], entries === undefined ? 'is missing' : 'must be a map from names')
      return []
    }
    return Object.entries(entries).filter(([name]) => {
      if (isName(name)) return true
      this.#say([key, name], `the name must be ${nameRule}`)
      return false
    })
  }

  #agent(name: string, entry: AgentEntry, defaults: Defaults): MeshAgent {
    const { store, serverFile = forName(defaults.serverFile, name), ...rest } = entry
    const { overlap: _, rotateAfter: __, ...own } = rest
    const { overlap: ___, rotateAfter: ____, clientFile: _____, serverFile: ______, ...shared } = defaults
    return {
      ...shared,
      ...own,
      name,
      store: this.#pathOf(store ?? `stores/${name}.json`),
      ...(serverFile !== undefined && { serverFile: this.#pathOf(serverFile) }),
      line: this.places.lineOf(['agents', name]),
    }
  }

  #peer(name: string, { deliver, clientFile: own }: PeerEntry, defaults: Defaults): MeshPeer {
    const clientFile = own ?? forName(defaults.clientFile, name)
    return {
      name,
      ...(deliver !== undefined && { deliver }),
      ...(clientFile !== undefined && { clientFile: this.#pathOf(clientFile) }),
      line: this.places.lineOf(['peers', name]),
    }
  }

  #calls(peer: string, { calls }: PeerEntry): [number, CallEntry][] {
    return calls.flatMap((call, index): [number, CallEntry][] => {
      const at = ['peers', peer, 'calls', index]
      if (typeof call !== 'object') {
        const agent = this.#checked(nameSchema, call, at)
        return agent === undefined ? [] : [[index, { agent }]]
      }
      const entry = this.#checked(callSchema, call, at)
      return entry ? [[index, entry]] : []
    })
  }

  #edge(
    name: string,
    at: Path,
    {
      call,
      peer,
      agent,
      defaults,
    }: { call: CallEntry; peer: PeerEntry; agent: AgentEntry; defaults: Defaults },
  ): MeshEdge {
    const first = <K extends 'algorithm' | 'digits' | 'period' | 'overlap' | 'rotateAfter'>(key: K) =>
      call[key] ?? peer[key] ?? agent[key] ?? defaults[key]
    const own = <K extends 'replay' | 'signed' | 'note' | 'expires'>(key: K) => call[key] ?? peer[key]
    return withoutUndefined({
      peer: name,
      agent: call.agent,
      replay: own('replay'),
      signed: own('signed'),
      algorithm: first('algorithm'),
      digits: first('digits'),
      period: first('period'),
      note: own('note'),
      expires: own('expires'),
      overlapMs: first('overlap') ?? defaultOverlapMs,
      rotateAfterMs: first('rotateAfter'),
      line: this.places.lineOf(at),
    }) as MeshEdge
  }

  #checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, at: Path): T | undefined {
    const result = v.safeParse(schema, value)
    if (result.success) return result.output
    for (const issue of result.issues) {
      const keys = issue.path?.map(({ key }) => key as string | number) ?? []
      this.problems.push(
        `line ${this.places.lineOf([...at, ...keys])}: ${describeIssue(issue as SchemaIssue, at)}`,
      )
    }
    return undefined
  }

  #say(at: Path, words: string): void {
    this.problems.push(`line ${this.places.lineOf(at)}: ${formatPath(at)} ${words}`)
  }

  #pathOf(given: string): string {
    return resolve(this.#folder, given)
  }
}

/** `{name}` in a path of the defaults stands for the name. */
const forName = (path: string | undefined, name: string): string | undefined =>
  path?.replaceAll('{name}', name)

function withoutUndefined(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}
