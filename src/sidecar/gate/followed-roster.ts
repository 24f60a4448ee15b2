import { isTOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import { FollowedSource } from '../../files/followed-source.js'
import type { ServerFileEvent } from '../../server/scheme/events.js'
import type { FollowedServerFile, ServerFileInForce } from '../../server/scheme/from-file.js'
import type { PeerSeedsOptions } from '../../server/scheme/options.js'
import { rosterOptions } from '../../server/scheme/roster.js'

/** A store, as the gate sees it. */
export interface RosterSource {
  readonly path: string
  readonly read: () => Promise<Roster>
}

/**
 * The peers of a store, read again whenever the store changes. What cannot be read leaves the last good one in force, and
 * is an event.
 *
 * @throws what `read` throws the first time; `ERR_CONFIG_INVALID` for a roster that no scheme takes
 */
export async function followRoster(
  { path, read }: RosterSource,
  given: Partial<PeerSeedsOptions>,
  report: (event: ServerFileEvent) => void,
  now: () => Date = () => new Date(),
): Promise<FollowedServerFile> {
  const optionsOf = (roster: Roster): PeerSeedsOptions => ({ ...given, ...rosterOptions(roster) })
  const inForceFrom = ({ serial = 0, peers, canaries }: Roster): ServerFileInForce => ({
    path,
    serial,
    loadedAt: now(),
    peers: new Set(peers.keys()),
    canaries: canaries?.size ?? 0,
  })
  const store = new FollowedSource(path, read)
  const first = await store.read()
  let inForce = inForceFrom(first)
  const use = (roster: Roster, apply: (options: PeerSeedsOptions) => void): void => {
    apply(optionsOf(roster))
    const older = (roster.serial ?? 0) < (inForce.serial ?? 0)
    inForce = inForceFrom(roster)
    const { serial = 0, loadedAt: at } = inForce
    report({ type: 'server_file_loaded', at, path, serial, ...(older && { older }) })
  }
  const refuse = (error: unknown): void => {
    // The message of any other error may quote the store.
    const { code, message } = isTOTPError(error)
      ? error
      : ({ code: 'ERR_STORE_UNREADABLE', message: 'it cannot be used' } as const)
    const stays = `store ${path}: ${message} (the previous one stays in force)`
    report({ type: 'server_file_refused', at: now(), path, code, message: stays })
  }

  return {
    options: optionsOf(first),
    get inForce() {
      return inForce
    },
    follow: (apply) => store.follow({ changed: (roster) => use(roster, apply), failed: refuse }),
    // With the next look: reading takes a while where the store is encrypted.
    readAgain: () => store.readAgain(),
    stop: () => store.stop(),
  }
}
