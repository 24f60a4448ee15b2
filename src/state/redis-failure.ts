import { TOTPError } from '../core/errors.js'
import { decideScript } from './decide-script.js'
import { findFailure, timedOut, type Failure } from './failure.js'
import { takeBackScript } from './take-back-script.js'

/** The error of a state that cannot answer. */
class StateUnavailableError extends TOTPError {
  constructor(
    what: string,
    readonly failure: Failure,
    cause?: unknown,
  ) {
    super('ERR_STATE_UNAVAILABLE', `${what} (${failure.cause}): ${failure.advice}`, { cause })
  }
}

export function unavailable(failure: Failure, cause?: unknown): TOTPError {
  return new StateUnavailableError('Redis cannot answer', failure, cause)
}

/** The script returned something that it never returns. */
export class UnexpectedReplyError extends Error {
  constructor() {
    super('the script returned something unexpected')
  }
}

/** What Redis and Valkey begin an error with, and what to do about it. */
const replies: Readonly<Record<string, string>> = {
  BUSY: 'another script has been running for too long; end it with SCRIPT KILL',
  CLUSTERDOWN: 'the cluster does not serve the slot of the keys; check it with CLUSTER INFO',
  CROSSSLOT:
    'the keys are on several nodes; keep the braces of the prefix, and set no keyPrefix in the client',
  DENIED: 'Redis runs in protected mode; give it a password, or bind it to an address of its own',
  LOADING: 'Redis is loading its data; it answers when it has finished',
  MASTERDOWN: 'this replica has lost its primary; connect to the primary',
  MISCONF: 'Redis cannot save to disk and refuses to write; free the disk, or change its persistence',
  MOVED: 'Redis is a node of a cluster; connect with a cluster client',
  NOAUTH: 'Redis wants a password; set the right one in the client',
  NOPERM: 'Redis refuses the script: its user needs PERMISSIONS, and the keys KEYS',
  NOREPLICAS: 'Redis has fewer replicas than min-replicas-to-write; start them, or lower it',
  NOSCRIPT: 'Redis forgets scripts at once; no proxy that drops EVAL may be in front',
  OOM: 'Redis is full; raise maxmemory, or give the state a Redis of its own (it must not evict)',
  READONLY: 'this Redis is a replica; connect to the primary',
  TRYAGAIN: 'the slot of the keys is being moved to another node; it answers when that has finished',
  UNKILLABLE: 'another script has been running for too long, and has written; wait for its end',
  WRONGPASS: 'Redis does not accept the user name or the password; check both in the client',
  WRONGTYPE: 'something else has written to the keys KEYS; choose another prefix',
}

const version: Failure = {
  cause: 'version',
  advice: 'this server cannot run the script; Redis 7 or later, or Valkey, is needed',
}

const unexpectedReply: Failure = {
  cause: 'unexpected-reply',
  advice: 'Redis, or a proxy in front of it, returned something that the script never returns',
}

export const tooManyWaiting: Failure = {
  cause: 'overload',
  advice: 'too many decisions are waiting for Redis: is it overloaded, or does it hang?',
}

/** Errors `ERR …`, which begin alike and mean different things. Their text is matched, never quoted. */
const plainErrors: readonly (readonly [text: RegExp, failure: Failure | 'NOPERM'])[] = [
  [/Error compiling script|unknown command|unknown subcommand|Unexpected engine|not supported/i, version],
  // Redis 7.0 checks the commands and keys of a script without a code of its own.
  [/user executing the script|ACL failure/i, 'NOPERM'],
  [/max number of clients/i, { cause: 'maxclients', advice: 'Redis has too many clients; raise maxclients' }],
]

export const notConnected: Failure = {
  cause: 'no-connection',
  advice:
    'the client has no connection to Redis: is it running, reachable and ready, and does it accept the password?',
}

/** What ioredis and node-redis say when they cannot send, or stop waiting. The texts are matched, never quoted. */
const clientErrors: readonly (readonly [text: RegExp, failure: Failure])[] = [
  [/^(command|socket) time(d )?out/i, timedOut],
  [
    /^(The client is (closed|offline)|Disconnects client|Socket closed unexpectedly|Connection timeout)$/,
    notConnected,
  ],
  [
    /^(Connection is closed\.|None of startup nodes is available|All the root nodes are unavailable)$/,
    notConnected,
  ],
  [/^(Cluster is disconnect(ed|ing)\.|Node is disconnected)$/, notConnected],
  [/^(Stream isn't writeable|Cluster isn't ready) and enableOfflineQueue options is false$/, notConnected],
  [/^Reached the max retries per request limit/, notConnected],
]

/**
 * Finds out why a state or a delegate failed. It knows the errors of Redis and its clients, which those of users may
 * ask as well.
 *
 * @param prefix the prefix of the keys, for the advice
 */
export function failureOf(error: unknown, prefix = 'PREFIX'): Failure {
  if (error instanceof StateUnavailableError) return error.failure
  if (error instanceof UnexpectedReplyError) return unexpectedReply
  return findFailure(error, ({ message }) => {
    // Only the first word, which has to be one of ours: the rest may name keys and users.
    const word = /^[A-Z]+(?=\s|$)/.exec(message)?.[0] ?? ''
    if (word === 'ERR') {
      const [, failure] = plainErrors.find(([text]) => text.test(message)) ?? []
      return failure === 'NOPERM' ? reply(failure, prefix) : failure
    }
    return reply(word, prefix) ?? clientErrors.find(([text]) => text.test(message))?.[1]
  })
}

/** What the user of the client has to be allowed, as in an ACL; INFO is how ioredis sees that Redis is ready. */
const permissions = [
  ...['EVAL', 'EVALSHA', 'INFO', 'PING'],
  ...Array.from(
    `${decideScript.text}${takeBackScript.text}`.matchAll(/redis\.call\('([A-Z]+)'/g),
    ([, command = '']) => command,
  ),
]

function reply(word: string, prefix: string): Failure | undefined {
  // A word is in capitals, as is nothing that every object has.
  const advice = replies[word]
  if (advice === undefined) return undefined
  const allowed = [...new Set(permissions)].map((command) => `+${command.toLowerCase()}`).join(' ')
  return { cause: word, advice: advice.replace('PERMISSIONS', allowed).replace('KEYS', `~{${prefix}}:*`) }
}
