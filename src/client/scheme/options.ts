import type { ReplayPolicy, TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'
import type { Seed } from '../../core/seed.js'
import type { ClientAuthScheme } from './client-auth-scheme.js'
import type { SignMode } from './request-signer.js'
import type { Clock, Wait } from './step-queue.js'

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
   * The agent's name in its store, which a proof is made for. If the seed comes from the environment, `$A2A_TOTP_AGENT`
   * by default; beside a seed that is given, that variable may be about another agent.
   */
  readonly agent?: string
  /**
   * Whether requests are signed. `auto`, the default: those whose whole body is at hand, if the agent's name is known.
   * `always`: any other request is an error, `ERR_CANNOT_SIGN`. `never`: none.
   */
  readonly sign?: SignMode
  /**
   * The agent's policy for signed requests, as far as it is known. `require` turns `sign: 'auto'` into `always`. If the
   * seed comes from the environment, `$A2A_TOTP_SIGNED` by default.
   */
  readonly signed?: SignedPolicy
  /**
   * The agent's replay policy, `reuse` by default. Under `once` this scheme never uses a time step twice: a request
   * waits for the next step, behind earlier requests. Signed requests share a step if `signed` is `accept` or `require`.
   */
  readonly replay?: ReplayPolicy
  /** How many milliseconds a request may wait under `once`; by default one period plus one second. */
  readonly maxWaitMs?: number
  /** How many requests may wait at a time under `once`; by default any number. One more is an error at once, `ERR_STEP_SPENT`. */
  readonly maxQueued?: number
  /** Called when a request has to wait (policy `once`). */
  readonly onWait?: (wait: Wait) => void
  readonly now?: Clock['now']
  /** Waits, for clocks other than the real one. */
  readonly sleep?: Clock['sleep']
  /**
   * Called for a weak seed, and at most once each for an agent whose policy is `once` although `replay` is not, for a
   * clock that differs from that of an agent that refuses, for an agent that requires a proof where there was none, and
   * for one that does not use proofs although `signed` says so; by default `process.emitWarning`. Messages never contain
   * a secret.
   */
  readonly onWarning?: (message: string) => void
}
