import type { Algorithm, Digits, ReplayPolicy, TOTPProfile } from './profile.js'

/** The version that is written, and the newest that is read. */
export const serverFileVersion = 1

/** A seed as the server file holds it. */
export interface ServerFileSeed {
  readonly id: string
  /** In base32, without padding. Secret. */
  readonly seed: string
  /** RFC 3339. From this instant on the seed is refused. */
  readonly expiresAt?: string
}

/** What a server file knows of a token: enough to recognise it, too little to send it. */
export interface ServerFileToken {
  readonly id: string
  /** See `hashToken`: `sha256:` and the digest in hex. */
  readonly hash: string
  /** RFC 3339. From this instant on the token is refused. */
  readonly expiresAt?: string
}

/** One peer. An algorithm, a length or a period is there where it differs from the agent's profile. */
export interface ServerFilePeer {
  readonly replay: ReplayPolicy
  readonly algorithm?: Algorithm
  readonly digits?: Digits
  /** In seconds. */
  readonly period?: number
  /** Oldest first. Missing when the file has shared seeds. */
  readonly seeds?: readonly ServerFileSeed[]
  /** Oldest first. */
  readonly tokens: readonly ServerFileToken[]
}

/**
 * The JSON that the protected agent reads at `A2A_TOTP_SERVER_FILE`. It holds seeds, so it is secret; of tokens
 * it holds hashes only.
 *
 * A reader ignores keys that it does not know, but refuses a file that lists a word it does not know in
 * `requires`: that is how a later version says that ignoring something would be unsafe.
 */
export interface ServerFile {
  readonly version: typeof serverFileVersion
  readonly requires?: readonly string[]
  /** The agent's stable name; not a URL. */
  readonly agent: string
  readonly profile: TOTPProfile
  /** Oldest first. Set when all peers use one seed; then no peer has `seeds`. */
  readonly sharedSeeds?: readonly ServerFileSeed[]
  readonly peers: Readonly<Record<string, ServerFilePeer>>
}
