import type { Failure } from '../../state/failure.js'
import { sourceKey } from '../../state/source.js'
import { StrangerLimit, type StrangerLimitOptions } from '../../state/stranger-limit.js'
import type { FirstFactor, NoOwner, TokenOwner } from './first-factor.js'
import type { AuthOutcome } from './outcome.js'
import { sourceOf, type AuthRequest } from './request.js'
import { SeenTokens } from './seen-tokens.js'

const tooManyChecks: Failure = {
  cause: 'overload',
  advice: 'too many new tokens of one source wait for the delegate: is it slow, or is somebody flooding it?',
}

/** How long a token waits for its check while as many unknown ones of its source are checked as the limit allows. */
const longestWaitMs = 2000

/**
 * Stands between requests and the delegate, and limits requests with unknown tokens per source. For a source over its
 * limit the delegate is only asked about tokens that it merely looks up, and about those with which a peer was let in
 * before. Those are still checked in full each time.
 */
export class StrangerGate {
  readonly #limit: StrangerLimit
  readonly #seen = new SeenTokens()
  readonly #checks = new Map<string, Checks>()

  /** @throws {TOTPError} `ERR_CONFIG_INVALID`, see {@link StrangerLimit}. */
  constructor(options?: StrangerLimitOptions) {
    this.#limit = new StrangerLimit(options)
  }

  /**
   * Asks the first factor whose token it is, and counts a token that belongs to no peer.
   *
   * @param adjust what the answer is taken for
   */
  identify(
    firstFactor: FirstFactor,
    token: string | undefined,
    tokenHash: string,
    request: Pick<AuthRequest, 'source'>,
    at: Date,
    adjust: (owner: TokenOwner) => TokenOwner = (owner) => owner,
  ): TokenOwner | Promise<TokenOwner> {
    if (token === undefined) return { reason: 'token-refused' }
    const counted = (given: TokenOwner): TokenOwner => {
      const owner = adjust(given)
      return owner.peer ? owner : this.#counted(owner, firstFactor, tokenHash, sourceOf(request) ?? '', at)
    }
    if (firstFactor.mayAlwaysAsk(tokenHash) || this.#seen.has(tokenHash)) {
      const owner = firstFactor.identify(token, tokenHash, at)
      return owner instanceof Promise ? owner.then(counted) : counted(owner)
    }
    const ask = async (): Promise<TokenOwner> => counted(await firstFactor.identify(token, tokenHash, at))
    return this.#inTurn(sourceKey(sourceOf(request) ?? ''), at, ask)
  }

  /** Remembers the token with which a peer was let in. */
  remember({ caller }: AuthOutcome, firstFactor: FirstFactor, tokenHash: string): void {
    if (caller && !firstFactor.mayAlwaysAsk(tokenHash)) this.#seen.remember(tokenHash, caller.peer)
  }

  #counted(owner: NoOwner, firstFactor: FirstFactor, tokenHash: string, source: string, at: Date): NoOwner {
    const { reason } = owner
    // A token that had to be verified costs as much if it is good and of no peer here.
    const isStranger =
      reason === 'token-refused' || (reason === 'peer-unknown' && !firstFactor.mayAlwaysAsk(tokenHash))
    if (!isStranger) return owner
    // If it was seen before, it has expired or was revoked.
    this.#seen.forget(tokenHash)
    const retryAfter = this.#limit.count(source, at)
    return retryAfter === 0 ? owner : { reason: 'strangers-exhausted', retryAfter }
  }

  /** Runs a check once the source has room for one more stranger, so that no more are checked than the limit allows. */
  async #inTurn(source: string, at: Date, check: () => Promise<TokenOwner>): Promise<TokenOwner> {
    const checks = this.#checks.get(source) ?? new Checks()
    this.#checks.set(source, checks)
    checks.users++
    try {
      return (await this.#waitForTurn(checks, source, at)) ?? (await checks.run(check))
    } finally {
      checks.wakeNext()
      if (--checks.users === 0) this.#checks.delete(source)
    }
  }

  /** Waits for a turn and takes it. Returns why there is none, if so. */
  async #waitForTurn(checks: Checks, source: string, at: Date): Promise<NoOwner | undefined> {
    const deadline = performance.now() + longestWaitMs
    for (;;) {
      const room = this.#limit.room(source, at)
      if (room === 0) return { reason: 'strangers-exhausted', retryAfter: this.#limit.count(source, at) }
      if (checks.take(room)) return undefined
      const left = deadline - performance.now()
      // The delegate fails or is slow: anything else makes room, or exhausts it.
      if (left <= 0) return { reason: 'delegate-failed', failure: tooManyChecks }
      await checks.nextEnd(left)
    }
  }
}

/** The checks of one source that are under way, and those that wait for their turn, the first one first. */
class Checks {
  /** How many run or wait. */
  users = 0
  #running = 0
  readonly #waiting = new Set<() => void>()

  /** Takes a turn for {@link run}, if there is room for one more. */
  take(room: number): boolean {
    if (this.#running >= room) return false
    this.#running++
    return true
  }

  async run<T>(check: () => Promise<T>): Promise<T> {
    // There may be room for more than one.
    this.wakeNext()
    try {
      return await check()
    } finally {
      this.#running--
    }
  }

  nextEnd(ms: number): Promise<void> {
    return new Promise((done) => {
      const proceed = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(proceed)
        done()
      }
      const timer = setTimeout(proceed, ms)
      this.#waiting.add(proceed)
    })
  }

  wakeNext(): void {
    const [next] = this.#waiting
    next?.()
  }
}
