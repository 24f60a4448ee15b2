import { readFileSync } from 'node:fs'
import { Seed } from '../../../src/core/seed.js'
import { defaultProfile, type TOTPProfile } from '../../../src/core/profile.js'
import { generateCodeOfStep, timeStepAt } from '../../../src/core/totp.js'

/** What a peer was handed. */
export interface Handed {
  readonly token: string
  readonly seed: Seed
  readonly profile: TOTPProfile
}

const lastGood = new Map<string, Handed>()

/** What a client file has now; while it is broken, what it had. */
export function handedIn(path: string): Handed {
  const known = lastGood.get(path)
  try {
    const handed = parseHanded(readFileSync(path, 'utf8'))
    lastGood.set(path, handed)
    return handed
  } catch (error) {
    if (!known) throw error
    return known
  }
}

function parseHanded(text: string): Handed {
  const { token, seed, digits } = JSON.parse(text) as {
    token: string
    seed: string
    digits: TOTPProfile['digits']
  }
  return { token, seed: Seed.fromBase32(seed), profile: { ...defaultProfile, digits } }
}

export function codeAt({ seed, profile }: Handed, at: Date, drift = 0): string {
  return generateCodeOfStep(seed, profile, timeStepAt(profile, at) + drift)
}

/** How far from now the soak sets clocks, in time steps, and some more. */
const reachable = [-122, -121, -120, -119, -118, -4, -3, -2, -1, 0, 1, 2, 3, 4, 118, 119, 120, 121, 122]

/** A well-formed code that no clock of the soak makes a valid one of these seeds. */
export function wrongCode(handed: readonly Handed[], random: (limit: number) => number): string {
  const right = handed.flatMap((one) => reachable.map((drift) => codeAt(one, new Date(), drift)))
  const digits = handed[0]?.profile.digits ?? 8
  for (;;) {
    const code = String(random(10 ** digits)).padStart(digits, '0')
    if (!right.includes(code)) return code
  }
}
