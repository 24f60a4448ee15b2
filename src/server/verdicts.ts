import type { AuthOutcome, Caller, TOTPServerAuthScheme } from './totp-server-auth-scheme.js'

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

export function keepVerdict(request: object, verdict: Verdict): void {
  verdicts.set(request, verdict)
}

export function verdictOn(request: object): Verdict | undefined {
  return verdicts.get(request)
}

/** Who made a request that a guard let pass; nobody when it was refused or met no guard. */
export function callerOf(request: object): Caller | undefined {
  return verdicts.get(request)?.outcome.caller
}

/** Which answer a guard gave, or none when the request met no guard: for logs. */
export function outcomeOf(request: object): AuthOutcome | undefined {
  return verdicts.get(request)?.outcome
}
