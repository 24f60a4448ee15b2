import { TOTPError } from '../../core/errors.js'
import type { ClientCredentials, ClientFile } from '../file/client-file.js'
import { FollowedClientFile, namingFile } from '../file/followed-client-file.js'
import { schemeOptionsOf, type ClientFileSchemeOptions } from '../scheme/client-file-options.js'
import { ClientWarnings } from '../scheme/client-warnings.js'
import { schemeSettings } from '../scheme/settings.js'
import { TOTPClientAuthScheme } from '../scheme/totp-client-auth-scheme.js'
import { openRequest, totpFetch, type Fetch, type TOTPFetchOptions } from './fetch.js'

export interface TOTPFileFetchOptions
  extends Omit<ClientFileSchemeOptions, 'agent'>, Pick<TOTPFetchOptions, 'fetch' | 'allowInsecureHttp'> {}

/** A `fetch` for all agents of a client file. */
export type TOTPFileFetch = Fetch & {
  /** Stops following the file. What was read stays in force. */
  close(): void
}

/**
 * A `fetch` that calls each agent of a client file with that agent's own credentials, as {@link totpFetch} does: the origin
 * of the request decides which agent it is. It follows the file: an agent that joins can be called within a second, and one
 * that leaves can not be called any more. A file that cannot be used is a warning, and the one before it stays in force.
 *
 * The returned function rejects as {@link totpFetch}: with `ERR_HOST_FORBIDDEN` for an origin that none of the agents has.
 *
 * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` with the path of the bad field, for an agent without a URL,
 *   and for two agents of one origin, which the origin cannot tell apart
 */
export function totpFetchFromFile(path: string, options: TOTPFileFetchOptions = {}): TOTPFileFetch {
  const warnings = new ClientWarnings(options.onWarning)
  const warn = (message: string): void => warnings.ofFile(message)
  const file = new FollowedClientFile(path)
  const agents = new FileFetches(options)
  const use = (content: ClientFile): void => namingFile(path, () => agents.use(content))
  use(file.read({ exposed: warn }))
  file.follow({
    ...{ exposed: warn, changed: use },
    failed: ({ message }) => warn(`${message} (the credentials before it stay in force)`),
  })
  const fetch: Fetch = async (input, init) => agents.at(openRequest(input, init).url)(input, init)
  return Object.assign(fetch, { close: () => file.stop() })
}

class FileFetches {
  readonly #options: TOTPFileFetchOptions
  #schemes: ReadonlyMap<string, TOTPClientAuthScheme> = new Map()
  #fetches: ReadonlyMap<string, Fetch> = new Map()
  /** For messages. */
  #places = ''

  constructor(options: TOTPFileFetchOptions) {
    this.#options = options
  }

  /** @throws {TOTPError} `ERR_CONFIG_INVALID`; then nothing has changed */
  use({ agents }: ClientFile): void {
    const places = new Map<string, { name: string; credentials: ClientCredentials }>()
    for (const [name, credentials] of agents) {
      const { url } = credentials
      if (url === undefined)
        throw invalid(`agents.${name}.url is missing; without it no request is for ${name}`)
      const { origin } = new URL(url)
      const other = places.get(origin)?.name
      if (other !== undefined) {
        throw invalid(
          `the agents ${other} and ${name} are both at ${origin}; make a scheme for each, with the option agent`,
        )
      }
      places.set(origin, { name, credentials })
    }
    const { fetch, allowInsecureHttp, ...given } = this.#options
    const shared = { ...(fetch && { fetch }), ...(allowInsecureHttp && { allowInsecureHttp }) }
    const wanted = Array.from(places, ([origin, { name, credentials }]) => {
      const options = schemeOptionsOf(credentials, given)
      // Before any is in force: what one of them lacks must not leave the others changed.
      schemeSettings(options, given.now ?? (() => new Date()))
      return { origin, name, options }
    })
    const schemes = new Map<string, TOTPClientAuthScheme>()
    const fetches = new Map<string, Fetch>()
    for (const { origin, name, options } of wanted) {
      // One that stays keeps its queue, so that no time step is used twice under `once`.
      const scheme = this.#schemes.get(name)
      scheme?.use(options)
      const current = scheme ?? new TOTPClientAuthScheme(options)
      schemes.set(name, current)
      fetches.set(origin, totpFetch(current, { origins: [origin], ...shared }))
    }
    this.#schemes = schemes
    this.#fetches = fetches
    this.#places = Array.from(places, ([origin, { name }]) => `${name} at ${origin}`).join(', ')
  }

  /** @throws {TOTPError} `ERR_HOST_FORBIDDEN` */
  at({ origin }: URL): Fetch {
    const fetch = this.#fetches.get(origin)
    if (fetch) return fetch
    throw new TOTPError(
      'ERR_HOST_FORBIDDEN',
      `no agent of the client file is at ${origin}; it has ${this.#places}`,
    )
  }
}

function invalid(message: string): TOTPError {
  return new TOTPError('ERR_CONFIG_INVALID', message)
}
