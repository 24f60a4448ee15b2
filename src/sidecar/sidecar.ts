import type { ErrorCode } from '../core/errors.js'
import type { AuthEvent, ServerFileEvent } from '../server/scheme/events.js'
import type { ShownProof } from '../server/scheme/shown-proof.js'
import type { LoggedCall } from '../service/call-log.js'

/** What one of a sidecar's listeners is for. */
export type ListenerRole = 'proxy' | 'gate' | 'authz' | 'authz-grpc' | 'admin'

/** A listener, as it is printed once a sidecar is ready. Contains no secret. */
export interface ListenerInfo {
  readonly role: ListenerRole
  /** With the actual port; `unix:PATH` for a socket. Without the path segment of `--local-auth url`. */
  readonly url: string
  /** The agent's name; empty if it is not known. */
  readonly agent: string
  /** The peer as which a proxy calls. */
  readonly peer?: string
}

/** A sidecar that is running. */
export interface Sidecar {
  readonly listeners: readonly ListenerInfo[]
  /** Reads its files anew, on SIGHUP. What cannot be read is an event, and the last good files stay in force. */
  reload(): Promise<void> | void
  /**
   * Accepts nothing new, from now on. Resolves once the last call has ended, or after `ms` milliseconds, when what is left
   * is cut off; everything is closed then.
   */
  drain(ms: number): Promise<void>
  /** Ends every call and frees the ports, at once. */
  close(): Promise<void>
}

/** Why a sidecar itself refused a call, before any guard did. */
export const ownRefusals = [
  /** 400: framing, target or fields that two servers could read differently. */
  'bad-request',
  /** 403: what only a browser sends, or a Host that is not ours. */
  'browser',
  /** 401: without the token of `--local-auth`, or of `--authz-token-file`. */
  'local-auth',
  /** 404: nothing is served there. */
  'not-found',
  /** 413: it has to be signed, and is too large. */
  'too-large',
  /** 503: more requests wait for a step than may. */
  'queue-full',
  /** 503: its turn would not come in time. */
  'queue-wait',
  /** 503: the agent refused these credentials several times. */
  'breaker-open',
  /** 503: there are no credentials to call with. */
  'no-credentials',
] as const

/** Why a sidecar itself answered a call, or cut it off. Each one is a label of a metric, so the list is closed. */
export const ownReasons = [
  ...ownRefusals,
  /** 502: the server behind cannot be connected to. */
  'upstream-unreachable',
  /** The connection to the server behind ended before the answer did. */
  'upstream-cut',
  /** 504: no answer in time. */
  'upstream-slow',
  /** 502: what the server behind answered is not passed on, such as a redirect to another host. */
  'upstream-answer',
  /** The caller's credentials ended before the answer did. */
  'credentials-ended',
  /** The client left before the answer had ended. */
  'client-left',
] as const

export type OwnReason = (typeof ownReasons)[number]

/** One finished call of a sidecar. Contains no secret. */
export interface SidecarCall extends LoggedCall {
  readonly role: Exclude<ListenerRole, 'admin'>
  /** For a proxy, the agent that the call was for. */
  readonly agent?: string
  /** For a proxy, the peer as which it was passed on, whatever the agent answered. */
  readonly peer?: string
  /** Where it came from: an address without port, or what `--trust-proxy` makes it. Anything, so it is made printable. */
  readonly source?: string
  /** At a gate, what let it in; at a proxy, how it was passed on. */
  readonly proof?: 'valid' | 'invalid' | 'absent' | 'signed' | 'signed-head' | 'plain'
  /** For a gate, what its proof was worth, whatever let it in: as the event of the decision says. */
  readonly shown?: ShownProof
  /** Undefined if the answer is that of the server behind, whole. */
  readonly own?: OwnReason
  /** How long the guard took, in milliseconds with fractions. */
  readonly decisionMs?: number
  /** From the request's head on its way to the head of the answer, in milliseconds with fractions. */
  readonly upstreamMs?: number
  /** How long the call waited for a step of its own, in milliseconds. */
  readonly waitedMs?: number
}

/** What happened to a sidecar. Contains no secret. */
export type SidecarEvent = { readonly at: Date } & (
  | {
      /** A changed client file is in force, or the credentials of the start are. */
      readonly type: 'credentials_loaded'
      readonly agent: string
      readonly peer: string
    }
  | {
      /** A changed client file is broken or missing; the last good credentials stay in force. */
      readonly type: 'credentials_refused'
      readonly agent: string
      readonly code: ErrorCode
      readonly message: string
    }
  | {
      /** The agent refused codes of several steps in a row: nothing goes out until the credentials change. */
      readonly type: 'breaker_opened'
      readonly agent: string
      readonly peer: string
      /** What to do. */
      readonly advice: string
    }
  | { readonly type: 'breaker_closed'; readonly agent: string; readonly peer: string }
  | {
      /** Something about the agent's card that its operator should know, such as dropped signatures. */
      readonly type: 'card_remark'
      readonly agent: string
      readonly message: string
    }
  | {
      /** The server behind stopped answering. Once, until it answers again. */
      readonly type: 'upstream_down'
      readonly agent: string
      readonly message: string
    }
  | { readonly type: 'upstream_up'; readonly agent: string }
  | {
      /** The clock of the server behind, by the Date of its answers. */
      readonly type: 'clock_differs'
      readonly agent: string
      /** Positive if it is ahead of this one. */
      readonly seconds: number
    }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'listening'; readonly listener: ListenerInfo }
  | {
      /** `reloading`: it was asked to read its files anew; what becomes of each is another event. */
      readonly type: 'reloading' | 'draining' | 'stopped'
    }
)

/** Receives what happens. Never throws, and never keeps anybody waiting. */
export interface Observer {
  /** A call is over. */
  call(call: SidecarCall): void
  event(event: AuthEvent | ServerFileEvent | SidecarEvent): void
  /** A call that is passed on has begun: it is open until the function that is returned is called. */
  opened(role: SidecarCall['role']): () => void
}
