import { hostname, userInfo } from 'node:os'
import { TOTPError, isTOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import { peersChanged, recordChange } from '../../store/change-record.js'
import { locateStore, type Located } from '../../store/locate.js'
import type { Protection, StoreKeys } from '../../store/protection.js'
import type { ReadOptions } from '../../store/read-file.js'
import { createStore, openStore, protectStore, readStore, updateStore } from '../../store/store.js'
import type { Busy } from '../io/busy.js'
import type { StoreAccess } from '../context.js'
import type { Output } from '../io/output.js'
import type { GlobalOptions, World } from '../system.js'

/** What access to a store is made of. */
interface Given extends Pick<World, 'env' | 'cwd'> {
  readonly options: Readonly<GlobalOptions>
  readonly now: () => Date
  readonly keys: StoreKeys
  readonly output: Output
  readonly busy: Busy
}

/** The store that the command line, the environment or the working directory points to; `here` looks no further up. */
export function storeAccess(given: Given, here = false): StoreAccess {
  const { env, cwd, options, now, output, busy } = given
  let located: Located | undefined
  const locate = (): Located => {
    if (located) return located
    const { store } = options
    located = locateStore({ env, cwd, here, ...(store === undefined ? {} : { store }) })
    for (const { path, reason } of located.passedOver) output.say(`passed over ${path}: ${reason}`)
    return located
  }
  const trusted = (): string => {
    const { path, found, passedOver } = locate()
    const [nearest] = passedOver
    if (found || !nearest) return path
    throw new TOTPError(
      'ERR_STORE_PERMISSIONS',
      `no store but ${nearest.path}, and ${nearest.reason}; mend that, or say with --store which one you mean`,
    )
  }
  // What a passphrase opens takes a second, on purpose.
  const keys: StoreKeys = {
    ...given.keys,
    async passphrase() {
      const passphrase = await given.keys.passphrase()
      await busy.start('opening the store')
      return passphrase
    },
  }
  const untilDone = <T>(work: Promise<T>): Promise<T> => work.finally(() => busy.stop())
  const reading = (): ReadOptions => ({ allowInsecurePermissions: options.allowInsecurePermissions, keys })
  // A change that was made stays made, also when it cannot be written down.
  const record = (peers: readonly string[]): void => {
    try {
      const change = { at: now(), by: loginName(), host: hostname(), command: options.command, peers }
      recordChange(locate().path, change)
    } catch (error) {
      if (!isTOTPError(error)) throw error
      output.warn(`the change was made but not recorded: ${error.message}`)
    }
  }
  return {
    path: () => locate().path,
    exists: () => locate().found,
    taken: () => locate().found || locate().passedOver.some(({ path }) => path === locate().path),
    nearest: () => (locate().found ? locate().path : (locate().passedOver[0]?.path ?? locate().path)),
    here: () => storeAccess(given, true),
    read: async () => untilDone(readStore(trusted(), reading())),
    open: async () => untilDone(openStore(trusted(), reading())),
    examine: (path) => untilDone(openStore(path, { keys, allowInsecurePermissions: true })),
    async create(roster, { replace, protection }) {
      const { backup } = await createStore(locate().path, roster, { replace, protection, now: now() })
      record([])
      return backup
    },
    async update(change) {
      let before: Roster | undefined
      const after = await untilDone(updateStore(trusted(), reading(), (roster) => change((before = roster))))
      if (before && after !== before) record(peersChanged(before, after))
      return after
    },
    async protect(change) {
      let before: Protection | undefined
      const after = await untilDone(
        protectStore(trusted(), reading(), (protection) => change((before = protection))),
      )
      if (after !== before) record([])
      return after
    },
  }
}

/** Who runs this. A container may have a uid without a name. */
function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
