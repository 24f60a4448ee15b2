import { createHmac } from 'node:crypto'
import { endOfStep, generateCode, generateCodeOfStep, timeStepAt } from '../../core/totp.js'
import type { ProbeOptions } from '../options.js'

/** Steps on either side of now whose codes of another peer are never sent as wrong ones. */
const keptOffSteps = 10
/** The least distance of an expired or future code from now, in seconds. */
const farOff = 300

/** The wrong codes of a run: the same in every cell and position, since agents count the distinct ones. */
export interface WrongCodes {
  readonly wrong: string
  readonly expired: string
  readonly future: string
  /** The other peer's current code; undefined when there is none that differs from this peer's. */
  readonly crossPeer: string | undefined
  /** Why there is no such code; empty when there is one. */
  readonly noCrossPeer: string
}

/**
 * The wrong codes for an instant. Within one time step they are always the same, so a second run spends
 * nothing new at an agent that counts distinct codes per step. None is a code of the seed nearer than those of minutes
 * ago and from now.
 */
export function wrongCodesAt({ credentials, otherPeer }: Owners, at: Date): WrongCodes {
  const { seed } = credentials
  const now = timeStepAt(credentials, at)
  const distance = distanceIn(credentials)
  const near = new Set(codesAround(credentials, now, distance - 1))
  const taken = new Set([...near, ...codesOfOther(otherPeer, at)])
  const ofStep = (from: number, direction: 1 | -1): string => {
    for (let step = from; ; step += direction) {
      const code = generateCodeOfStep(seed, credentials, Math.max(step, 0))
      if (!near.has(code) || step <= 0) return code
    }
  }
  return {
    wrong: inventedCode({ credentials }, now, taken),
    expired: ofStep(now - distance, -1),
    future: ofStep(now + distance, 1),
    ...crossPeerCode({ credentials, otherPeer }, at, near),
  }
}

/** How far off expired and future codes are, in steps. */
function distanceIn({ window, period }: ProbeOptions['credentials']): number {
  return Math.ceil(Math.max(farOff, (window + 3) * period) / period)
}

function codesOfOther(otherPeer: ProbeOptions['otherPeer'], at: Date): readonly string[] {
  return otherPeer ? codesAround(otherPeer, timeStepAt(otherPeer, at), keptOffSteps) : []
}

type Owners = Pick<ProbeOptions, 'credentials'> & {
  readonly otherPeer?: ProbeOptions['otherPeer'] | undefined
}

/** Distinct wrong codes for an instant, as many as asked for; those of {@link wrongCodesAt} may be among them. */
export function wrongCodesOf({ credentials, otherPeer }: Owners, at: Date, count: number): readonly string[] {
  const now = timeStepAt(credentials, at)
  const near = codesAround(credentials, now, distanceIn(credentials) - 1)
  const taken = new Set([...near, ...codesOfOther(otherPeer, at)])
  return Array.from({ length: count }, () => {
    const code = inventedCode({ credentials }, now, taken)
    taken.add(code)
    return code
  })
}

function inventedCode({ credentials }: Owners, step: number, taken: ReadonlySet<string>): string {
  const { seed, digits } = credentials
  for (let attempt = 0; ; attempt++) {
    const hash = createHmac('sha256', seed.bytes).update(`a2a-totp probe ${step} ${attempt}`).digest()
    const code = String(hash.readUInt32BE(0) % 10 ** digits).padStart(digits, '0')
    if (!taken.has(code)) return code
  }
}

function crossPeerCode(
  { credentials, otherPeer }: Owners,
  at: Date,
  near: ReadonlySet<string>,
): Pick<WrongCodes, 'crossPeer' | 'noCrossPeer'> {
  const none = (noCrossPeer: string): Pick<WrongCodes, 'crossPeer' | 'noCrossPeer'> => ({
    crossPeer: undefined,
    noCrossPeer,
  })
  if (!otherPeer) return none('no other peer is known whose code could be tried')
  if (otherPeer.seed.base32 === credentials.seed.base32) return none('both peers have the same seed')
  const code = generateCode(otherPeer.seed, otherPeer, at)
  if (near.has(code)) {
    return none(
      "the other peer's code happens to be one of this peer's at about this time; run the probe again",
    )
  }
  return { crossPeer: code, noCrossPeer: '' }
}

function codesAround(
  owner: NonNullable<ProbeOptions['otherPeer']>,
  now: number,
  steps: number,
): readonly string[] {
  const first = Math.max(now - steps, 0)
  return Array.from({ length: now + steps - first + 1 }, (_, index) =>
    generateCodeOfStep(owner.seed, owner, first + index),
  )
}

/** Milliseconds until the next time step begins. */
export function untilNextStep(profile: { readonly period: number }, at: Date): number {
  return endOfStep(profile, timeStepAt(profile, at)).getTime() - at.getTime()
}
