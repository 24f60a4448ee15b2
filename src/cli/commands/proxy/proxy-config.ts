import { dirname } from 'node:path'
import { requireHosts } from '../../../core/card/hosts.js'
import { signModes } from '../../../client/scheme/request-signer.js'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { isObject, parseJson, type JsonObject } from '../../../core/json.js'
import { isName, nameRule } from '../../../core/name.js'
import { parseHttpUrl } from '../../../core/url.js'
import { yamlDocuments } from '../../../import/own/yaml.js'
import { parseListenAddress, shownAddress } from '../../../service/address.js'
import { localAuthKinds } from '../../../sidecar/proxy/local-auth.js'
import { proxyDefaults, type ProxiedAgent } from '../../../sidecar/proxy/options.js'
import { SharedClientFile } from '../../../sidecar/proxy/shared-client-file.js'
import type { CliContext } from '../../context.js'
import { readGivenText } from '../../io/given-file.js'
import { pathFrom } from '../../io/path.js'
import { socketPath } from '../sidecar-options.js'
import { fromClientFile, fromStore } from './peer-credentials.js'
import { largestSignedBody } from './proxy-options.js'

/** Every key of an agent. */
const keys = [
  ...['url', 'peer', 'store', 'clientFile', 'agent', 'listen', 'socket', 'localAuth', 'localTokenFile'],
  ...['sign', 'maxSignedBody', 'maxWait', 'maxQueue', 'allowHosts', 'ca', 'cert', 'key', 'insecureHttp'],
  'cardSecurity',
]

/**
 * Reads the file of `--config`.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with everything that is wrong, each with the path of its field; what reading the
 *   file throws
 */
export async function readProxyConfig(context: CliContext, given: string): Promise<ProxiedAgent[]> {
  const path = pathFrom(context, given)
  const text = readGivenText(context, 'the file given to --config', given)
  const document = await documentIn(text, path, context.signal)
  const problems: string[] = []
  const agents = new ConfigReader(context, dirname(path), problems).read(document)
  if (problems.length === 0) return agents
  throw invalid(path, problems.join('; '))
}

async function documentIn(text: string, path: string, signal: AbortSignal): Promise<unknown> {
  const json = parseJson(text)
  if (json !== undefined) return json
  try {
    const [document, second] = await yamlDocuments(text, signal)
    if (second !== undefined) throw invalid(path, 'it has several YAML documents; expected one')
    return document
  } catch (error) {
    if (!isTOTPError(error) || error.code !== 'ERR_IMPORT_INVALID') throw error
    throw invalid(path, error.message)
  }
}

function invalid(path: string, message: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', `${path}: ${message}`)
}

/** Collects what is wrong, so that all of it is told at once. No message quotes a value. */
class ConfigReader {
  readonly #context: CliContext
  readonly #where: { readonly cwd: string }
  readonly #problems: string[]
  readonly #clientFiles = new Map<string, SharedClientFile>()
  readonly #taken = new Map<string, string>()

  constructor(context: CliContext, folder: string, problems: string[]) {
    this.#context = context
    this.#where = { cwd: folder }
    this.#problems = problems
  }

  read(document: unknown): ProxiedAgent[] {
    if (!isObject(document) || !isObject(document['agents'])) {
      this.#problems.push('agents must be a map from names to agents')
      return []
    }
    for (const key of Object.keys(document)) {
      if (!['agents', 'version'].includes(key))
        this.#problems.push(`${shownKey(key)} is no key here; expected agents`)
    }
    if (document['version'] !== undefined && document['version'] !== 1)
      this.#problems.push('version must be 1')
    const entries = Object.entries(document['agents'])
    if (entries.length === 0) this.#problems.push('agents has none')
    return entries.flatMap(([name, entry]) => {
      if (!isName(name)) return this.#fails(`the name of an agent must be ${nameRule}`)
      if (!isObject(entry)) return this.#fails(`agents.${name} must be a map`)
      return this.#agent(name, entry)
    })
  }

  #agent(name: string, given: JsonObject): ProxiedAgent[] {
    const at = `agents.${name}`
    const entry = this.#inCamelCase(given, at)
    const text = (key: string): string | undefined => this.#value(entry, at, key, 'a text', isText)
    const path = (key: string): string | undefined => {
      const file = text(key)
      return file === undefined ? undefined : pathFrom(this.#where, file)
    }
    const number = (key: string, most: number): number | undefined =>
      this.#value(
        entry,
        at,
        key,
        `a whole number, 0 to ${most}`,
        (value): value is number =>
          Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most,
      )
    const word = <W extends string>(key: string, words: readonly W[]): W | undefined =>
      this.#value(entry, at, key, `one of ${words.join(', ')}`, (value): value is W =>
        words.includes(value as W),
      )
    const url = this.#value(entry, at, 'url', 'an http or https URL without a user name in it', isUrl)
    const [clientFile, peer, store] = [path('clientFile'), text('peer'), path('store')]
    if (clientFile !== undefined && (peer !== undefined || store !== undefined)) {
      this.#problems.push(`${at}.clientFile cannot be beside peer or store; omit one`)
    }
    const agent = text('agent') ?? (clientFile === undefined ? undefined : name)
    const [cert, key] = [path('cert'), path('key')]
    if ((cert === undefined) !== (key === undefined))
      this.#problems.push(`${at}.cert and ${at}.key go together`)
    const localAuth = word('localAuth', localAuthKinds) ?? proxyDefaults.localAuth
    const localTokenFile = path('localTokenFile')
    if (localAuth === 'none' && localTokenFile !== undefined) {
      this.#problems.push(`${at}.localTokenFile needs localAuth header or url`)
    }
    if (localAuth !== 'none' && localTokenFile === undefined) {
      this.#problems.push(`${at}.localTokenFile is missing; localAuth ${localAuth} needs it`)
    }
    const maxWait = number('maxWait', 86_400)
    return [
      {
        url: url === undefined ? undefined : new URL(url),
        credentials:
          clientFile === undefined
            ? fromStore(
                this.#context,
                store === undefined ? this.#context.store : this.#context.store.at(store),
                peer,
              )
            : fromClientFile(this.#fileAt(clientFile), agent),
        listen: this.#listen(entry, at),
        ...{ localAuth, localTokenFile },
        sign: word('sign', signModes) ?? proxyDefaults.sign,
        maxSignedBody: number('maxSignedBody', largestSignedBody) ?? proxyDefaults.maxSignedBody,
        maxWaitMs: maxWait === undefined ? proxyDefaults.maxWaitMs : maxWait * 1000,
        maxQueue: number('maxQueue', 100_000) ?? proxyDefaults.maxQueue,
        allowHosts: this.#value(entry, at, 'allowHosts', 'a list of HOST or HOST:PORT', isHosts) ?? [],
        ...{ caFile: path('ca'), certFile: cert, keyFile: key },
        insecureHttp: this.#value(entry, at, 'insecureHttp', 'true or false', isFlag) ?? false,
        cardSecurity: word('cardSecurity', ['remove', 'keep']) ?? proxyDefaults.cardSecurity,
      },
    ]
  }

  /** Read once for all of its agents that are named here. */
  #fileAt(path: string): SharedClientFile {
    const file = this.#clientFiles.get(path) ?? new SharedClientFile(path)
    this.#clientFiles.set(path, file)
    return file
  }

  #listen(entry: JsonObject, at: string): ProxiedAgent['listen'] {
    const { listen, socket } = entry
    if (listen !== undefined && socket !== undefined)
      this.#problems.push(`${at} has listen and socket; omit one`)
    if (socket !== undefined) {
      try {
        const path = socketPath(this.#where, 'it', isText(socket) ? socket : '')
        this.#take(path, `${at}.socket`)
        return { socket: path }
      } catch {
        this.#problems.push(`${at}.socket must be the path of a socket, of at most 103 bytes`)
      }
    }
    if (listen === undefined) return proxyDefaults.listen
    const address =
      typeof listen === 'string' || typeof listen === 'number'
        ? parseListenAddress(String(listen))
        : undefined
    if (!address)
      this.#problems.push(`${at}.listen must be HOST:PORT with an IP address or localhost, or a port`)
    else if (address.port !== 0) this.#take(shownAddress(address), `${at}.listen`)
    return address ?? proxyDefaults.listen
  }

  #take(place: string, at: string): void {
    const before = this.#taken.get(place)
    if (before !== undefined) this.#problems.push(`${at} is that of ${before}; each agent has its own`)
    this.#taken.set(place, at)
  }

  #inCamelCase(given: JsonObject, at: string): JsonObject {
    const entry: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(given)) {
      const camel = key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
      const name = camel === 'allowHost' ? 'allowHosts' : camel
      if (keys.includes(name)) entry[name] = value
      else this.#problems.push(`${at}.${shownKey(key)} is no key of an agent`)
    }
    return entry
  }

  #value<T>(
    entry: JsonObject,
    at: string,
    key: string,
    expected: string,
    allows: (value: unknown) => value is T,
  ): T | undefined {
    const value = entry[key]
    if (value === undefined || value === null) return undefined
    if (allows(value)) return value
    this.#problems.push(`${at}.${key} must be ${expected}`)
    return undefined
  }

  #fails(problem: string): [] {
    this.#problems.push(problem)
    return []
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'

function isUrl(value: unknown): value is string {
  const url = typeof value === 'string' ? parseHttpUrl(value) : undefined
  return url?.username === '' && url.password === ''
}

function isHosts(value: unknown): value is string[] {
  if (!Array.isArray(value) || !value.every(isText)) return false
  try {
    requireHosts(value)
    return true
  } catch {
    return false
  }
}

/** A key may be anything, even a secret in the wrong place. */
const shownKey = (key: string): string => (/^[A-Za-z-]{1,32}$/.test(key) ? key : '(a key that is not shown)')
