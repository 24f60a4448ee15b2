import type { ClientCredentials, ClientFile } from '../../client/file/client-file.js'
import { FollowedClientFile, namingFile } from '../../client/file/followed-client-file.js'
import { TOTPError } from '../../core/errors.js'
import { known, sameCredentials, type CredentialListener, type CredentialSource } from './credentials.js'

type Choose = (file: ClientFile) => ClientCredentials

/** A listener's part of the file. */
interface Follower {
  readonly choose: Choose
  readonly listener: CredentialListener
  current: ClientCredentials | undefined
  /** Its agent has left the file. */
  isGone: boolean
}

/** A client file that is read and followed once, however many of its agents have a listener. */
export class SharedClientFile {
  readonly #path: string
  readonly #file: FollowedClientFile
  readonly #followers = new Set<Follower>()
  #latest: ClientFile | undefined
  #reading: Promise<ClientFile> | undefined
  #isBroken = false
  #onChange: (file: ClientFile) => void = () => undefined
  readonly #warnings: string[] = []

  constructor(path: string) {
    this.#path = path
    this.#file = new FollowedClientFile(path)
  }

  /** Called with each content that takes effect, after the listeners' own parts of it. */
  set onChange(told: (file: ClientFile) => void) {
    this.#onChange = told
  }

  /**
   * Reads it now.
   *
   * @throws {TOTPError} `ERR_FILE_UNREADABLE`; `ERR_CONFIG_INVALID` with the path of the bad field
   */
  read(): ClientFile {
    this.#latest = this.#file.read({ exposed: (message) => void this.#warnings.push(message) })
    return this.#latest
  }

  /**
   * Credentials of one of its agents.
   *
   * @param choose which is meant; throws if none is
   */
  source(choose: Choose): CredentialSource {
    let follower: Follower | undefined
    let first: ClientCredentials | undefined
    return {
      read: async (listener) => {
        // The start of a listener needs no other look at the file than that of the first one.
        const content = (follower ? undefined : this.#latest) ?? (await this.#readTogether())
        for (const message of this.#warnings.splice(0)) listener?.warn(message)
        if (!follower) return (first = namingFile(this.#path, () => choose(content)))
        const current = this.#partOf(follower, content)
        Object.assign(follower, { current, isGone: false })
        return current
      },
      follow: (listener) => {
        follower = { choose, listener, current: first, isGone: false }
        if (this.#followers.size === 0) this.#follow()
        this.#followers.add(follower)
      },
      stop: () => {
        if (follower) this.#followers.delete(follower)
        if (this.#followers.size === 0) this.#file.stop()
      },
    }
  }

  /** Of those who ask at the same time, one reads. */
  #readTogether(): Promise<ClientFile> {
    this.#reading ??= Promise.resolve()
      .then(() => {
        const content = this.read()
        if (this.#followers.size > 0) this.#onChange(content)
        return content
      })
      .finally(() => (this.#reading = undefined))
    return this.#reading
  }

  #follow(): void {
    this.#file.follow({
      changed: (content) => {
        this.#latest = content
        const tellsAll = this.#isBroken
        this.#isBroken = false
        for (const follower of this.#followers) this.#tell(follower, content, tellsAll)
        this.#onChange(content)
      },
      failed: (error) => {
        this.#isBroken = true
        for (const { listener } of this.#followers) listener.failed(error)
      },
      exposed: (message) => {
        const [first] = this.#followers
        first?.listener.warn(message)
      },
    })
  }

  /** @param always also where its part is the same as before */
  #tell(follower: Follower, content: ClientFile, always: boolean): void {
    const { listener, current, isGone } = follower
    try {
      const credentials = this.#partOf(follower, content)
      if (!always && !isGone && current && sameCredentials(current, credentials)) return
      listener.changed(credentials)
      Object.assign(follower, { current: credentials, isGone: false })
    } catch (error) {
      // A part that is gone was told so.
      if (!follower.isGone) listener.failed(known(error))
    }
  }

  /** @throws {TOTPError} if there is none; one that has left the file is told so, once */
  #partOf(follower: Follower, content: ClientFile): ClientCredentials {
    const { choose, listener, current } = follower
    try {
      const credentials = namingFile(this.#path, () => choose(content))
      if (current && isAnother(current, credentials)) throw this.#left(current.agent ?? '')
      return credentials
    } catch (error) {
      const agent = current?.agent
      if (agent === undefined || content.agents.has(agent)) throw error
      const left = this.#left(agent)
      if (!follower.isGone) listener.gone(left)
      follower.isGone = true
      throw left
    }
  }

  #left(agent: string): TOTPError {
    return new TOTPError(
      'ERR_CONFIG_INVALID',
      `client file ${this.#path}: it does not have the agent ${agent} any more, so nothing is sent to it`,
    )
  }
}

/** Another agent, and not the same one under a new name. */
function isAnother(one: ClientCredentials, other: ClientCredentials): boolean {
  return one.agent !== undefined && one.agent !== other.agent && one.url !== other.url
}
