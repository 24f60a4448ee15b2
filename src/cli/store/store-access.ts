import { hostname } from 'node:os'
import { changesBetween, namesChanged, type ChangedField } from '../../core/changes.js'
import { TOTPError, isTOTPError } from '../../core/errors.js'
import type { Roster } from '../../core/roster.js'
import type { Env } from '../../programs/environment.js'
import { recordChange } from '../../store/change-record.js'
import { locateStore, type Located } from '../../store/locate.js'
import { keyMissing, plaintext, type Protection, type StoreKeys } from '../../store/protection.js'
import { protectionChanges } from '../../store/protection-changes.js'
import type { ReadOptions } from '../../store/read-file.js'
import {
  openStore,
  protectStore,
  readStore,
  updateStore,
  type ChangeOptions,
  type Opened,
} from '../../store/store.js'
import type { Output } from '../io/output.js'
import type { Progress } from '../io/progress.js'
import { loginName } from './login-name.js'
import { storeKeys } from './store-keys.js'

/** The global options that decide which store is used. */
export interface StoreOptions {
  readonly store?: string
  readonly allowInsecurePermissions?: true
}

interface Surroundings {
  readonly env: Env
  /** Where the search begins, and relative paths. */
  readonly where: { readonly cwd: string }
  readonly options: StoreOptions
  /** For the record of changes. */
  readonly commandName: () => string
  readonly now: () => Date
  readonly keys: StoreKeys
  readonly output: Output
  readonly progress: Progress
}

/** The store that the command line, the environment or the working directory points to. */
export class StoreAccess {
  readonly #given: Surroundings
  readonly #onlyHere: boolean
  readonly #reading: ReadOptions
  #located: Located | undefined
  /** The serial that this command wrote last. */
  #written: number | undefined

  constructor(given: Surroundings, onlyHere = false) {
    this.#given = given
    this.#onlyHere = onlyHere
    const { options, keys, progress } = given
    this.#reading = {
      allowInsecurePermissions: options.allowInsecurePermissions ?? false,
      keys: {
        ...keys,
        // Opening a store with a passphrase takes a second, on purpose.
        async passphrase() {
          const passphrase = await keys.passphrase()
          await progress.start('opening the store')
          return passphrase
        },
      },
    }
  }

  /** Whether files that others can read or write to, or that another user owns, are used all the same. */
  get allowsInsecurePermissions(): boolean {
    return this.#reading.allowInsecurePermissions ?? false
  }

  /** The path of the store, or of the one that would be created. */
  path(): string {
    return this.#locate().path
  }

  /** Whether there is a trusted store. */
  exists(): boolean {
    return this.#locate().found
  }

  /** Whether no trusted store is found and none is named: one that is named is meant, and an error if it cannot be used. */
  isMissing(): boolean {
    const { found, named } = this.#locate()
    return !found && !named
  }

  /** The same, and none was passed over: a command may do without one, and has nothing to complain of. */
  isNone(): boolean {
    return this.isMissing() && this.#locate().passedOver.length === 0
  }

  /** Whether something is at its path, trusted or not. */
  taken(): boolean {
    const { found, path, passedOver } = this.#locate()
    return found || passedOver.some((store) => store.path === path)
  }

  /** The path of the nearest store, trusted or not, for `doctor`. */
  nearest(): string {
    const { found, path, passedOver } = this.#locate()
    return found ? path : (passedOver[0]?.path ?? path)
  }

  /** The store of the working directory, whatever is above it, unless another one is named; for `init`. */
  here(): StoreAccess {
    return new StoreAccess(this.#given, true)
  }

  /** The same store, for a look at it: no key is asked for, so without one in the environment a locked store stays locked. */
  unasked(): StoreAccess {
    return new StoreAccess({ ...this.#given, keys: this.#keysAtHand() }, this.#onlyHere)
  }

  /** The store at a path. */
  at(path: string): StoreAccess {
    return new StoreAccess({ ...this.#given, options: { ...this.#given.options, store: path } })
  }

  /** @throws {TOTPError} `ERR_STORE_*` when it is missing, not trusted or unusable. */
  async read(): Promise<Roster> {
    return this.#untilDone(readStore(this.#trustedPath(), this.#reading))
  }

  /** The same, with its protection. */
  async open(): Promise<Opened> {
    return this.#untilDone(openStore(this.#trustedPath(), this.#reading))
  }

  /** Opens any store, even one that others can read, for `doctor`. */
  async examine(path: string): Promise<Opened> {
    return this.#untilDone(openStore(path, { ...this.#reading, allowInsecurePermissions: true }))
  }

  /** Creates a store. With `replace` an old one is kept beside it, and the path of that backup is returned. */
  async create(
    roster: Roster,
    options: { replace: boolean; protection: Protection },
  ): Promise<string | undefined> {
    const { createStore } = await import('../../store/create-store.js')
    const reading = { keys: this.#keysAtHand(), now: this.#given.now() }
    const { backup, serial } = await createStore(this.path(), roster, { ...options, ...reading })
    this.record(
      [
        { field: 'agent', from: null, to: roster.agent },
        ...protectionChanges(plaintext, options.protection),
        ...changesBetween({ ...roster, peers: new Map(), canaries: new Map() }, roster),
      ],
      serial,
    )
    return backup
  }

  /** Changes the store atomically, one process at a time. What a command changes in several steps is undone as one. */
  async update(change: (roster: Roster) => Roster): Promise<Roster> {
    let before: Roster | undefined
    const options = { ...this.#reading, goesOnFrom: this.#written }
    const update = updateStore(this.#trustedPath(), options, (roster) => change((before = roster)))
    const after = await this.#untilDone(update)
    if (before && after !== before) {
      this.#written = after.serial
      this.record(changesBetween(before, after), after.serial)
    }
    return after
  }

  /** Changes its protection, in the same way. */
  async protect(
    change: (protection: Protection) => Protection,
    keeping: Pick<ChangeOptions, 'keepsPrevious'> = {},
  ): Promise<Protection> {
    let before: Protection | undefined
    const options = { ...this.#reading, ...keeping }
    const update = protectStore(this.#trustedPath(), options, (one) => change((before = one)))
    const after = await this.#untilDone(update)
    if (before && after !== before) this.record(protectionChanges(before, after))
    return after
  }

  /** For commands that work with the files of the store themselves. They call {@link StoreAccess.record} for what they change. */
  async directly<T>(work: (path: string, reading: ReadOptions) => Promise<T>): Promise<T> {
    return this.#untilDone(work(this.#trustedPath(), this.#reading))
  }

  /** The keys of the environment; nobody is asked for one. */
  #keysAtHand(): StoreKeys {
    const refuse = (_: string, otherwise: string): Promise<never> =>
      Promise.reject(keyMissing(`the store is encrypted; ${otherwise}`))
    return storeKeys(this.#given.env, this.#given.where, refuse)
  }

  #locate(): Located {
    if (this.#located) return this.#located
    const { env, where, options, output } = this.#given
    this.#located = locateStore({
      env,
      get cwd() {
        return where.cwd
      },
      here: this.#onlyHere,
      store: options.store,
    })
    const { found, passedOver } = this.#located
    for (const { path, reason } of passedOver) {
      const remark = `passed over ${path}: ${reason}`
      // Where another one is used instead, a script has to know as well.
      if (found) output.note(remark)
      else output.say(remark)
    }
    return this.#located
  }

  #trustedPath(): string {
    const { path, found, passedOver } = this.#locate()
    const [nearest] = passedOver
    if (found || !nearest) return path
    throw new TOTPError(
      'ERR_STORE_PERMISSIONS',
      `the only store found is ${nearest.path}, and ${nearest.reason}; fix that, or name the store with --store`,
    )
  }

  #untilDone<T>(work: Promise<T>): Promise<T> {
    return work.finally(() => this.#given.progress.stop())
  }

  /** A change that was made stays made, even if it cannot be recorded. */
  record(changed: readonly ChangedField[], serial?: number): void {
    const { now, commandName, output } = this.#given
    try {
      const who = { at: now(), by: loginName(), host: hostname() }
      recordChange(this.path(), {
        ...who,
        command: commandName(),
        peers: namesChanged(changed),
        changed,
        serial,
      })
    } catch (error) {
      if (!isTOTPError(error)) throw error
      output.warn(`the change was made but not recorded: ${error.message}`)
    }
  }
}
