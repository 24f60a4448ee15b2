import type { ClientCredentials } from '../../client/file/client-file.js'
import { schemeOptionsOf, type ClientFileSchemeOptions } from '../../client/scheme/client-file-options.js'
import { TOTPClientAuthScheme } from '../../client/scheme/totp-client-auth-scheme.js'
import { TOTPError } from '../../core/errors.js'
import type { Observer } from '../sidecar.js'
import { Breaker } from './breaker.js'
import { known, sameCredentials, type CredentialSource } from './credentials.js'
import type { ProxiedAgent, ProxyOptions } from './options.js'

type PeerOptions = Pick<ProxiedAgent, 'url' | 'credentials' | 'sign' | 'maxWaitMs' | 'maxQueue'>

type Clock = Pick<ProxyOptions, 'now' | 'sleep'>

/** The peer as which a listener calls its agent: its credentials, which follow their source, and its breaker. */
export class ProxiedPeer {
  readonly scheme: TOTPClientAuthScheme
  readonly breaker: Breaker
  readonly #source: CredentialSource
  /** The URL is that of the credentials. */
  readonly #followsUrl: boolean
  readonly #given: ClientFileSchemeOptions
  readonly #observer: Observer
  readonly #now: () => Date
  #current: ClientCredentials
  #withdrawn = false

  private constructor(
    current: ClientCredentials,
    { url, credentials, sign, maxWaitMs, maxQueue }: PeerOptions,
    observer: Observer,
    { now, sleep }: Clock,
  ) {
    this.#current = current
    this.#source = credentials
    this.#followsUrl = url === undefined
    this.#observer = observer
    this.#now = now
    this.#given = {
      sign,
      maxWaitMs,
      maxQueued: maxQueue,
      now,
      ...(sleep && { sleep }),
      onWarning: (message) => this.#warn(message),
    }
    this.scheme = new TOTPClientAuthScheme(schemeOptionsOf(current, this.#given))
    this.breaker = new Breaker({
      now,
      onOpen: () => {
        const advice = `the agent refused the codes of three time steps, so nothing more is sent to it; check that its clock and this one are right, and that the credentials are the agent's newest`
        observer.event({ at: now(), type: 'breaker_opened', ...this.#names(), advice })
      },
      onClose: () => observer.event({ at: now(), type: 'breaker_closed', ...this.#names() }),
    })
  }

  /**
   * Reads the credentials, and follows them.
   *
   * @throws {TOTPError} if they cannot be used
   */
  static async start(options: PeerOptions, observer: Observer, clock: Clock): Promise<ProxiedPeer> {
    const { now } = clock
    const warn = (message: string): void => observer.event({ at: now(), type: 'warning', message })
    const peer = new ProxiedPeer(await options.credentials.read({ warn }), options, observer, clock)
    peer.#source.follow?.({
      changed: (credentials) => peer.#use(credentials),
      failed: (error) => peer.#refuse(error),
      gone: (error) => peer.#withdraw(error),
      warn,
    })
    return peer
  }

  /** Undefined if it is not known. */
  get name(): string | undefined {
    return this.#current.peer
  }

  /** The agent's name; empty if it is not known. */
  get agent(): string {
    return this.#current.agent ?? ''
  }

  /** A text of the agent, for a log: it knows the token and the codes, and may repeat them anywhere. */
  masked(text: string): string {
    const { digits } = this.scheme.profile
    return text
      .split(new RegExp(this.#current.token.value.replace(/[^\w]/g, '\\$&'), 'i'))
      .join('[token]')
      .replace(new RegExp(`(?<!\\d)\\d{${digits}}(?!\\d)`, 'g'), '[code]')
  }

  /** Where the credentials say that the agent is. */
  get url(): URL | undefined {
    return this.#current.url === undefined ? undefined : new URL(this.#current.url)
  }

  /** Whether its source has no credentials for it any more. */
  get withdrawn(): boolean {
    return this.#withdrawn
  }

  /** @throws {TOTPError} `ERR_CONFIG_INVALID` if there is nothing to call with */
  requireCredentials(): void {
    if (!this.#withdrawn) return
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `the credentials for ${this.agent || 'the agent'} were withdrawn; see the log of the proxy`,
    )
  }

  /** Reads the credentials anew, and lets the breaker try again. */
  async reload(): Promise<void> {
    try {
      this.#use(await this.#source.read({ warn: (message) => this.#warn(message) }))
    } catch (error) {
      if (!this.#withdrawn) this.#refuse(known(error))
    }
    this.breaker.reset()
  }

  stop(): void {
    this.#source.stop?.()
  }

  /** @throws {TOTPError} if no scheme takes them; those before stay in force */
  #use(credentials: ClientCredentials): void {
    const isSame = sameCredentials(this.#current, credentials)
    const hasMoved = this.#followsUrl && this.#current.url !== credentials.url
    this.scheme.use(schemeOptionsOf(credentials, this.#given))
    this.#current = credentials
    this.#withdrawn = false
    if (!isSame) this.breaker.reset()
    this.#observer.event({ at: this.#now(), type: 'credentials_loaded', ...this.#names() })
    if (hasMoved)
      this.#warn(`the URL of ${this.agent || 'the agent'} has changed; restart the proxy to call it there`)
  }

  #refuse({ code, message }: TOTPError): void {
    const stays = `${message} (the last good credentials stay in force)`
    this.#observer.event({
      at: this.#now(),
      type: 'credentials_refused',
      agent: this.agent,
      code,
      message: stays,
    })
  }

  /** Those who removed it told the agent first: its codes would only be refused. */
  #withdraw({ code, message }: TOTPError): void {
    this.#withdrawn = true
    this.#observer.event({ at: this.#now(), type: 'credentials_refused', agent: this.agent, code, message })
  }

  #warn(message: string): void {
    this.#observer.event({ at: this.#now(), type: 'warning', message })
  }

  #names(): { agent: string; peer: string } {
    return { agent: this.agent, peer: this.name ?? '' }
  }
}
