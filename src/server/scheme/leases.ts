import { TOTPError } from '../../core/errors.js'
import { quoteName } from '../../core/name.js'
import type { Seed } from '../../core/seed.js'

/** What a caller was let in with, and until when both credentials are valid. */
export interface Grant {
  readonly peer: string
  /** The hash of the token. */
  readonly tokenHash: string
  /** When the token ends according to its delegate, in milliseconds; Infinity if it did not say. */
  readonly tokenEndsAt: number
  readonly seed: Seed | undefined
  /** When the first of the two ends, in milliseconds: Infinity for never, -Infinity once one of them was withdrawn. */
  endsAt: number
  /** The rules that `endsAt` comes from. */
  rules: object
}

/** The rules that are in force, as far as they concern callers that were let in before. */
export interface LeaseRules {
  /** Stands for these rules in a {@link Grant}, which must not keep replaced rules in memory. */
  readonly mark: object
  /** Returns when a grant ends under these rules, as in {@link Grant.endsAt}. */
  endOf(grant: Grant): number
}

/** Something that ends with the credentials of its caller: an open stream, a signal. */
export interface Tied {
  end(reason: TOTPError): void
  /** Whether nobody is left to notice an end. */
  isOver(): boolean
}

/**
 * How long the clock is not looked at, in milliseconds. It may be set, and it goes on while the machine sleeps; neither
 * moves a timer, and no timer can wait longer than 2^31 ms.
 */
const longestWait = 1000

/** Ends that are closer together are handled together: each takes a look at everything that is tied. */
const shortestWait = 25

/**
 * Everything that is open and has to end once its caller's credentials do: because they expire, or because a changed
 * server file no longer has them. One for each scheme, with one timer, which runs only while something open can expire,
 * and keeps no process alive.
 */
export class Leases {
  readonly #now: () => Date
  #rules: LeaseRules
  readonly #tied = new Map<Tied, Grant>()
  /** Above this size, what is over is dropped: not all that was tied is released, so memory must not depend on it. */
  #sizeToPurge = 1024
  /** When the first of them ends, or earlier. */
  #firstEnd = Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(rules: LeaseRules, now: () => Date) {
    this.#rules = rules
    this.#now = now
  }

  /** Ends it as soon as the grant ends, at once if it already has. {@link release} it when it is over. */
  tie(tied: Tied, grant: Grant): void {
    if (grant.rules !== this.#rules.mark) this.#renew(grant)
    if (grant.endsAt !== Infinity) {
      if (grant.endsAt <= this.#now().getTime()) {
        end(tied, grant)
        return
      }
      if (grant.endsAt < this.#firstEnd) this.#wakeFor(grant.endsAt)
    }
    this.#tied.set(tied, grant)
    if (this.#tied.size > this.#sizeToPurge) this.#purge()
  }

  release(tied: Tied): void {
    this.#tied.delete(tied)
  }

  /** Puts changed rules in force, and ends what they no longer allow. */
  review(rules: LeaseRules): void {
    this.#rules = rules
    this.#purge()
    for (const grant of this.#tied.values()) this.#renew(grant)
    this.#endWhatIsDue()
  }

  #renew(grant: Grant): void {
    grant.endsAt = this.#rules.endOf(grant)
    grant.rules = this.#rules.mark
  }

  #purge(): void {
    for (const tied of this.#tied.keys()) if (tied.isOver()) this.#tied.delete(tied)
    this.#sizeToPurge = Math.max(1024, 2 * this.#tied.size)
  }

  #endWhatIsDue(): void {
    const now = this.#now().getTime()
    let firstEnd = Infinity
    for (const [tied, grant] of this.#tied) {
      if (grant.endsAt <= now) {
        this.#tied.delete(tied)
        end(tied, grant)
      } else if (grant.endsAt < firstEnd) firstEnd = grant.endsAt
    }
    this.#wakeFor(firstEnd)
  }

  #wakeFor(firstEnd: number): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#firstEnd = firstEnd
    if (firstEnd === Infinity) return
    const wait = Math.min(Math.max(firstEnd - this.#now().getTime(), shortestWait), longestWait)
    this.#timer = setTimeout(() => {
      if (this.#tied.size === 0) this.#wakeFor(Infinity)
      else if (this.#now().getTime() < this.#firstEnd) this.#wakeFor(this.#firstEnd)
      else this.#endWhatIsDue()
    }, wait).unref()
  }
}

/** Its errors must not keep the others from ending. */
function end(tied: Tied, grant: Grant): void {
  try {
    tied.end(reasonOf(grant))
  } catch {
    // There is nobody to tell.
  }
}

function reasonOf({ peer, endsAt }: Grant): TOTPError {
  const peerName = quoteName(peer)
  return endsAt === -Infinity
    ? new TOTPError(
        'ERR_CREDENTIAL_REVOKED',
        `the token or seed that ${peerName} used was revoked; send a new request with its current ones`,
      )
    : new TOTPError(
        'ERR_CREDENTIAL_EXPIRED',
        `the token or seed that ${peerName} used has expired; send a new request with its current ones`,
      )
}
