import { TOTPError } from '../../core/errors.js'
import { profileFromVariables } from '../../core/profile-variables.js'
import { parseProfile, parseReplay, type ReplayPolicy, type TOTPProfile } from '../../core/profile.js'
import { minimumSeedBits, Seed } from '../../core/seed.js'
import { generateCodeOfStep, timeStepAt, verifyCode } from '../../core/totp.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { variable } from './environment.js'
import { sleep, StepQueue, type AttemptOptions, type Clock, type Wait } from './step-queue.js'

export interface TOTPClientAuthSchemeOptions {
  /** Gives the first factor, the Authorization header. */
  readonly delegate: ClientAuthScheme
  /** In base32; by default `$A2A_TOTP_SEED`. */
  readonly seed?: string | Seed
  /**
   * Where the agent differs from SHA1, 6 digits, 30 seconds and X-TOTP. When the seed comes from the environment,
   * `$A2A_TOTP_ALGORITHM`, `_DIGITS`, `_PERIOD` and `_HEADER` count too, after what is given here.
   */
  readonly profile?: Partial<TOTPProfile>
  /**
   * The agent's policy, `reuse` by default. Under `once` no time step is used twice by this scheme: a request waits
   * for the next one, after those that asked before it.
   */
  readonly replay?: ReplayPolicy
  /** The longest that a request may wait under `once`; by default a period and a second. */
  readonly maxWaitMs?: number
  /** Hears of each request that has to wait under `once`. */
  readonly onWait?: (wait: Wait) => void
  readonly now?: Clock['now']
  /** How to wait, where the clock is not the real one. */
  readonly sleep?: Clock['sleep']
  /**
   * Hears of a weak seed, and, once, of an agent whose policy is `once` where `replay` does not say so; by default
   * `process.emitWarning`. No message holds a secret.
   */
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
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  readonly #delegate: ClientAuthScheme
  readonly #seed: Seed
  readonly #now: () => Date
  readonly #steps: StepQueue | undefined
  readonly #warn: (message: string, code: string) => void
  #warnedOfOnce = false

  /**
   * @throws {TOTPError} `ERR_SEED_MISSING`, `ERR_SEED_INVALID`, `ERR_PROFILE_INVALID` for what was given, and
   *   `ERR_CONFIG_INVALID` for a variable, a policy or a limit that is none, and without a delegate. A weak seed that
   *   somebody else issued is used, with a warning.
   */
  constructor(options: TOTPClientAuthSchemeOptions) {
    const given = options.seed ?? variable('A2A_TOTP_SEED')
    if (given === undefined || given === '') {
      throw new TOTPError('ERR_SEED_MISSING', 'there is no seed: give one in base32, or set A2A_TOTP_SEED')
    }
    if (!isScheme(options.delegate)) {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'there is no delegate for the first factor: give a BearerTokenAuth, or anything with headers(request)',
      )
    }
    const inherited = options.seed === undefined ? profileFromVariables(process.env) : {}
    this.profile = parseProfile({ ...inherited, ...options.profile })
    this.#delegate = options.delegate
    this.#seed = typeof given === 'string' ? Seed.fromBase32(given) : given
    this.#now = options.now ?? (() => new Date())
    this.replay = parseReplay(options.replay ?? 'reuse')
    this.#steps = this.replay === 'once' ? stepQueue(this.profile, this.#now, options) : undefined
    this.#warn = options.onWarning ?? emitWarning
    if (!this.#seed.strong) this.#warnOfWeakSeed()
  }

  /**
   * The headers of one attempt to send a request: what the delegate says, and the code of this very moment. Ask
   * again for each attempt, retries and redirects included.
   *
   * Under `once` it resolves when there is a time step for this attempt alone.
   *
   * @throws {TOTPError} what the delegate throws; under `once` `ERR_STEP_SPENT` when the wait would be longer than
   *   `maxWaitMs`. An aborted signal rejects with its reason.
   */
  async authorize(
    request: ClientRequest,
    { signal, notBefore }: AttemptOptions = {},
  ): Promise<Record<string, string>> {
    const { header } = this.profile
    const first = Object.entries(await this.#delegate.headers(request))
    const others = first.filter(([name]) => name.toLowerCase() !== header.toLowerCase())
    // The step comes last: a delegate that fetches a token may take a while, or fail.
    const timeStep = (await this.#steps?.next({ signal, notBefore })) ?? timeStepAt(this.profile, this.#now())
    return { ...Object.fromEntries(others), [header]: generateCodeOfStep(this.#seed, this.profile, timeStep) }
  }

  /** The same as {@link authorize}, which makes this a scheme that others can wrap. */
  headers(request: ClientRequest): Promise<Record<string, string>> {
    return this.authorize(request)
  }

  /**
   * When a refused request is worth sending again, with headers made anew; undefined when it is not. Never with the
   * same code: it would meet the same answer.
   *
   * It is when the code's time step ended on the way; and under `once`, when the agent answers 401 with
   * `Retry-After`: both factors were right, but the step was spent, by another process with this seed for example.
   *
   * @param code the one that was sent
   */
  retryOf(code: string, response: Pick<Response, 'status' | 'headers'>): { notBefore: Date } | undefined {
    if (response.status !== 401) return undefined
    const after = response.headers.get('retry-after') ?? ''
    const spent = /^[0-9]{1,6}$/.test(after)
    if (spent && this.replay === 'once')
      return { notBefore: new Date(this.#now().getTime() + Number(after) * 1000) }
    if (spent) this.#warnOfOnce()
    return this.#isOver(code) ? { notBefore: this.#now() } : undefined
  }

  #warnOfWeakSeed(): void {
    this.#warn(
      `the seed has ${this.#seed.bits} bits, RFC 4226 asks for at least ${minimumSeedBits}: ask who issued it for a longer one`,
      'A2A_TOTP_SEED_WEAK',
    )
  }

  #warnOfOnce(): void {
    if (this.#warnedOfOnce) return
    this.#warnedOfOnce = true
    this.#warn(
      "the agent takes each code for one request only: set replay: 'once', so that requests wait for a code of their own",
      'A2A_TOTP_REPLAY_ONCE',
    )
  }

  /** Whether a code is of this seed, and of one of the last two time steps that are over. */
  #isOver(code: string): boolean {
    const verification = verifyCode(this.#seed, { ...this.profile, window: 2 }, code, this.#now())
    return verification.valid && verification.drift < 0
  }
}

/** Callers without a compiler may forget it. */
function isScheme(delegate: ClientAuthScheme | undefined): boolean {
  return typeof delegate?.headers === 'function'
}

function stepQueue(
  profile: TOTPProfile,
  now: Clock['now'],
  { maxWaitMs = (profile.period + 1) * 1000, onWait, ...given }: TOTPClientAuthSchemeOptions,
): StepQueue {
  if (!(maxWaitMs >= 0)) throw new TOTPError('ERR_CONFIG_INVALID', 'maxWaitMs must be 0 or more')
  return new StepQueue({
    profile,
    maxWaitMs,
    now,
    sleep: given.sleep ?? sleep,
    onWait: onWait ?? (() => undefined),
  })
}

function emitWarning(message: string, code: string): void {
  process.emitWarning(message, { type: 'SecurityWarning', code })
}
