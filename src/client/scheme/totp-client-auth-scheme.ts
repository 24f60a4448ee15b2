import { clockDifferenceMs, durationText } from '../../core/clock-difference.js'
import { TOTPError } from '../../core/errors.js'
import { profileFromVariables } from '../../core/profile-variables.js'
import { parseProfile, parseReplay, type ReplayPolicy, type TOTPProfile } from '../../core/profile.js'
import { minimumSeedBits, Seed } from '../../core/seed.js'
import { generateCodeOfStep, timeStepAt, verifyCode } from '../../core/totp.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { variable } from './environment.js'
import { sleep, StepQueue, type AttemptOptions, type Clock, type Wait } from './step-queue.js'

export interface TOTPClientAuthSchemeOptions {
  /** Supplies the first factor, the Authorization header. */
  readonly delegate: ClientAuthScheme
  /** The seed, in base32; by default `$A2A_TOTP_SEED`. */
  readonly seed?: string | Seed
  /**
   * Differences from SHA1, 6 digits, 30 seconds and X-TOTP. If the seed comes from the environment,
   * `$A2A_TOTP_ALGORITHM`, `_DIGITS`, `_PERIOD` and `_HEADER` apply too; values set here take precedence.
   */
  readonly profile?: Partial<TOTPProfile>
  /**
   * The agent's replay policy, `reuse` by default. Under `once` this scheme never uses a time step twice: a request
   * waits for the next step, behind earlier requests.
   */
  readonly replay?: ReplayPolicy
  /** How many milliseconds a request may wait under `once`; by default one period plus one second. */
  readonly maxWaitMs?: number
  /** Called when a request has to wait (policy `once`). */
  readonly onWait?: (wait: Wait) => void
  readonly now?: Clock['now']
  /** Waits, for clocks other than the real one. */
  readonly sleep?: Clock['sleep']
  /**
   * Called for a weak seed, and at most once each for an agent whose policy is `once` although `replay` is not, and for
   * a clock that differs from that of an agent that refuses; by default `process.emitWarning`. Messages never contain a
   * secret.
   */
  readonly onWarning?: (message: string) => void
}

/**
 * The second factor on the client's side: adds a fresh code to the headers of its delegate.
 *
 * Use it through `totpFetch`, which sees the whole request, or in code of your own that requests the headers again for
 * each attempt. Stored headers expire within seconds.
 */
export class TOTPClientAuthScheme implements ClientAuthScheme {
  /** How codes are generated and sent. */
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  readonly #delegate: ClientAuthScheme
  readonly #seed: Seed
  readonly #now: () => Date
  readonly #steps: StepQueue | undefined
  readonly #warn: (message: string, code: string) => void
  readonly #warned = new Set<string>()

  /**
   * @throws {TOTPError} `ERR_SEED_MISSING`, `ERR_SEED_INVALID` or `ERR_PROFILE_INVALID` for the seed or profile;
   *   `ERR_CONFIG_INVALID` for an invalid variable, policy or limit, or a missing delegate. A weak seed is used, with a
   *   warning: someone else issued it.
   */
  constructor(options: TOTPClientAuthSchemeOptions) {
    const given = options.seed ?? variable('A2A_TOTP_SEED')
    if (given === undefined || given === '') {
      throw new TOTPError('ERR_SEED_MISSING', 'no seed; pass one in base32, or set A2A_TOTP_SEED')
    }
    if (!isScheme(options.delegate)) {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'no delegate for the first factor; pass a BearerTokenAuth, or any object with headers(request)',
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
   * Returns the headers for one attempt to send a request: those of the delegate, and the current code. Call it again for
   * each attempt, including retries and redirects.
   *
   * Under `once` it resolves once there is a time step for this attempt alone.
   *
   * @throws {TOTPError} what the delegate throws; under `once` `ERR_STEP_SPENT` if the wait would exceed `maxWaitMs`. An
   *   aborted signal rejects with its reason.
   */
  async authorize(
    request: ClientRequest,
    { signal, notBefore }: AttemptOptions = {},
  ): Promise<Record<string, string>> {
    const { header } = this.profile
    const first = Object.entries(await this.#delegate.headers(request))
    const others = first.filter(([name]) => name.toLowerCase() !== header.toLowerCase())
    // The step is taken last: a delegate that fetches a token may take a while, or fail.
    const timeStep = (await this.#steps?.next({ signal, notBefore })) ?? timeStepAt(this.profile, this.#now())
    return { ...Object.fromEntries(others), [header]: generateCodeOfStep(this.#seed, this.profile, timeStep) }
  }

  /** The same as {@link authorize}, so that other schemes can wrap this one. */
  headers(request: ClientRequest): Promise<Record<string, string>> {
    return this.authorize(request)
  }

  /**
   * When to retry a refused request, with new headers; undefined if a retry is pointless. A retry with the same code would
   * get the same answer.
   *
   * A retry is worthwhile if the code's time step ended on the way; and under `once`, if the agent answers 401 with
   * `Retry-After`: both factors were right, but the step was spent, for example by another process with this seed.
   *
   * It also warns, once, if the Date of the refusal shows that this machine's clock is further off than the window of the
   * profile allows: see {@link compareClocks}.
   *
   * @param code the code that was sent
   * @param sentAt when it was sent, by the clock of the scheme
   */
  retryOf(
    code: string,
    response: Pick<Response, 'status' | 'headers'>,
    sentAt: Date = this.#now(),
  ): { notBefore: Date } | undefined {
    if (response.status !== 401) return undefined
    const after = response.headers.get('retry-after') ?? ''
    const spent = /^[0-9]{1,6}$/.test(after)
    if (spent && this.replay === 'once')
      return { notBefore: new Date(this.#now().getTime() + Number(after) * 1000) }
    if (spent) this.#warnOfOnce()
    // A spent code was right, so the clocks are.
    else this.compareClocks((name) => response.headers.get(name), sentAt)
    return this.#isOver(code) ? { notBefore: this.#now() } : undefined
  }

  /** The clock that codes follow. */
  now(): Date {
    return this.#now()
  }

  /**
   * Warns, once, if the Date of a refusal shows that this machine's clock is further off than the window allows. For
   * integrations that see answers other than a `Response`.
   *
   * It never changes a code: an agent could name any time, and collect the codes of times to come.
   *
   * @param header returns a header of the answer; `date` and `age` are read
   * @param sentAt when the refused code was sent, by {@link now}
   */
  compareClocks(header: (name: 'date' | 'age') => string | null | undefined, sentAt: Date): void {
    const exchange = { sentAt, receivedAt: this.#now(), date: header('date'), age: header('age') }
    const differenceMs = clockDifferenceMs(this.profile, exchange)
    if (differenceMs === undefined) return
    this.#warnOnce(
      `the agent refused a code, and this machine's clock is ${durationText(differenceMs)} ${differenceMs > 0 ? 'ahead of' : 'behind'} the agent's; set it by NTP`,
      'A2A_TOTP_CLOCK',
    )
  }

  #warnOfWeakSeed(): void {
    this.#warn(
      `the seed has ${this.#seed.bits} bits, RFC 4226 requires at least ${minimumSeedBits}; ask its issuer for a longer one`,
      'A2A_TOTP_SEED_WEAK',
    )
  }

  #warnOfOnce(): void {
    this.#warnOnce(
      "the agent accepts each code only once; set replay: 'once', so that each request waits for a code of its own",
      'A2A_TOTP_REPLAY_ONCE',
    )
  }

  #warnOnce(message: string, code: string): void {
    if (this.#warned.has(code)) return
    this.#warned.add(code)
    this.#warn(message, code)
  }

  /** Whether a code belongs to this seed and to one of the last two past time steps. */
  #isOver(code: string): boolean {
    const verification = verifyCode(this.#seed, { ...this.profile, window: 2 }, code, this.#now())
    return verification.valid && verification.drift < 0
  }
}

/** Callers in plain JavaScript may omit it. */
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
