import { TOTPError, isTOTPError } from '../../core/errors.js'
import { insecureProfileRules, profileRules } from '../../core/profile.js'
import { requireStrongSeed, Seed } from '../../core/seed.js'
import { FollowedFile, type FileContent, type FollowedFileListener } from '../../files/followed-file.js'
import { parseServerFile } from '../file/parse.js'
import { PeerTokenAuth } from './delegates.js'
import { emit, type AuthEvent, type ServerFileEvent } from './events.js'
import type { PeerSeedsOptions } from './options.js'
import { mapOf } from './peers.js'
import { warningListener } from './warnings.js'

/** The options that a server file does not contain. */
export interface FromFileOptions extends Pick<
  PeerSeedsOptions,
  'delegate' | 'state' | 'throttle' | 'pathPrefix' | 'allowWeakSeeds' | 'allowInsecureWindow' | 'now'
> {
  /**
   * Called for decisions, and for what happens to the file. Without it, what should wake somebody is a process warning:
   * see the option of the scheme, and a refused or exposed file.
   */
  readonly onEvent?: (event: AuthEvent | ServerFileEvent) => unknown
}

/** The server file in force, for those who run an agent. Contains no secret. */
export interface ServerFileInForce {
  readonly path: string
  /** Of the store that it was made from; undefined if it has none. */
  readonly serial: number | undefined
  /** When it was read. */
  readonly loadedAt: Date
  /** The names of its peers. */
  readonly peers: ReadonlySet<string>
  /** How many of its tokens are bait. */
  readonly canaries: number
}

export interface FollowedServerFile {
  /** The file's content and the given options, as options of a scheme. */
  readonly options: PeerSeedsOptions
  readonly inForce: ServerFileInForce
  /** Calls `apply` with the options of a changed file; if that throws, the change is refused. */
  follow(apply: (options: PeerSeedsOptions) => void): void
  /** Reads the file at once, changed or not, once it is followed. */
  readAgain(): void
  stop(): void
}

/**
 * Reads a server file now, and again whenever it changes or its path leads to another.
 *
 * @throws {TOTPError} see `TOTPServerAuthScheme.fromFile`
 */
export function followServerFile(path: string | undefined, given: FromFileOptions): FollowedServerFile {
  if (!path) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'no server file; pass its path, or set $A2A_TOTP_SERVER_FILE')
  }
  const { now = () => new Date() } = given
  const file = new FollowedFile(path)
  let exposed = false

  const listener = given.onEvent ?? warningListener()
  const report = (event: ServerFileEvent): void => emit(listener, event)
  const contentOf = (content: FileContent): ServerFileContent => {
    const read = readServerFile(content.text, given)
    if (content.exposed && !exposed) {
      const message = `server file ${path}: every user of this machine can read its seeds; run chmod o-r`
      report({ type: 'server_file_exposed', at: now(), path, message })
    }
    exposed = content.exposed
    return read
  }

  const atStart = namingFile(path, () => contentOf(file.read()))
  const inForceFrom = ({ options, serial }: ServerFileContent): ServerFileInForce => ({
    path,
    serial,
    loadedAt: now(),
    peers: new Set(mapOf(options.peerSeeds).keys()),
    canaries: options.canaries?.length ?? 0,
  })
  let inForce = inForceFrom(atStart)
  let listening: FollowedFileListener | undefined
  return {
    options: atStart.options,
    get inForce() {
      return inForce
    },
    readAgain: () => listening && file.readAgain(listening),
    follow: (apply) => {
      listening = {
        changed: (content) => {
          const read = contentOf(content)
          apply(read.options)
          const { serial } = read
          const older = isOlder(serial, inForce.serial)
          inForce = inForceFrom(read)
          report({
            type: 'server_file_loaded',
            at: inForce.loadedAt,
            path,
            ...(serial !== undefined && { serial }),
            ...(older && { older }),
          })
        },
        failed: (error) => {
          const { code, message } = named(path, error)
          report({
            type: 'server_file_refused',
            at: now(),
            path,
            code,
            message: `${message} (the previous file stays in force)`,
          })
        },
      }
      file.follow(listening)
    },
    stop: () => {
      listening = undefined
      file.stop()
    },
  }
}

const isOlder = (serial: number | undefined, inForce: number | undefined): boolean =>
  serial !== undefined && inForce !== undefined && serial < inForce

/** What a server file says. */
interface ServerFileContent {
  readonly options: PeerSeedsOptions
  readonly serial: number | undefined
}

/**
 * The options of a scheme for the peers of a server file.
 *
 * @param given the options that the file does not contain
 * @throws {TOTPError} see {@link parseServerFile}; `ERR_SEED_WEAK` for a weak shared seed, even if the file has no
 *   peer yet. The scheme itself checks the seeds of peers.
 */
export function schemeOptions(text: string, given: Partial<PeerSeedsOptions>): PeerSeedsOptions {
  return readServerFile(text, given).options
}

/** See {@link schemeOptions}. */
function readServerFile(text: string, given: Partial<PeerSeedsOptions>): ServerFileContent {
  const rules = given.allowInsecureWindow ? insecureProfileRules : profileRules
  const { serial, agent, signed, profile, peers, sharedSeeds, canaries } = parseServerFile(text, rules)
  const tokens = peers.flatMap(({ name, tokens }) =>
    tokens.map(({ hash, expiresAt }) => ({ peer: name, token: hash, expiresAt })),
  )
  // Created even if it is not used: it rejects a token that two peers have.
  const ownTokens = new PeerTokenAuth(tokens)
  for (const [index, { seed }] of sharedSeeds.entries()) {
    const remedy = 'make a longer one, or set allowWeakSeeds'
    requireStrongSeed(Seed.fromBase32(seed), given.allowWeakSeeds ?? false, remedy, `sharedSeeds[${index}]`)
  }
  const options = {
    ...given,
    agent,
    signed,
    profile,
    peerSeeds: new Map(
      peers.map(({ name, algorithm, digits, period, replay, signed: own, seeds }) => [
        name,
        { algorithm, digits, period, replay, signed: own, seeds },
      ]),
    ),
    delegate: given.delegate ?? ownTokens,
    canaries,
    // Each peer of a server file has its own policy, so the scheme's is never used.
    replay: 'once',
  } as const
  return { options, serial }
}

/** Runs a function, and puts the file's path in front of the message of its error. */
export function namingFile<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw named(path, error)
  }
}

function named(path: string, error: unknown): TOTPError {
  // The message of any other error may quote the file.
  if (!isTOTPError(error)) return new TOTPError('ERR_CONFIG_INVALID', `server file ${path}: cannot be used`)
  return new TOTPError(error.code, `server file ${path}: ${error.message}`, { cause: error.cause })
}
