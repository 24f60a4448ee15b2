import { randomUUID, type JsonWebKey } from 'node:crypto'
import { AssertKey } from './assert-key.js'

/** The field that carries the assertion. No peer can set it. */
export const assertionHeader = 'TotpAssertion'

/** How long an assertion is valid, in seconds. */
const lifetimeS = 30

/** What an assertion says, and to whom. */
export interface AssertedCaller {
  readonly peer: string
  readonly agent: string
  readonly audience: string
}

/** A key that was replaced, and until when what it signed is valid, in seconds. */
interface FormerKey {
  readonly key: AssertKey
  readonly until: number
}

/**
 * Signs who called, for an agent that is not on this machine: a compact JWS (RFC 7515) with the claims `iss`, `sub` (the
 * peer), `agent`, `aud`, `iat`, `exp` and `jti`. The agent checks it with the public key.
 */
export class Asserter {
  readonly #read: () => string
  readonly #now: () => Date
  #key: AssertKey
  #former: readonly FormerKey[] = []

  private constructor(read: () => string, now: () => Date) {
    this.#read = read
    this.#now = now
    this.#key = AssertKey.read(read())
  }

  /**
   * @param key the text of a private key, or what reads it now and at each reload; see {@link AssertKey.read}
   * @throws {TOTPError} `ERR_CONFIG_INVALID` for anything else, and what reading throws
   */
  static read(key: string | (() => string), now: () => Date = () => new Date()): Asserter {
    return new Asserter(typeof key === 'string' ? () => key : key, now)
  }

  /** Reads the key anew. It signs from now on. @throws {TOTPError} as {@link read}; the last key stays */
  reload(): void {
    const key = AssertKey.read(this.#read())
    const former = [{ key: this.#key, until: this.#seconds() + lifetimeS }, ...this.#stillValid()]
    // Of two with one kid, those who look a key up could take the wrong one.
    this.#former = former.filter((one) => one.key.publicKey['kid'] !== key.publicKey['kid'])
    this.#key = key
  }

  sign({ peer, agent, audience }: AssertedCaller): string {
    const iat = this.#seconds()
    const claims = { iss: 'a2a-totp', sub: peer, agent, aud: audience }
    return this.#key.sign({ ...claims, iat, exp: iat + lifetimeS, jti: randomUUID() })
  }

  /** The public key, as a JWK Set; and those before it, as long as what they signed may be on its way. */
  jwks(): { readonly keys: readonly JsonWebKey[] } {
    return { keys: [this.#key, ...this.#stillValid().map(({ key }) => key)].map((key) => key.publicKey) }
  }

  #stillValid(): readonly FormerKey[] {
    const now = this.#seconds()
    return this.#former.filter(({ until }) => until >= now)
  }

  #seconds(): number {
    return Math.floor(this.#now().getTime() / 1000)
  }
}
