import { isPending } from '../scheme/pending.js'
import { refuse } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'
import {
  answerOf,
  type AuthOutcome,
  type Caller,
  type TOTPServerAuthScheme,
} from '../scheme/totp-server-auth-scheme.js'

/** What a guard found out about one request. */
interface Verdict {
  readonly scheme: TOTPServerAuthScheme
  readonly outcome: AuthOutcome
}

/**
 * Verdicts by the request's own object, which nothing that a client sends can name. A verdict goes when its
 * request does.
 */
const verdicts = new WeakMap<object, Verdict>()

/**
 * Asks the scheme about a request and keeps its verdict. A request that the same scheme let pass before is not
 * asked about again: under `once` it would be a replay of itself.
 *
 * Fails closed, and without the error's text, even where the scheme itself is broken.
 *
 * @param key the request's own object, under which {@link callerOf} finds the verdict
 */
export function decide(
  scheme: TOTPServerAuthScheme,
  key: object,
  request: () => AuthRequest,
): AuthOutcome | Promise<AuthOutcome> {
  const before = verdicts.get(key)
  if (before?.scheme === scheme && before.outcome.caller) return before.outcome
  const keep = (outcome: AuthOutcome): AuthOutcome => {
    verdicts.set(key, { scheme, outcome })
    return outcome
  }
  const fail = (): AuthOutcome =>
    keep({ refusal: refuse('unavailable', { reason: 'guard-failed' }, scheme.profile.header, true) })
  try {
    const answer = answerOf(scheme, request())
    return isPending(answer) ? Promise.resolve(answer).then(keep, fail) : keep(answer)
  } catch {
    return fail()
  }
}

/** Who made a request that a guard let pass; nobody when it was refused or met no guard. */
export function callerOf(request: object): Caller | undefined {
  return verdicts.get(request)?.outcome.caller
}

/** Which answer a guard gave, or none when the request met no guard: for logs. */
export function outcomeOf(request: object): AuthOutcome | undefined {
  return verdicts.get(request)?.outcome
}
