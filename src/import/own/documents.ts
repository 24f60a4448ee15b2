import { isObject, requireJson, type JsonObject } from '../../core/json.js'
import type { KnownAgent } from '../../core/rebuild.js'
import type { Entry } from '../entry.js'
import { invalidImport } from '../fields.js'
import { isClientDocument, readClientDocument, readVariables } from './client-fragment.js'
import { contentOf, peerInResource } from './resource.js'
import { isServerFile, readServerFile } from './server-file.js'

/** What `config server` and `config client` printed, read back; of several documents, what each of them is. */
export interface OwnFragments {
  readonly servers: readonly KnownAgent[]
  readonly entries: readonly Entry[]
  /** Maps, or other documents of ours that `import` has always read: their JSON. */
  readonly json: readonly string[]
}

/** What is known besides the documents. */
interface Around {
  /** When the credentials of a server file count as created. */
  readonly at: Date
  /** The only peer that the comments name. */
  readonly guess: string | undefined
  /** Reads a text fragment that is inside a document. */
  readonly readText: (text: string) => Promise<OwnFragments | undefined>
}

/**
 * Returns all fragments that documents are or contain: each document may be a list of resources.
 *
 * @returns undefined when there is none
 * @throws {TOTPError} `ERR_IMPORT_INVALID`
 */
export async function fragmentsIn(
  documents: readonly unknown[],
  around: Around,
): Promise<OwnFragments | undefined> {
  const found: Found = { servers: [], entries: [], json: [] }
  const items = documents.flatMap(itemsOf)
  for (const [index, item] of items.entries()) {
    const before = found.entries.length
    await addItem(found, item, around)
    if (items.length > 1) placeEntries(found.entries, before, `document ${index + 1}, `)
  }
  return found.servers.length + found.entries.length + found.json.length === 0 ? undefined : found
}

/** The fragments so far. Of hundreds of thousands, no call can have each as an argument. */
interface Found {
  readonly servers: KnownAgent[]
  readonly entries: Entry[]
  readonly json: string[]
}

/** A list of Kubernetes resources is as good as each of them. */
function itemsOf(document: unknown): readonly unknown[] {
  const items = isObject(document) && document['kind'] === 'List' ? document['items'] : undefined
  return Array.isArray(items) ? items : [document]
}

function placeEntries(entries: Entry[], from: number, place: string): void {
  for (let index = from; index < entries.length; index++) {
    const entry = entries[index]
    if (entry) entries[index] = { ...entry, where: `${place}${entry.where}` }
  }
}

async function addItem(found: Found, item: unknown, around: Around): Promise<void> {
  if (!isObject(item) || addDocument(found, item, around)) return
  const { format, content } = item
  // `--json` prints a text fragment like this.
  if (typeof format === 'string' && typeof content === 'string') addAll(found, await around.readText(content))
  else addResource(found, item, around)
}

/** Returns whether the document is a server file or a client's. */
function addDocument(found: Found, document: unknown, { at }: Around): boolean {
  if (isServerFile(document)) found.servers.push(readServerFile(document, at))
  else if (isClientDocument(document))
    for (const entry of readClientDocument(document)) found.entries.push(entry)
  else return false
  return true
}

function addAll(
  found: Found,
  { servers, entries, json }: OwnFragments = { servers: [], entries: [], json: [] },
): void {
  for (const one of servers) found.servers.push(one)
  for (const one of entries) found.entries.push(one)
  for (const one of json) found.json.push(one)
}

/** Reads a Secret, or another resource that has variables of ours somewhere. */
function addResource(found: Found, resource: JsonObject, around: Around): void {
  const { files, variables } = contentOf(resource)
  for (const file of files) {
    const document = requireJson(file, 'the server file in the Secret', invalidImport, { uniqueKeys: true })
    if (!addDocument(found, document, around) && isObject(document) && 'token_to_peer' in document)
      found.json.push(file)
  }
  if (variables.get('A2A_TOTP_SEED') === undefined && variables.get('A2A_TOTP_TOKEN') === undefined) return
  const guess = peerInResource(resource, variables.get('A2A_TOTP_AGENT')) ?? around.guess
  found.entries.push(readVariables({ where: 'the Secret', variables, guess }))
}
