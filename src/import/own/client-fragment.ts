import { isTOTPError } from '../../core/errors.js'
import { isObject, type JsonObject } from '../../core/json.js'
import { isName } from '../../core/name.js'
import { profileFromVariables } from '../../core/profile-variables.js'
import { defaultProfile, profileRules, type TOTPProfile } from '../../core/profile.js'
import { signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import { Seed } from '../../core/seed.js'
import { Token } from '../../core/token.js'
import { parseHttpUrl } from '../../core/url.js'
import { entryOf, requestFrom, type Account, type ClientAbout, type Entry } from '../entry.js'
import { invalidImport, wordIn } from '../fields.js'
import type { Variables } from './env-lines.js'

/** Whether a document is `config client --format json`, or a client file with several agents. */
export function isClientDocument(document: unknown): document is JsonObject {
  if (!isObject(document) || 'peers' in document) return false
  return isObject(document['agents']) || ('agent' in document && 'token' in document && 'seed' in document)
}

/** Reads such a document: an entry for each agent in it. */
export function readClientDocument(document: JsonObject, guess?: string): Entry[] {
  const { agents, ...top } = document
  const peer = document['peer'] ?? guess
  if (!isObject(agents)) return [clientEntry('the document', peer, top)]
  const entries = Object.entries(agents).map(([agent, one]) =>
    clientEntry(`agents.${isName(agent) ? agent : '(a name that is not shown)'}`, peer, {
      ...(isObject(one) ? withoutRepeated(one, agents) : {}),
      agent,
    }),
  )
  // The same credentials are at the top once more, where there is one agent.
  const isRepeated = entries.length === 1 && isSame(agents[String(top['agent'])], top)
  return 'token' in top && !isRepeated ? [...entries, clientEntry('the document', peer, top)] : entries
}

/** A whole fragment as the entry of an agent has `agents` itself; that is left out where the document has all of it. */
function withoutRepeated(entry: JsonObject, agents: JsonObject): JsonObject {
  const { agents: inner, ...rest } = entry
  if (!isObject(inner)) return entry
  return Object.entries(inner).every(([agent, one]) => isSame(agents[agent], one)) ? rest : entry
}

const isSame = (one: unknown, other: unknown): boolean =>
  isObject(one) && isObject(other) && ['token', 'seed'].every((key) => one[key] === other[key])

function clientEntry(where: string, peer: unknown, fields: JsonObject): Entry {
  const { agent, url, header, window } = fields
  // Neither is a credential, and an entry knows nothing of them.
  const rest = Object.fromEntries(
    Object.entries(fields).filter(([key]) => key !== 'version' && key !== 'window'),
  )
  const entry = entryOf(where, () => {
    const account = requestFrom({
      ...rest,
      ...(peer === undefined ? {} : { name: peer }),
    })
    requireBoth(account)
    return account
  })
  return withClient(entry, aboutFrom({ agent, url, header, window }))
}

/** The variables of a client fragment, and what names them. */
export interface VariableSet {
  readonly where: string
  readonly variables: Variables
  /** A name that a comment or the name of a resource suggests. */
  readonly guess?: string | undefined
}

/** Reads the variables of `config client --format env` and what is made of them. */
export function readVariables({ where, variables, guess }: VariableSet): Entry {
  const value = (name: string): string | undefined => variables.get(`A2A_TOTP_${name}`)
  const window = value('WINDOW')
  const about = aboutFrom({
    agent: value('AGENT'),
    url: value('URL'),
    header: value('HEADER') ?? defaultProfile.header,
    window: window === undefined ? undefined : Number(window),
  })
  const entry = entryOf(where, () => {
    requireOneValueEach(variables)
    const [seed, token] = [value('SEED'), value('TOKEN')]
    if (seed === undefined || token === undefined)
      throw invalidImport('the fragment needs A2A_TOTP_SEED and A2A_TOTP_TOKEN')
    const { algorithm, digits, period } = { ...defaultProfile, ...profileOf(variables) }
    const signed = signedIn(value('SIGNED'))
    const request = {
      algorithm,
      digits,
      period,
      signed,
      seed: Seed.fromBase32(seed),
      token: Token.parse(token),
    }
    return { label: guess, request }
  })
  return withClient(entry, { ...about, guessed: true })
}

/** Fragments one after the other would pass for one, with the name of one peer and the seed of another. */
function requireOneValueEach(variables: Variables): void {
  const name = parts.map((part) => `A2A_TOTP_${part}`).find((one) => variables.hasSeveral(one))
  if (name !== undefined)
    throw invalidImport(
      `${name} has several values; give each peer's fragment a file of its own, and import the files together`,
    )
}

/** The variables of a fragment, those that tell peers apart first. */
const parts = ['SEED', 'TOKEN', 'AGENT', 'URL', 'SIGNED', 'ALGORITHM', 'DIGITS', 'PERIOD', 'HEADER', 'WINDOW']

/** Absent: `off`, since the variable is written for every other policy. */
const signedIn = (text = 'off'): SignedPolicy => wordIn('$A2A_TOTP_SIGNED', signedRule, text)

function profileOf(variables: Variables): Partial<TOTPProfile> {
  try {
    return profileFromVariables(variables.all())
  } catch (error) {
    throw isTOTPError(error) ? invalidImport(error.message) : error
  }
}

/** Only what is allowed: the rest decides about nothing. */
function aboutFrom({ agent, url, header, window }: JsonObject): ClientAbout {
  return {
    ...(typeof agent === 'string' && isName(agent) ? { agent } : {}),
    ...(typeof url === 'string' && parseHttpUrl(url) ? { url } : {}),
    ...(typeof header === 'string' && profileRules.header.allows(header) ? { header } : {}),
    ...(profileRules.window.allows(window) ? { window: window as TOTPProfile['window'] } : {}),
  }
}

function requireBoth({ request }: Account): void {
  if (!request.seed || !request.token) throw invalidImport('a client fragment needs a seed and a token')
}

function withClient(entry: Entry, client: ClientAbout): Entry {
  return 'request' in entry ? { ...entry, client } : entry
}
