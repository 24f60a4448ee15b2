import { isObject, requireJson, type JsonObject } from '../../core/json.js'
import { isName } from '../../core/name.js'
import type { KnownAgent } from '../../core/rebuild.js'
import type { Entry } from '../entry.js'
import { invalidImport } from '../fields.js'
import { isClientDocument, readClientDocument, readVariables } from './client-fragment.js'
import { hasAssignment, peerInComments, variablesIn } from './env-lines.js'
import { isServerFile, readServerFile } from './server-file.js'

/** How a fragment is read. */
export interface Reading {
  /** When the credentials of a server file count as created, which it does not say. */
  readonly at: Date
  /** Ends the reading when it is aborted. */
  readonly signal: AbortSignal
}

/** What `config server` and `config client` printed, read back. */
export type OwnFragment =
  | { readonly kind: 'server'; readonly known: KnownAgent }
  | { readonly kind: 'client'; readonly entries: readonly Entry[] }
  /** Maps, or another document of ours that `import` has always read: its JSON. */
  | { readonly kind: 'json'; readonly text: string }

/**
 * Reads a fragment: a server file or a client fragment as JSON, YAML or a Kubernetes Secret, or the variables of a client as
 * lines, in whatever file they were put.
 *
 * @returns undefined for any other text
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for a fragment without credentials, such as code, by its name. No message quotes
 *   the text.
 */
export async function readOwnFragment(text: string, reading: Reading): Promise<OwnFragment | undefined> {
  if (/^\s*\{/.test(text)) {
    const document = requireJson(text, 'the file to import', invalidImport, { uniqueKeys: true })
    return fromDocuments([document], text, reading)
  }
  // A unit of systemd begins with a bracket, too.
  if (/^\s*(\[\s*[[{"\]]|otpauth)/i.test(text)) return undefined
  if (/\$\{\{\s*secrets\.A2A_TOTP_/.test(text))
    throw withoutSecrets('this is a workflow that names secrets and does not contain them')
  // A class of Python has fields that look like keys.
  const isYaml =
    !/^(from[ \t]+\S+[ \t]+import|import)[ \t]/m.test(text) &&
    /^[ \t]*(apiVersion|kind|version|peer|agent|peers|profile|services|env|environment|stringData|data)[ \t]*:/m.test(
      text,
    )
  if (isYaml && /A2A_TOTP_|a2a-totp|token|seeds?\s*:/.test(text)) {
    const { yamlDocuments } = await import('./yaml.js')
    const found = await fromDocuments(await yamlDocuments(text, reading.signal), text, reading)
    if (found) return found
  }
  if (hasAssignment(text)) return fromLines(text)
  const code = codeKind(text)
  if (code !== undefined) throw withoutSecrets(code)
  return undefined
}

function fromLines(text: string): OwnFragment {
  const variables = variablesIn(text)
  const has = (name: string): boolean => (variables.get(name) ?? '') !== ''
  if (!has('A2A_TOTP_SEED') && !has('A2A_TOTP_TOKEN') && has('A2A_TOTP_SERVER_FILE'))
    throw invalidImport(
      'this fragment names the server file and does not contain it; import the file that it names',
    )
  return {
    kind: 'client',
    entries: [readVariables({ where: 'the fragment', variables, guess: peerInComments(text) })],
  }
}

async function fromDocuments(
  documents: readonly unknown[],
  text: string,
  reading: Reading,
): Promise<OwnFragment | undefined> {
  // Of hundreds of thousands, no call can have each as an argument.
  let entries: Entry[] = []
  for (const document of documents.flatMap(itemsOf)) {
    if (isServerFile(document)) return { kind: 'server', known: readServerFile(document, reading.at) }
    if (isClientDocument(document)) entries = entries.concat(readClientDocument(document))
    else if (isObject(document)) {
      // `--json` prints a text fragment like this.
      if (typeof document['format'] === 'string' && typeof document['content'] === 'string')
        return readOwnFragment(document['content'], reading)
      const inner = secretValues(document)
      const file = [...inner.values()].find((value) => /^\s*\{/.test(value))
      if (file !== undefined) {
        const whole = requireJson(file, 'the server file in the Secret', invalidImport, { uniqueKeys: true })
        if (isServerFile(whole)) return { kind: 'server', known: readServerFile(whole, reading.at) }
        if (isClientDocument(whole)) entries = entries.concat(readClientDocument(whole))
        if (isObject(whole) && 'token_to_peer' in whole) return { kind: 'json', text: file }
      } else if (inner.has('A2A_TOTP_SEED') || inner.has('A2A_TOTP_TOKEN')) {
        const guess = peerInComments(text) ?? peerInResource(document, inner.get('A2A_TOTP_AGENT'))
        entries.push(readVariables({ where: 'the Secret', variables: inner, guess }))
      }
    }
  }
  return entries.length === 0 ? undefined : { kind: 'client', entries }
}

/** A list of Kubernetes resources is as good as each of them. */
function itemsOf(document: unknown): readonly unknown[] {
  const items = isObject(document) && document['kind'] === 'List' ? document['items'] : undefined
  return Array.isArray(items) ? items : [document]
}

/** The values of a Secret, plain or in base64; those of a map of variables; empty for anything else. */
function secretValues(document: JsonObject): Map<string, string> {
  const values = new Map<string, string>()
  const { kind, data, stringData } = document
  if (kind === 'Secret') {
    for (const [key, value] of Object.entries(isObject(data) ? data : {}))
      if (typeof value === 'string') values.set(key, Buffer.from(value, 'base64').toString())
    for (const [key, value] of Object.entries(isObject(stringData) ? stringData : {}))
      if (typeof value === 'string') values.set(key, value)
    return values
  }
  collectVariables(document, values)
  return values
}

/** `environment:` of compose and the like, however deep: a map, or a list of `NAME=value` or of `{name, value}`. */
function collectVariables(root: unknown, values: Map<string, string>): void {
  const open: unknown[] = [root]
  for (let steps = 0; open.length > 0 && steps < 100_000; steps++) {
    const one = open.pop()
    if (typeof one === 'string') for (const [key, value] of variablesIn(one)) values.set(key, value)
    else if (Array.isArray(one)) for (const item of one as unknown[]) open.push(item)
    else if (isObject(one)) {
      if (typeof one['name'] === 'string' && one['name'].startsWith('A2A_TOTP_') && 'value' in one)
        values.set(one['name'], String(one['value']))
      for (const [key, value] of Object.entries(one)) {
        if (/^A2A_TOTP_[A-Z_]+$/.test(key) && ['string', 'number'].includes(typeof value))
          values.set(key, String(value))
        else if (typeof value === 'object' || Array.isArray(value)) open.push(value)
      }
    }
  }
}

/** `a2a-totp-billing-alice`. A name that had to be changed for it ends in a digest, and cannot be told from it. */
function peerInResource({ metadata }: JsonObject, agent: string | undefined): string | undefined {
  const name = isObject(metadata) ? metadata['name'] : undefined
  const prefix = `a2a-totp-${agent ?? ''}-`
  if (typeof name !== 'string' || agent === undefined || !name.startsWith(prefix)) return undefined
  const label = name.slice(prefix.length)
  return isName(label) && !/-[0-9a-f]{8}$/.test(label) ? label : undefined
}

/** What a text without credentials is, if it is a fragment of ours or code. */
function codeKind(text: string): string | undefined {
  if (/^[ \t]*(LoadCredential(Encrypted)?|EnvironmentFile)=/m.test(text))
    return 'this is a systemd unit that names a file and does not contain it'
  if (/^[ \t]*A2A_TOTP_SERVER_FILE[ \t]*:/m.test(text))
    return 'this fragment names the server file and does not contain it'
  if (text.split('\n').some(isCurl)) return 'this is a curl command, a fragment that is code'
  const language = Object.entries(languages).find(([, signs]) => signs.test(text))?.[0]
  if (language !== undefined) return `this is ${language}, a fragment that is code`
  return /^#!/m.test(text) ? 'this is a fragment that is code' : undefined
}

/** A line that only code of that language has. */
const languages = {
  Go: /^[ \t]*(package[ \t]+\w+[ \t]*$|func\s)/m,
  TypeScript:
    /^[ \t]*(import[ \t]*(type[ \t]*)?[{*'"]|import[ \t].*[ \t]from[ \t]*['"]|export[ \t]+(const|function|default|async)|const\s)/m,
  Python: /^[ \t]*(from[ \t]+\S+[ \t]+import|import\s|def\s|class\s)/m,
}

function isCurl(line: string): boolean {
  const at = line.search(/\bcurl\b/)
  return at >= 0 && /(--header|-H)\b/.test(line.slice(at))
}

function withoutSecrets(what: string): Error {
  return invalidImport(`${what}; import the env or the json fragment of the peer, or the server file`)
}
