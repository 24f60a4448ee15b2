import { TOTPError } from '../../core/errors.js'
import { isInstant } from '../../core/instant.js'
import { isObject } from '../../core/json.js'
import { quoteName } from '../../core/name.js'
import { isLive } from '../../core/roster.js'
import { isTokenHash } from '../../core/token.js'
import type { Failure } from '../../state/failure.js'
import type { Attempt } from '../../state/state.js'
import { failureOf } from '../../state/redis-failure.js'
import {
  knowsHashes,
  listsToken,
  PeerTokenAuth,
  tokenHashOf,
  type ServerAuthScheme,
  type TokenVerdict,
} from './delegates.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import { mapOf, type PeerDirectory, type SchemePeer } from './peers.js'

/** Why a token counts as no peer's. */
export type NoOwnerReason =
  'delegate-failed' | 'peer-conflict' | 'peer-unknown' | 'strangers-exhausted' | 'token-refused'

/** The peer that a token belongs to, or why there is none. */
export type TokenOwner =
  | {
      readonly peer: SchemePeer
      readonly claims: Readonly<Record<string, unknown>>
      /** The hash of the token. */
      readonly tokenHash: string
      /** The same, if the delegate lists its tokens; see `Attempt.token`. */
      readonly token?: string
      /** The hashes of the tokens that are live now; see `Attempt.liveTokens`. */
      readonly liveTokens?: Attempt['liveTokens']
      /** From when on the delegate no longer accepts the token, if it said so. */
      readonly expiresAt: Date | undefined
    }
  | NoOwner

export interface NoOwner {
  readonly peer?: never
  readonly reason: NoOwnerReason
  /** Of `strangers-exhausted`, in whole seconds. */
  readonly retryAfter?: number
  /** Why the delegate failed; without its error, which may quote the token. */
  readonly failure?: Failure
}

/** The peer's name under a shared seed if neither delegate nor map tells peers apart. */
const onlyPeer = 'peer'

/** The first factor: asks the delegate about a token, and finds the peer it belongs to. */
export class FirstFactor {
  readonly #delegate: ServerAuthScheme
  readonly #tokenToPeer: ReadonlyMap<string, string>
  readonly #peers: PeerDirectory
  readonly #otherwise: string | undefined

  /**
   * @throws {TOTPError} `ERR_CONFIG_INVALID` without delegate and map, or if a token is mapped twice, or to a peer that
   *   has no seed; `ERR_TOKEN_INVALID` for a mapped token that a request cannot carry.
   */
  constructor({ delegate, tokenToPeer, sharedSeed }: TOTPServerAuthSchemeOptions, peers: PeerDirectory) {
    const mapped = [...mapOf(tokenToPeer ?? {})]
    for (const [token, peer] of mapped) if (!peers.find(peer)) throw unusable(token, peer, peers)
    if (!delegate && mapped.length === 0) {
      throw new TOTPError('ERR_CONFIG_INVALID', 'nothing checks the token; pass a delegate, or tokenToPeer')
    }
    const tokens = new Map(mapped.map(([token, peer]) => [tokenHashOf(token), peer]))
    if (tokens.size < mapped.length) {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'tokenToPeer has a token twice, once as its hash; map each token once',
      )
    }
    this.#delegate = delegate ?? new PeerTokenAuth(tokens)
    // Our own delegate already knows everything in the map.
    this.#tokenToPeer = delegate ? tokens : new Map()
    this.#peers = peers
    this.#otherwise = sharedSeed !== undefined && mapped.length === 0 ? onlyPeer : undefined
  }

  /** Whether asking about the token costs no more than a look-up, or the token is listed in the map. */
  mayAlwaysAsk(tokenHash: string): boolean {
    return this.#delegate.isLookup === true || this.#tokenToPeer.has(tokenHash)
  }

  /** Whether a token is known to be a peer's without asking a delegate of another kind. */
  lists(tokenHash: string): boolean {
    return this.#tokenToPeer.has(tokenHash) || listsToken(this.#delegate, tokenHash)
  }

  /** Asks the delegate about a token and finds its peer. Without a promise where the delegate answers without one. */
  identify(token: string, tokenHash: string, at: Date): TokenOwner | Promise<TokenOwner> {
    try {
      const verdict = this.#delegate.authenticateToken(token, { at, tokenHash })
      return isThenable(verdict)
        ? this.#awaited(verdict, tokenHash, at)
        : this.#ownerFor(verdict, tokenHash, at)
    } catch (error) {
      return failedDelegate(error)
    }
  }

  async #awaited(verdict: Promise<TokenVerdict>, tokenHash: string, at: Date): Promise<TokenOwner> {
    try {
      return this.#ownerFor(await verdict, tokenHash, at)
    } catch (error) {
      return failedDelegate(error)
    }
  }

  #ownerFor(verdict: TokenVerdict, tokenHash: string, at: Date): TokenOwner {
    if (isRefused(verdict) || !isLive({ expiresAt: verdict.expiresAt ?? undefined }, at))
      return { reason: 'token-refused' }

    const mapped = this.#tokenToPeer.get(tokenHash)
    if (verdict.peer && mapped && verdict.peer !== mapped) return { reason: 'peer-conflict' }
    const name = verdict.peer ?? mapped ?? this.#otherwise
    const peer = name ? this.#peers.find(name) : undefined
    if (!peer) return { reason: 'peer-unknown' }
    const { claims = {}, expiresAt } = verdict
    if (!this.#delegate.liveTokens) return { peer, claims, tokenHash, expiresAt }
    const liveTokens = (): readonly string[] | undefined => this.#liveTokens(peer, tokenHash, at)
    return { peer, claims, tokenHash, expiresAt, token: tokenHash, liveTokens }
  }

  /** All tokens if the peer shares a seed, since it shares its budget as well; otherwise its own. */
  #liveTokens({ name }: SchemePeer, tokenHash: string, at: Date): readonly string[] | undefined {
    const listed: unknown = this.#delegate.liveTokens?.(at, this.#peers.shares(name) ? undefined : name)
    // A list without the very token that was accepted is none, and with it no guess would count.
    return Array.isArray(listed) && listed.includes(tokenHash) ? (listed as readonly string[]) : undefined
  }

  /**
   * What is known now of a token that was accepted before: only our own list of tokens can be asked by hash.
   *
   * @param asOf the time to ask for
   * @returns undefined if it cannot be asked
   */
  recall(tokenHash: string, asOf: Date): TokenVerdict | undefined {
    const delegate = this.#delegate
    // Of that class itself: one that extends it may do anything with a token.
    if (!(delegate instanceof PeerTokenAuth) || delegate.constructor !== PeerTokenAuth) return undefined
    return delegate.authenticateToken('', { at: asOf, tokenHash })
  }

  /**
   * Decides about every mapped token as a request with it would.
   *
   * @throws {TOTPError} `ERR_CONFIG_INVALID` for a token that can never be accepted: the delegate refuses it, it has
   *   expired, it belongs to another peer, or every seed of its peer has expired. Errors of the delegate are passed on.
   */
  async requireUsable(tokenToPeer: TOTPServerAuthSchemeOptions['tokenToPeer'], at: Date): Promise<void> {
    for (const [token, name] of mapOf(tokenToPeer ?? {})) {
      const peer = await this.#peerOfMapped(token, name, at)
      if (!peer) {
        throw neverAccepted(
          name,
          'the delegate refuses it, says that it has expired, or assigns it to another peer; add it to the delegate, or ' +
            'leave the delegate out',
        )
      }
      if (!peer.seeds.some((seed) => isLive(seed, at)))
        throw neverAccepted(name, 'every seed of this peer has expired; add a live one, or drop the token')
    }
  }

  /** The peer that a request with a mapped token would be of. A hash says nothing to a delegate of another kind. */
  async #peerOfMapped(token: string, name: string, at: Date): Promise<SchemePeer | undefined> {
    if (isTokenHash(token) && !knowsHashes(this.#delegate)) return this.#peers.find(name)
    const tokenHash = tokenHashOf(token)
    const verdict = await this.#delegate.authenticateToken(token.trim(), { at, tokenHash })
    return this.#ownerFor(verdict, tokenHash, at).peer
  }
}

const neverAccepted = (peer: string, reason: string): TOTPError =>
  new TOTPError(
    'ERR_CONFIG_INVALID',
    `the token that tokenToPeer maps to ${quoteName(peer)} can never be accepted: ${reason}`,
  )

const failedDelegate = (error: unknown): NoOwner => ({ reason: 'delegate-failed', failure: failureOf(error) })

/** Anything that `await` would wait for: promises of other libraries are no `Promise`. */
const isThenable = (verdict: unknown): verdict is Promise<TokenVerdict> =>
  isObject(verdict) && typeof verdict['then'] === 'function'

/** The error for a token that is mapped to an unknown peer. If the map is the wrong way round, its values are tokens. */
function unusable(token: string, peer: string, peers: PeerDirectory): TOTPError {
  return new TOTPError(
    'ERR_CONFIG_INVALID',
    peers.find(token)
      ? `tokenToPeer has peer ${quoteName(token)} where a token belongs; write { TOKEN: PEER }`
      : `tokenToPeer names ${quoteName(peer)}, which has no seed; add it to peerSeeds or drop its token`,
  )
}

/**
 * A delegate in plain JavaScript can return anything; what is not a verdict is a refusal. Without a peer, an object with
 * other fields, such as an `Error` or `{ ok: false }`, is no yes.
 */
function isRefused(verdict: unknown): verdict is { readonly refusal: string } {
  if (!isObject(verdict) || verdict['refusal'] !== undefined) return true
  const { peer, expiresAt } = verdict
  if (expiresAt !== undefined && expiresAt !== null && !isInstant(expiresAt)) return true
  if (peer !== undefined && peer !== null) return typeof peer !== 'string'
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(verdict) as object | null)
  return !isPlain || Object.keys(verdict).some((key) => !verdictFields.has(key))
}

const verdictFields: ReadonlySet<string> = new Set(['peer', 'claims', 'expiresAt', 'refusal'])
