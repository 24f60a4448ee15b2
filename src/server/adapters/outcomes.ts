import { asObject, isObject } from '../../core/json.js'
import type { AuthOutcome, Caller } from '../scheme/outcome.js'
import { schemeFailed, type Refusal } from '../scheme/refusal.js'
import type { AuthRequest } from '../scheme/request.js'
import type { TOTPServerAuthScheme } from '../scheme/scheme.js'

/** One scheme's outcome for one request. */
interface Entry {
  readonly scheme: TOTPServerAuthScheme
  readonly pending: Promise<AuthOutcome>
  /** Set when `pending` is settled, or earlier if the content of the request was refused by then. */
  outcome?: AuthOutcome
}

/**
 * Entries by the request's own object, which nothing that a client sends can name, in the order in which the schemes
 * were asked. They are dropped with their request.
 */
const entriesOf = new WeakMap<object, Entry[]>()

/**
 * Asks the scheme about a request and keeps the outcome.
 *
 * Each scheme decides about a request once, however many of its guards the request meets: under `once`, asking again
 * would be a replay. It never rejects: it fails closed, and without the error's text, even where the scheme itself is
 * broken.
 *
 * @param key the request's own object, under which {@link outcomeOf} finds the outcome
 */
export async function decide(
  scheme: TOTPServerAuthScheme,
  key: object,
  request: () => AuthRequest,
): Promise<AuthOutcome> {
  const entries = entriesOf.get(key) ?? []
  const known = entries.find((entry) => entry.scheme === scheme)
  if (known) return known.outcome ?? known.pending
  const entry: Entry = { scheme, pending: authenticate(scheme, request) }
  entriesOf.set(key, [...entries, entry])
  const outcome = await entry.pending
  return (entry.outcome ??= outcome)
}

/**
 * Keeps that a request was refused after its caller was let in: its content turned out to be another one. Whoever asks
 * from now on hears of no caller.
 */
export function amend(scheme: TOTPServerAuthScheme, key: object, refusal: Refusal): void {
  const entry = entriesOf.get(key)?.find((one) => one.scheme === scheme)
  if (entry) entry.outcome = { refusal }
}

/** Finds the outcomes of a request under another object as well, which stands for it. */
export function alsoUnder(key: object, other: object): void {
  const entries = entriesOf.get(key)
  if (entries) entriesOf.set(other, entries)
}

async function authenticate(scheme: TOTPServerAuthScheme, request: () => AuthRequest): Promise<AuthOutcome> {
  try {
    const outcome: unknown = await scheme.authenticate(request())
    return isOutcome(outcome) ? outcome : { refusal: schemeFailed }
  } catch {
    return { refusal: schemeFailed }
  }
}

/** A scheme that was wrapped or replaced in plain JavaScript can return anything. */
function isOutcome(value: unknown): value is AuthOutcome {
  const { caller, refusal } = asObject(value)
  return refusal === undefined ? typeof asObject(caller)['peer'] === 'string' : !caller && isObject(refusal)
}

/**
 * Asks the scheme about a request, and calls `answer` with the outcome in a microtask of its own: an error behind the
 * guard is then an uncaught exception, as without a guard, and not a rejection of the guard's promise.
 *
 * @param key see {@link decide}
 */
export function decideThen(
  scheme: TOTPServerAuthScheme,
  key: object,
  request: () => AuthRequest,
  answer: (outcome: AuthOutcome) => void,
): void {
  void decide(scheme, key, request).then((outcome) => queueMicrotask(() => answer(outcome)))
}

/**
 * The caller of a request that a guard let pass.
 *
 * @param scheme whose guard it was; by default the last that decided
 * @returns undefined for a request that was refused, or met no such guard. A request with a proof is also refused when its
 *   content turns out to be another one, which may be seen only when all of it has come.
 */
export function callerOf(request: object, scheme?: TOTPServerAuthScheme): Caller | undefined {
  return outcomeOf(request, scheme)?.caller
}

/**
 * The outcome of a request, for logs.
 *
 * @param scheme whose outcome it is; by default that of the last scheme that decided
 * @returns undefined for a request that met no such guard
 */
export function outcomeOf(request: object, scheme?: TOTPServerAuthScheme): AuthOutcome | undefined {
  const entries = entriesOf.get(request) ?? []
  return entries.findLast((entry) => entry.outcome && (!scheme || entry.scheme === scheme))?.outcome
}
