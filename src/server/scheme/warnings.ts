import { quoteName } from '../../core/name.js'
import { printable } from '../../core/text.js'
import type { AuthEvent, ServerFileEvent } from './events.js'

type Event = AuthEvent | ServerFileEvent
type EventOf<T extends Event['type'], E = Event> = E extends { readonly type: infer Types }
  ? T extends Types
    ? E
    : never
  : never

/** A process warning about an event. */
interface Warning {
  /** Stable: what `process.on('warning')` finds as `code`. */
  readonly code: string
  readonly message: string
  /** At most one a minute of the same key, with a count of the others; without a key, each one. */
  readonly key?: string
}

/**
 * What should wake somebody, one line a type: the warning about it, or undefined if the event is none. All other types
 * are for those who listen.
 */
const wakes: { readonly [T in Event['type']]?: (event: EventOf<T>) => Warning | undefined } = {
  canary_used: ({ type, canary, source = 'an unknown address' }) => ({
    code: type,
    key: `${type} ${canary}`,
    message: `the token of canary ${quoteName(canary)} was sent from ${inBrackets(source)}: the place where it is planted was read`,
  }),
  clock_jumped: ({ type, peer, drifts }) => ({
    code: type,
    message: `two codes of ${quoteName(peer)} cannot come from one clock (drifts ${drifts.join(' and ')}): is its seed on a second machine?`,
  }),
  code_from_two_sources: ({ type, peer, sources }) => ({
    code: type,
    key: `${type} ${peer}`,
    message: `a code of ${quoteName(peer)} came from ${sources.map(inBrackets).join(' and then from ')}: somebody captured it`,
  }),
  refused: failed,
  server_file_exposed: ({ type, message }) => ({ code: type, message }),
  server_file_loaded: ({ type, path, serial, older }) =>
    older && {
      code: type,
      message: `server file ${path} is an older one (serial ${serial}); what was revoked since is valid again`,
    },
  server_file_refused: ({ type, message }) => ({ code: type, message }),
  token_compromise_suspected: ({ type, advice }) => ({ code: type, message: advice }),
}

/** An IPv6 address as in a URL, so that its colons are part of it. */
function inBrackets(source: string): string {
  return source.includes(':') ? `[${source}]` : source
}

const unasked: Readonly<Record<string, string>> = {
  'guard-failed': 'the state',
  'delegate-failed': 'the delegate, which checks tokens,',
}

/** Requests that are refused because something cannot be asked: an outage, with as many events as requests. */
function failed({ reason, cause = 'unknown', advice = '' }: EventOf<'refused'>): Warning | undefined {
  if (reason === 'nonces-full') {
    const message =
      'signed requests are answered 503, because no more nonces can be remembered: does a peer send far more than it should?'
    return { code: reason, message, key: reason }
  }
  if (cause === 'content-unseen') {
    const message = `signed requests are answered 503, because their content cannot be compared (${cause}): ${advice}`
    return { code: reason, message, key: `${reason} ${cause}` }
  }
  const what = unasked[reason]
  if (what === undefined) return undefined
  const message = `${what} cannot be asked, so requests are answered 503 (${cause}): ${advice}`
  return { code: reason, message, key: `${reason} ${cause}` }
}

const quietMs = 60_000

/** Warnings of one key. */
interface Repeated {
  /** When the last one was written. */
  writtenAt: number
  /** How many were not, since then. */
  withheld: number
  timer: NodeJS.Timeout | undefined
}

/** An event that should wake somebody. */
export interface Alarm {
  readonly event: Event
  /** Stable: the event's type, or the reason of the refusals that it stands for. */
  readonly code: string
  /** What happened and what to do, in {@link printable} text. */
  readonly message: string
}

/**
 * Calls `raise` for what should wake somebody. A failure that goes on is one alarm a minute with a count, also in an outage
 * at a thousand requests a second; keys are causes of a known list, and names of peers and canaries, so they are few.
 *
 * @returns a listener, which returns whether the event is such an alarm, be it raised or counted
 */
export function alarmListener(raise: (alarm: Alarm) => void): (event: Event) => boolean {
  const repeated = new Map<string, Repeated>()

  const warn = (event: Event, { code, message }: Warning, withheld: number): void => {
    const more = withheld > 0 ? ` (${withheld} more since the last warning)` : ''
    // The event's texts are harmless each by itself, but an address among words is not.
    raise({ event, code, message: printable(`${message}${more}`) })
  }

  return (event) => {
    const warning = (wakes[event.type] as ((event: Event) => Warning | undefined) | undefined)?.(event)
    if (!warning) return false
    const { key } = warning
    if (key === undefined) {
      warn(event, warning, 0)
      return true
    }
    const now = event.at.getTime()
    const before = repeated.get(key)
    // Either way, for a clock that was put back.
    if (before && Math.abs(now - before.writtenAt) < quietMs) {
      before.withheld++
      // So that the count is also said where the failure ends within the minute. It keeps no process alive.
      before.timer ??= setTimeout(() => {
        const withheld = before.withheld
        Object.assign(before, { writtenAt: before.writtenAt + quietMs, withheld: 0, timer: undefined })
        warn(event, warning, withheld - 1)
      }, quietMs).unref()
      return true
    }
    clearTimeout(before?.timer)
    repeated.set(key, { writtenAt: now, withheld: 0, timer: undefined })
    warn(event, warning, before?.withheld ?? 0)
    return true
  }
}

/** The listener of a scheme that was given none: an alarm becomes a process warning of type `TOTPWarning`. */
export function warningListener(): (event: Event) => void {
  return alarmListener(({ code, message }) => process.emitWarning(message, { type: 'TOTPWarning', code }))
}
