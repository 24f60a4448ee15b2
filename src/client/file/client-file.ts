import { TOTPError, isTOTPError } from '../../core/errors.js'
import { isObject, requireJson, type JsonObject } from '../../core/json.js'
import { isName, nameRule } from '../../core/name.js'
import { parseReplay, profileRules, type ReplayPolicy, type TOTPProfile } from '../../core/profile.js'
import { parseSigned, type SignedPolicy } from '../../core/proof/profile.js'
import { Seed } from '../../core/seed.js'
import { Token } from '../../core/token.js'
import { parseHttpUrl } from '../../core/url.js'

/** What a peer needs to call one agent. */
export interface ClientCredentials {
  /** The peer's name; undefined if it is not known. */
  readonly peer: string | undefined
  /** The agent's name, which proofs are made for; undefined if it is not known. */
  readonly agent: string | undefined
  /** Where the agent is; undefined if it is not known. */
  readonly url: string | undefined
  readonly token: Token
  readonly seed: Seed
  /** What is known of it; the rest is the default. */
  readonly profile: Partial<TOTPProfile>
  readonly replay: ReplayPolicy
  /** Undefined if it is not known. */
  readonly signed: SignedPolicy | undefined
}

/** A client file, as `config client NAME --format json` prints it, or one with several agents. */
export interface ClientFile {
  readonly peer: string | undefined
  /** The agents that the file has, by name. One whose name is not known has an empty one. */
  readonly agents: ReadonlyMap<string, ClientCredentials>
}

const version = 1

/**
 * Reads the text of a client file. Keys that are not known are ignored.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with the path of the bad field, and never its value
 */
export function parseClientFile(text: string): ClientFile {
  const refuse = (message: string): TOTPError => invalid(isEnv(text) ? `${message}; ${envHint}` : message)
  const file = requireJson(text, 'it', refuse, { uniqueKeys: true })
  if (!isObject(file)) throw invalid('it must be a JSON object')
  const other = otherDocument(file)
  if (other !== undefined) {
    throw invalid(
      `it is ${other}; a client file is what \`a2a-totp config client NAME --format json\` prints`,
    )
  }
  if (file['version'] !== version) {
    throw invalid(`version must be ${version}; a newer file needs a newer a2a-totp`)
  }
  const peer = textIn(file, 'peer', isName, nameRule)
  const agents = new Map<string, ClientCredentials>()
  const { agents: entries = {} } = file
  if (!isObject(entries)) throw invalid('agents must be an object')
  for (const [agent, entry] of Object.entries(entries)) {
    if (!isName(agent)) throw invalid(`the name of an agent must be ${nameRule}`)
    if (!isObject(entry)) throw invalid(`agents.${agent} must be an object`)
    agents.set(agent, credentialsOf({ ...entry, agent }, `agents.${agent}.`, peer))
  }
  // The one agent of an older file, or the same once more.
  if ('token' in file || 'seed' in file) {
    const own = credentialsOf(file, '', peer)
    if (!agents.has(own.agent ?? '')) agents.set(own.agent ?? '', own)
  }
  if (agents.size === 0) throw invalid('it has no agents')
  return { peer, agents }
}

const envHint = 'it looks like --format env; use `a2a-totp config client NAME --format json`'

/** Whether a text begins with a variable, as the default of `config client` does below its comments. */
function isEnv(text: string): boolean {
  const first = text.split(/\r?\n/).find((line) => !/^\s*(#|$)/.test(line))
  return first !== undefined && /^\s*(export )?[A-Z_][A-Z0-9_]*=/.test(first)
}

/** The store and the server file have peers and profile, which no client file has. */
function otherDocument({ profile, peers, agent }: JsonObject): string | undefined {
  if (profile === undefined || peers === undefined) return undefined
  return isObject(agent) ? 'a store, which stays with its owner' : 'a server file, which is for the agent'
}

/**
 * The credentials for one of a file's agents.
 *
 * @param agent its name; needed if there are several
 * @throws {TOTPError} `ERR_CONFIG_INVALID` if the file does not have it, or has several and none is named
 */
export function agentIn({ agents }: ClientFile, agent: string | undefined): ClientCredentials {
  const named = agent === undefined ? undefined : agents.get(agent)
  const [only, second] = agents.values()
  const found = agent === undefined && second === undefined ? only : named
  if (found) return found
  const known = [...agents.keys()].join(', ')
  throw invalid(
    agent === undefined
      ? `it has several agents; name one of ${known}`
      : `it does not have the agent ${agent}; it has ${known}`,
  )
}

function credentialsOf(entry: JsonObject, where: string, peer: string | undefined): ClientCredentials {
  const profile: Record<string, unknown> = {}
  for (const key of ['algorithm', 'digits', 'period', 'header', 'window'] as const) {
    const { allows, expected } = profileRules[key]
    if (isSet(entry[key]) && !allows(entry[key])) throw invalid(`${where}${key} must be ${expected}`)
    if (isSet(entry[key])) profile[key] = entry[key]
  }
  const { replay, signed } = entry
  return {
    peer,
    agent: textIn(entry, 'agent', isName, nameRule, where),
    url: textIn(entry, 'url', isAgentUrl, urlRule, where),
    token: secret(entry, `${where}token`, (text) => Token.parse(text)),
    seed: secret(entry, `${where}seed`, (text) => Seed.fromBase32(text)),
    profile,
    replay: named(`${where}replay`, () => parseReplay(isSet(replay) ? replay : 'reuse')),
    signed: named(`${where}signed`, () => (isSet(signed) ? parseSigned(signed) : undefined)),
  }
}

const urlRule = 'an http or https URL without a user name in it'

function isAgentUrl(text: string): boolean {
  const url = parseHttpUrl(text)
  return url?.username === '' && url.password === ''
}

/** `null` stands for what is not known. */
const isSet = (value: unknown): boolean => value !== undefined && value !== null

function textIn(
  entry: JsonObject,
  key: string,
  allows: (text: string) => boolean,
  expected: string,
  where = '',
): string | undefined {
  const value = entry[key]
  if (!isSet(value)) return undefined
  if (typeof value === 'string' && allows(value)) return value
  throw invalid(`${where}${key} must be ${expected}`)
}

function secret<T>(entry: JsonObject, path: string, parse: (text: string) => T): T {
  const text = entry[path.slice(path.lastIndexOf('.') + 1)]
  if (typeof text !== 'string' || text === '') throw invalid(`${path} is missing`)
  return named(path, () => parse(text))
}

/** Errors of values name their place; they do not quote it. */
function named<T>(path: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw isTOTPError(error) ? invalid(`${path}: ${error.message}`) : error
  }
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', message)
}
