import { requireJson } from '../../core/json.js'
import { invalidImport } from '../fields.js'
import { readVariables } from './client-fragment.js'
import { fragmentsIn, type OwnFragments } from './documents.js'
import { hasAssignment, peerInComments, variablesIn } from './env-lines.js'

export type { OwnFragments } from './documents.js'

/** How a fragment is read. */
export interface Reading {
  /** When the credentials of a server file count as created, which it does not say. */
  readonly at: Date
  /** Ends the reading when it is aborted. */
  readonly signal: AbortSignal
}

/**
 * Reads fragments: server files and client fragments as JSON, YAML or Kubernetes Secrets, or the variables of a client as
 * lines, in whatever file they were put.
 *
 * @returns undefined for any other text
 * @throws {TOTPError} `ERR_IMPORT_INVALID` for a fragment without credentials, such as code, by its name. No message quotes
 *   the text.
 */
export async function readOwnFragments(text: string, reading: Reading): Promise<OwnFragments | undefined> {
  const found = (documents: readonly unknown[]): Promise<OwnFragments | undefined> =>
    fragmentsIn(documents, {
      at: reading.at,
      guess: peerInComments(text),
      readText: (inner) => readOwnFragments(inner, reading),
    })
  if (/^\s*\{/.test(text)) {
    const document = requireJson(text, 'the file to import', invalidImport, { uniqueKeys: true })
    return found([document])
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
    const fragments = await found(await yamlDocuments(text, reading.signal))
    if (fragments) return fragments
  }
  if (hasAssignment(text)) return fromLines(text)
  const code = codeKind(text)
  if (code !== undefined) throw withoutSecrets(code)
  return undefined
}

function fromLines(text: string): OwnFragments {
  const variables = variablesIn(text)
  const has = (name: string): boolean => variables.get(name) !== undefined
  if (!has('A2A_TOTP_SEED') && !has('A2A_TOTP_TOKEN') && has('A2A_TOTP_SERVER_FILE'))
    throw invalidImport(
      'this fragment names the server file and does not contain it; import the file that it names',
    )
  const entry = readVariables({ where: 'the fragment', variables, guess: peerInComments(text) })
  return { servers: [], entries: [entry], json: [] }
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
