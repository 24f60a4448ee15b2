import { clockDifferenceMs } from '../../core/clock-difference.js'
import type { ReplayPolicy, TOTPProfile } from '../../core/profile.js'
import { demandsProof } from '../../core/proof/demand.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import { proofFields } from '../../core/proof/proof-fields.js'
import { generateCodeOfStep, timeStepAt, verifyCode } from '../../core/totp.js'
import { agentIn, type ClientFile } from '../file/client-file.js'
import { FollowedClientFile, namingFile } from '../file/followed-client-file.js'
import { schemeOptionsOf, type ClientFileSchemeOptions } from './client-file-options.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { ClientWarnings } from './client-warnings.js'
import type { TOTPClientAuthSchemeOptions } from './options.js'
import type { SignMode } from './request-signer.js'
import { schemeSettings, sharesSteps, signableOf, type SchemeSettings } from './settings.js'
import type { AttemptOptions } from './step-queue.js'

export type { TOTPClientAuthSchemeOptions } from './options.js'

/**
 * The second factor on the client's side: adds a fresh code to the headers of its delegate, and signs the request.
 *
 * Use it through `totpFetch`, which sees the whole request, or in code of your own that requests the headers again for
 * each attempt. Stored headers expire within seconds.
 */
export class TOTPClientAuthScheme implements ClientAuthScheme {
  readonly #now: () => Date
  readonly #warnings: ClientWarnings
  #settings: SchemeSettings
  #file: FollowedClientFile | undefined

  /**
   * @throws {TOTPError} `ERR_SEED_MISSING`, `ERR_SEED_INVALID` or `ERR_PROFILE_INVALID` for the seed or profile;
   *   `ERR_CONFIG_INVALID` for an invalid variable, policy, limit or name, or a missing delegate; `ERR_CANNOT_SIGN` if
   *   every request is to be signed and the agent's name is not known. A weak seed is used, with a warning: someone else
   *   issued it.
   */
  constructor(options: TOTPClientAuthSchemeOptions) {
    this.#now = options.now ?? (() => new Date())
    this.#settings = schemeSettings(options, this.#now)
    this.#warnings = new ClientWarnings(options.onWarning)
    this.#warnOfWeakSeed()
  }

  /**
   * Makes a scheme of a client file, as `a2a-totp config client NAME --format json` prints it: token, seed, profile, the
   * agent's name and its policies. It follows the file: a change is in force within a second, and requests already on
   * their way keep what they have. A file that cannot be used is a warning, and the credentials before it stay in force.
   * {@link close} stops that; it keeps no process alive.
   *
   * @param options the agent where the file has several, and what a file does not say
   * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` with the path of the bad field, or if the file does
   *   not have that agent, or has several and none is named; and what the constructor throws
   */
  static fromFile(path: string, options: ClientFileSchemeOptions = {}): TOTPClientAuthScheme {
    const file = new FollowedClientFile(path)
    const optionsIn = (content: ClientFile): TOTPClientAuthSchemeOptions =>
      schemeOptionsOf(agentIn(content, options.agent), options)
    const warn = (message: string): void => scheme.#warnings.ofFile(message)
    const exposed: string[] = []
    const first = file.read({ exposed: (message) => void exposed.push(message) })
    const scheme = new TOTPClientAuthScheme(namingFile(path, () => optionsIn(first)))
    exposed.forEach(warn)
    scheme.#file = file
    file.follow({
      exposed: warn,
      changed: (content) => scheme.use(optionsIn(content)),
      failed: ({ message }) => warn(`${message} (the credentials before it stay in force)`),
    })
    return scheme
  }

  /**
   * Replaces the credentials, the profile and the policies, for those who keep them elsewhere than in a client file.
   * Requests on their way keep what they have. Under `once` a seed that stays keeps its queue, so that no time step is used
   * twice. `now` and `onWarning` stay those of the constructor.
   *
   * @throws {TOTPError} as the constructor; then nothing has changed
   */
  use(options: TOTPClientAuthSchemeOptions): void {
    this.#settings = schemeSettings(options, this.#now, this.#settings)
    this.#warnOfWeakSeed()
  }

  /** Stops following the client file. What was read stays in force. */
  close(): void {
    this.#file?.stop()
  }

  /** How codes are generated and sent. */
  get profile(): TOTPProfile {
    return this.#settings.profile
  }

  get replay(): ReplayPolicy {
    return this.#settings.replay
  }

  /** The agent's name; undefined if it is not known. */
  get agent(): string | undefined {
    return this.#settings.agent
  }

  /** The agent's policy for signed requests; undefined if it is not known. */
  get signed(): SignedPolicy | undefined {
    return this.#settings.signed
  }

  /** `always` also where the agent's policy asks for it. */
  get sign(): SignMode {
    return this.#settings.sign
  }

  /** Whether requests are signed where they can be: the agent's name is known, and `sign` is not `never`. */
  get signs(): boolean {
    return this.#settings.signer !== undefined
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
    const settings = this.#settings
    const { header } = settings.profile
    const first = Object.entries(await settings.delegate.headers(request))
    const credentials = without(Object.fromEntries(first), [header])
    const signable = await signableOf(settings, request, credentials)
    // The step is taken last: a delegate that fetches a token may take a while, or fail.
    const timeStep = await this.#timeStep(settings, { signal, notBefore }, signable !== undefined)
    const code = generateCodeOfStep(settings.seed, settings.profile, timeStep)
    if (!signable || !settings.signer) return { ...credentials, [header]: code }
    const proof = settings.signer.sign(signable, code, this.#now())
    return { ...without(credentials, proofFields), [header]: code, ...proof }
  }

  async #timeStep(settings: SchemeSettings, options: AttemptOptions, signed: boolean): Promise<number> {
    const { steps, profile } = settings
    if (!steps) return timeStepAt(profile, this.#now())
    return signed && sharesSteps(settings) ? steps.share(options) : steps.next(options)
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
    if (spent && signed && sharesSteps(this.#settings)) this.#warnings.ofIgnoredProof(this.signed)
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
    const { seed, profile } = this.#settings
    const verification = verifyCode(seed, { ...profile, window: 2 }, code, this.#now())
    return verification.valid && verification.drift < 0
  }

  #warnOfWeakSeed(): void {
    const { seed } = this.#settings
    if (!seed.strong) this.#warnings.ofWeakSeed(seed)
  }
}

/** The headers but those of some names, in any spelling. */
function without(headers: Record<string, string>, names: readonly string[]): Record<string, string> {
  const dropped = names.map((name) => name.toLowerCase())
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.includes(name.toLowerCase())))
}
