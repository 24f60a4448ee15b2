import { A2aTotpError } from '../core/errors.js'
import { profileFromVariables } from '../core/profile-variables.js'
import { parseProfile, type TotpProfile } from '../core/profile.js'
import { minimumSeedBits, Seed } from '../core/seed.js'
import { generateCode, verifyCode } from '../core/totp.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { variable } from './environment.js'

export interface TOTPClientAuthSchemeOptions {
  /** Gives the first factor, the Authorization header. */
  readonly delegate: ClientAuthScheme
  /** In base32; by default `$A2A_TOTP_SEED`. */
  readonly seed?: string | Seed
  /**
   * Where the agent differs from SHA1, 6 digits, 30 seconds and X-TOTP. When the seed comes from the environment,
   * `$A2A_TOTP_ALGORITHM`, `_DIGITS`, `_PERIOD` and `_HEADER` count too, after what is given here.
   */
  readonly profile?: Partial<TotpProfile>
  readonly now?: () => Date
  /** Hears of a weak seed; by default `process.emitWarning`. The message holds no secret. */
  readonly onWarning?: (message: string) => void
}

/**
 * The second factor on the client's side: a fresh code beside whatever the delegate sends.
 *
 * Use it through `totpFetch`, which sees the whole request, or hand it to something of your own that asks for the
 * headers anew for each attempt. Headers that are kept go stale within seconds.
 */
export class TOTPClientAuthScheme implements ClientAuthScheme {
  /** How codes are made and sent. */
  readonly profile: TotpProfile
  readonly #delegate: ClientAuthScheme
  readonly #seed: Seed
  readonly #now: () => Date

  /**
   * @throws {A2aTotpError} `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_PROFILE_INVALID` for what was given, and
   *   `ERR_CONFIG_INVALID` for a variable. A weak seed that somebody else issued is used, with a warning.
   */
  constructor(options: TOTPClientAuthSchemeOptions) {
    const given = options.seed ?? variable('A2A_TOTP_SEED')
    if (given === undefined || given === '') {
      throw new A2aTotpError('ERR_SEED_MISSING', 'there is no seed: give one in base32, or set A2A_TOTP_SEED')
    }
    const inherited = options.seed === undefined ? profileFromVariables(process.env) : {}
    this.profile = parseProfile({ ...inherited, ...options.profile })
    this.#delegate = options.delegate
    this.#seed = typeof given === 'string' ? Seed.fromBase32(given) : given
    this.#now = options.now ?? (() => new Date())
    if (!this.#seed.strong) warnOfWeakSeed(this.#seed.bits, options.onWarning ?? emitWarning)
  }

  /**
   * The headers of one attempt to send a request: what the delegate says, and the code of this very moment. Ask
   * again for each attempt, retries and redirects included.
   */
  async authorize(request: ClientRequest): Promise<Record<string, string>> {
    const { header } = this.profile
    const first = Object.entries(await this.#delegate.headers(request))
    const others = first.filter(([name]) => name.toLowerCase() !== header.toLowerCase())
    // The code comes last: a delegate that fetches a token may take a while.
    return { ...Object.fromEntries(others), [header]: generateCode(this.#seed, this.profile, this.#now()) }
  }

  /** The same as {@link authorize}, which makes this a scheme that others can wrap. */
  headers(request: ClientRequest): Promise<Record<string, string>> {
    return this.authorize(request)
  }

  /**
   * Whether a code is of this seed, and of one of the last two time steps that are over. A refused request is worth
   * sending again only then; with any other code it would meet the same answer, or spend a guess.
   */
  isOver(code: string): boolean {
    const verification = verifyCode(this.#seed, { ...this.profile, window: 2 }, code, this.#now())
    return verification.valid && verification.drift < 0
  }
}

function warnOfWeakSeed(bits: number, warn: (message: string) => void): void {
  warn(
    `the seed has ${bits} bits, RFC 4226 asks for at least ${minimumSeedBits}: ask who issued it for a longer one`,
  )
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'SecurityWarning', code: 'A2A_TOTP_SEED_WEAK' })
}
