import { clockDifferenceMs } from '../../core/clock-difference.js'
import { TOTPError } from '../../core/errors.js'
import { profileFromVariables } from '../../core/profile-variables.js'
import { parseProfile, parseReplay, type ReplayPolicy, type TOTPProfile } from '../../core/profile.js'
import { demandsProof } from '../../core/proof/demand.js'
import { usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { proofFields } from '../../core/proof/proof-fields.js'
import { Seed } from '../../core/seed.js'
import { generateCodeOfStep, timeStepAt, verifyCode } from '../../core/totp.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { ClientWarnings } from './client-warnings.js'
import { variable } from './environment.js'
import type { TOTPClientAuthSchemeOptions } from './options.js'
import { proofSettings } from './proof-settings.js'
import { isUnsignable, RequestSigner, type Signable, type SignMode } from './request-signer.js'
import { sleep, StepQueue, type AttemptOptions, type Clock } from './step-queue.js'

export type { TOTPClientAuthSchemeOptions } from './options.js'

/**
 * The second factor on the client's side: adds a fresh code to the headers of its delegate, and signs the request.
 *
 * Use it through `totpFetch`, which sees the whole request, or in code of your own that requests the headers again for
 * each attempt. Stored headers expire within seconds.
 */
export class TOTPClientAuthScheme implements ClientAuthScheme {
  /** How codes are generated and sent. */
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  /** The agent's name; undefined if it is not known. */
  readonly agent: string | undefined
  /** The agent's policy for signed requests; undefined if it is not known. */
  readonly signed: SignedPolicy | undefined
  /** `always` also where the agent's policy asks for it. */
  readonly sign: SignMode
  readonly #signer: RequestSigner | undefined
  readonly #delegate: ClientAuthScheme
  readonly #seed: Seed
  readonly #now: () => Date
  readonly #steps: StepQueue | undefined
  readonly #warnings: ClientWarnings

  /**
   * @throws {TOTPError} `ERR_SEED_MISSING`, `ERR_SEED_INVALID` or `ERR_PROFILE_INVALID` for the seed or profile;
   *   `ERR_CONFIG_INVALID` for an invalid variable, policy, limit or name, or a missing delegate; `ERR_CANNOT_SIGN` if
   *   every request is to be signed and the agent's name is not known. A weak seed is used, with a warning: someone else
   *   issued it.
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
    const fromEnvironment = options.seed === undefined
    const inherited = fromEnvironment ? profileFromVariables(process.env) : {}
    this.profile = parseProfile({ ...inherited, ...options.profile })
    this.#delegate = options.delegate
    this.#seed = typeof given === 'string' ? Seed.fromBase32(given) : given
    this.#now = options.now ?? (() => new Date())
    this.replay = parseReplay(options.replay ?? 'reuse')
    this.#steps = this.replay === 'once' ? stepQueue(this.profile, this.#now, options) : undefined
    const { agent, signed, sign } = proofSettings(options, fromEnvironment)
    this.agent = agent
    this.signed = signed
    this.sign = sign
    const windowKnown = (options.profile?.window ?? inherited.window) !== undefined
    this.#signer =
      agent === undefined || sign === 'never'
        ? undefined
        : new RequestSigner(this.#seed, agent, this.profile, windowKnown)
    this.#warnings = new ClientWarnings(options.onWarning)
    if (!this.#seed.strong) this.#warnings.ofWeakSeed(this.#seed)
  }

  /** Whether requests are signed where they can be: the agent's name is known, and `sign` is not `never`. */
  get signs(): boolean {
    return this.#signer !== undefined
  }

  /**
   * Returns the headers for one attempt to send a request: those of the delegate, the current code, and where the request
   * is signed `Content-Digest`, `Signature-Input` and `Signature`. Call it again for each attempt, including retries and
   * redirects: a proof is accepted once.
   *
   * A request is signed if its binding, method, url and whole body are given and the agent's name is known, unless it has
   * a Content-Encoding, or values other than printable ASCII. Then the body and the headers of the request have to be
   * sent as they were given here, and the three fields replace any others of these names.
   *
   * Under `once` it resolves once there is a time step for this attempt alone; or at once, if it is signed and `signed` is
   * `accept` or `require`.
   *
   * @throws {TOTPError} what the delegate throws; under `once` `ERR_STEP_SPENT` if the wait would exceed `maxWaitMs`;
   *   `ERR_CANNOT_SIGN` for a request that has to be signed and cannot be. An aborted signal rejects with its reason.
   */
  async authorize(
    request: ClientRequest,
    { signal, notBefore }: AttemptOptions = {},
  ): Promise<Record<string, string>> {
    const { header } = this.profile
    const first = Object.entries(await this.#delegate.headers(request))
    const credentials = without(Object.fromEntries(first), [header])
    const signable = await this.#signableOf(request, credentials)
    // The step is taken last: a delegate that fetches a token may take a while, or fail.
    const timeStep = await this.#timeStep({ signal, notBefore }, signable !== undefined)
    const code = generateCodeOfStep(this.#seed, this.profile, timeStep)
    if (!signable || !this.#signer) return { ...credentials, [header]: code }
    const proof = this.#signer.sign(signable, code, this.#now())
    return { ...without(credentials, proofFields), [header]: code, ...proof }
  }

  /** What can be signed of a request; undefined if it is sent unsigned. */
  async #signableOf(
    request: ClientRequest,
    credentials: Readonly<Record<string, string>>,
  ): Promise<Signable | undefined> {
    try {
      return await this.#signer?.prepare(request, credentials)
    } catch (error) {
      if (this.sign === 'auto' && isUnsignable(error)) return undefined
      throw error
    }
  }

  async #timeStep(options: AttemptOptions, signed: boolean): Promise<number> {
    if (!this.#steps) return timeStepAt(this.profile, this.#now())
    return signed && this.#sharesSteps ? this.#steps.share(options) : this.#steps.next(options)
  }

  /** An agent that does not know proofs, or only observes them, counts the codes of signed requests as any others. */
  get #sharesSteps(): boolean {
    return this.signed !== undefined && usesProofs(this.signed)
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
   * It warns, once each, if the agent requires a proof and the request had none, and if the agent does not use the proof
   * that it had. It never signs less.
   *
   * Before repeating a signed request, make sure that it may be repeated: if a proxy sent it twice, the first one may have
   * been accepted, and this refusal is about the second.
   *
   * @param code the code that was sent
   * @param sentAt when it was sent, by the clock of the scheme
   * @param signed whether it was sent with a proof
   */
  retryOf(
    code: string,
    response: Pick<Response, 'status' | 'headers'>,
    sentAt: Date = this.#now(),
    signed = false,
  ): { notBefore: Date } | undefined {
    if (response.status !== 401) return undefined
    this.noticeChallenge(response.headers.get('www-authenticate'), signed)
    const after = response.headers.get('retry-after') ?? ''
    const spent = /^[0-9]{1,6}$/.test(after)
    if (spent && signed && this.#sharesSteps) this.#warnings.ofIgnoredProof(this.signed)
    if (spent && this.replay === 'once')
      return { notBefore: new Date(this.#now().getTime() + Number(after) * 1000) }
    if (spent) this.#warnings.ofOnce(signed)
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
    this.#warnings.ofClock(differenceMs)
  }

  /**
   * Warns, once, if the challenges of a refusal say that the agent requires a proof, and the request had none. For
   * integrations that see answers other than a `Response`.
   *
   * @param challenges the values of WWW-Authenticate, combined
   * @param signed whether the request was sent with a proof
   */
  noticeChallenge(challenges: string | null | undefined, signed: boolean): void {
    if (!signed && demandsProof(challenges)) this.#warnings.ofMissingProof(this)
  }

  /** Whether a code belongs to this seed and to one of the last two past time steps. */
  #isOver(code: string): boolean {
    const verification = verifyCode(this.#seed, { ...this.profile, window: 2 }, code, this.#now())
    return verification.valid && verification.drift < 0
  }
}

/** The headers but those of some names, in any spelling. */
function without(headers: Record<string, string>, names: readonly string[]): Record<string, string> {
  const dropped = names.map((name) => name.toLowerCase())
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.includes(name.toLowerCase())))
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
