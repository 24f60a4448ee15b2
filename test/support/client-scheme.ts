import {
  BearerTokenAuth,
  TOTPClientAuthScheme,
  type TOTPClientAuthSchemeOptions,
} from '../../src/client/index.js'
import { defaultProfile, type TOTPProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'

export const seed = Seed.fromBytes(new Uint8Array(20).fill(5))
export const token = 'a2at_the-token-of-alice'

/** A clock that moves only when it is told to. It starts with a time step. */
export class FakeClock {
  at = new Date(1_800_000_000_000)

  now = (): Date => this.at

  advance(seconds: number): void {
    this.at = new Date(this.at.getTime() + seconds * 1000)
  }

  /** Waiting takes no time: the clock moves on instead. */
  sleep = (ms: number): Promise<void> => {
    this.advance(ms / 1000)
    return Promise.resolve()
  }

  /** The code of this moment. */
  code(profile: TOTPProfile = defaultProfile): string {
    return generateCode(seed, profile, this.at)
  }
}

/** A scheme with a known seed and token, on that clock. */
export function schemeOn(
  clock: FakeClock,
  options: Partial<TOTPClientAuthSchemeOptions> = {},
): TOTPClientAuthScheme {
  return new TOTPClientAuthScheme({
    delegate: new BearerTokenAuth(token),
    seed,
    now: clock.now,
    sleep: clock.sleep,
    ...options,
  })
}
