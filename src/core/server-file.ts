import type { Algorithm, Digits, ReplayPolicy, TOTPProfile } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'

/** The version that is written, and the newest that can be read. */
export const serverFileVersion = 1

/**
 * The newest serial that is taken from a file, 2^52: as many changes can still follow before numbers are no longer exact.
 */
export const newestSerial = 4_503_599_627_370_496

/**
 * The words of `requires` that this version knows. `once`: the file has peers whose time steps are good for one request.
 * `signed`: the file has peers whose proofs must be valid, or that must send one. `shared-seed`: the seeds are in
 * `sharedSeeds`, not with the peers.
 */
export const serverFileRequirements = ['once', 'signed', 'shared-seed'] as const
export type ServerFileRequirement = (typeof serverFileRequirements)[number]

/** A seed in the server file. */
export interface ServerFileSeed {
  readonly id: string
  /** In base32, without padding. Secret. */
  readonly seed: string
  /** RFC 3339. From this instant on the seed is refused. */
  readonly expiresAt?: string
}

/** A token in the server file: its hash, enough to recognise the token but not to send it. */
export interface ServerFileToken {
  readonly id: string
  /** `sha256:` and the digest in hex; see `hashToken`. */
  readonly hash: string
  /** RFC 3339. From this instant on the token is refused. */
  readonly expiresAt?: string
}

/** A peer in the server file. Algorithm, digits and period are present where they differ from the agent's profile. */
export interface ServerFilePeer {
  readonly replay: ReplayPolicy
  /** Absent in a file of before: `off`. */
  readonly signed?: SignedPolicy
  readonly algorithm?: Algorithm
  readonly digits?: Digits
  /** In seconds. */
  readonly period?: number
  /** Oldest first. Absent when the file has shared seeds. */
  readonly seeds?: readonly ServerFileSeed[]
  /** Oldest first. */
  readonly tokens: readonly ServerFileToken[]
}

/** A canary's token in the server file: it belongs to no peer, and its use is reported. */
export interface ServerFileCanary {
  /** The canary's name. One that was rotated is listed once for each of its tokens. */
  readonly name: string
  readonly id: string
  /** `sha256:` and the digest in hex; see `hashToken`. */
  readonly hash: string
}

/**
 * The JSON document that the protected agent reads from `A2A_TOTP_SERVER_FILE`. It contains seeds, so it is secret; of
 * tokens it contains only hashes.
 *
 * A reader ignores unknown keys, but refuses a file whose `requires` contains a word it does not know: those words name
 * what is unsafe to ignore.
 */
export interface ServerFile {
  readonly version: typeof serverFileVersion
  /** What a reader must know to use the file safely. Absent when there is nothing. */
  readonly requires?: readonly ServerFileRequirement[]
  /** The agent's stable name; not a URL. */
  readonly agent: string
  /** Grows with each change of the store, so that an older file can be told from a newer one. */
  readonly serial?: number
  readonly profile: TOTPProfile
  /** The agent's own policy for proofs, for its challenge and its card. Absent: `off`. */
  readonly signed?: SignedPolicy
  /** Oldest first. Present when all peers share one seed; then no peer has `seeds`. */
  readonly sharedSeeds?: readonly ServerFileSeed[]
  readonly peers: Readonly<Record<string, ServerFilePeer>>
  /** Beside the peers, so that a reader that does not know them refuses their tokens. Absent when there is none. */
  readonly canaries?: readonly ServerFileCanary[]
}
