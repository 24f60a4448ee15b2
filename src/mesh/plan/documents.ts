import { createHash } from 'node:crypto'
import { isObject } from '../../core/json.js'
import { newestLive, type Peer, type Roster } from '../../core/roster.js'
import type { ServerFile } from '../../core/server-file.js'
import { isAtLeast, withNewAlone } from '../../core/staged-rotation.js'
import { makeClientJson } from '../../fragments/client-json.js'
import { makeServerFile } from '../../fragments/server-json.js'
import type { Delivered } from '../apply/delivered.js'
import { edgesOf, type Mesh, type MeshAgent, type MeshPeer } from '../file/mesh.js'

/** Where a document goes: to a file, to a command, or to both. */
export interface Place {
  /** An absolute path. */
  readonly file?: string
  readonly deliver?: string
}

/** Returns where the server file of an agent goes; undefined where somebody has to hand it out. */
export const placeOfAgent = ({ serverFile, deliver }: MeshAgent): Place | undefined =>
  placeFrom(serverFile, deliver)

/** Returns where the client file of a peer goes; undefined where somebody has to hand it out. */
export const placeOfPeer = ({ clientFile, deliver }: MeshPeer): Place | undefined =>
  placeFrom(clientFile, deliver)

function placeFrom(file: string | undefined, deliver: string | undefined): Place | undefined {
  if (file === undefined && deliver === undefined) return undefined
  return { ...(file !== undefined && { file }), ...(deliver !== undefined && { deliver }) }
}

/** Returns the server file of an agent. Secret. */
export function serverDocumentOf(roster: Roster, at: Date): ServerFile {
  return makeServerFile({ roster, at })
}

/** How a client file is made. */
export interface ClientDocumentOptions {
  /** Agents that are left out, because they do not know the peer yet. */
  readonly without?: readonly string[]
  /** See {@link undeclaredIn}. */
  readonly also?: readonly string[]
}

/**
 * Returns the agents of the file that a peer was told of, and that it may no longer call. They stay in its client file for as
 * long as their stores have it: without `--prune` nobody is locked out.
 */
export function undeclaredIn(mesh: Mesh, peerName: string, record: Delivered | undefined): string[] {
  const declared = new Set(edgesOf(mesh, peerName).map(({ agent }) => agent))
  return [...(record?.parts?.keys() ?? [])].filter((one) => mesh.agents.has(one) && !declared.has(one))
}

/** The agents that the client file of a peer is about: those that it may call, and those that it keeps. */
export const agentsFor = (mesh: Mesh, peerName: string, also: readonly string[]): string[] => [
  ...new Set([...edgesOf(mesh, peerName).map(({ agent }) => agent), ...also]),
]

/**
 * Returns the client file of a peer. Secret. Of a rotation that is pending it has the new credentials from the step
 * `admitted` on. What cannot be sent is left out: credentials that have expired, and tokens known by their hash alone.
 *
 * @param rosters by the names of agents
 * @returns undefined when no agent is left
 */
export function clientDocumentOf(
  mesh: Mesh,
  rosters: ReadonlyMap<string, Roster>,
  peerName: string,
  at: Date,
  { without = [], also = [] }: ClientDocumentOptions = {},
): object | undefined {
  const documents = agentsFor(mesh, peerName, also).flatMap((agent) => {
    const document = without.includes(agent) ? undefined : oneAgentDocument(rosters.get(agent), peerName, at)
    return document ? [document] : []
  })
  const [first, ...others] = documents
  if (!first || others.length === 0) return first
  const parts = Object.fromEntries(documents.flatMap((document) => Object.entries(document.agents)))
  return { version: first.version, peer: peerName, agents: parts }
}

/** What all client files have. */
interface ClientDocument {
  readonly version: number
  readonly peer: string
  readonly agents: Readonly<Record<string, object>>
}

function oneAgentDocument(roster: Roster | undefined, name: string, at: Date): ClientDocument | undefined {
  const found = roster?.peers.get(name)
  if (!roster || !found) return undefined
  const peer = found.pending && isAtLeast(found.pending, 'admitted') ? withNewAlone(found) : found
  return canBeSent(peer, at) ? (makeClientJson({ roster, peer, at }) as ClientDocument) : undefined
}

/** Returns whether a peer has a live seed, and a live token that is known. */
function canBeSent({ seeds, tokens }: Peer, at: Date): boolean {
  return newestLive(seeds, at) !== undefined && newestLive(tokens, at)?.token.value !== undefined
}

/**
 * Returns a digest of a document and of where it goes, the same for any order of keys. The serial is left out: it grows with
 * changes that do not concern the agent.
 *
 * @returns SHA-256 in hex
 */
export function digestOf(place: Place, document: object): string {
  const content = { ...document, serial: undefined }
  return createHash('sha256').update(canonical({ place, content })).digest('hex')
}

/** Returns a digest of what a client file says of each agent, by the agents' names. */
export function partsOf(document: object): ReadonlyMap<string, string> {
  const { agents } = document as ClientDocument
  return new Map(Object.entries(agents).map(([name, part]) => [name, digestOf({}, part)]))
}

/** JSON with the keys in order. Written by hand: a replacer of `JSON.stringify` takes four times as long. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const fields = Object.keys(value)
    .sort()
    .flatMap((key) => (value[key] === undefined ? [] : `${JSON.stringify(key)}:${canonical(value[key])}`))
  return `{${fields.join(',')}}`
}
