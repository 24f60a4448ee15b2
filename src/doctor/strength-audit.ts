import { isLive, type Peer } from '../core/roster.js'
import { minimumSeedBits } from '../core/seed.js'
import { minimumTokenBits } from '../core/token.js'
import type { Finding } from './finding.js'
import { isPublished } from './published-seeds.js'
import { isPublishedToken } from './published-tokens.js'
import { rotateCommand, type RosterUnderTest } from './rotation-command.js'

/** Finds live seeds and tokens of a peer that can be guessed, or are published. */
export function auditStrength(tested: RosterUnderTest, peer: Peer): Finding[] {
  const { roster, at } = tested
  const seeds = (roster.sharedSeeds ?? peer.seeds).filter((one) => isLive(one, at))
  const tokens = peer.tokens.filter((one) => isLive(one, at))
  const found = (kind: 'seed' | 'token', { id, message, joint = message }: What): Finding => {
    const fix = rotateCommand(tested, kind, ' --now')
    const general = { noun: 'peers', message: joint, fix } as const
    return { id, severity: 'serious', subject: peer.name, message, fix: fix([peer.name]), joint: general }
  }
  return [
    ...seeds.flatMap(({ seed }) => [
      ...(seed.strong ? [] : [found('seed', weakSeed(seed.bits))]),
      ...(isPublished(seed) ? [found('seed', { id: 'seed-published', message: published('seed') })] : []),
    ]),
    ...tokens.flatMap(({ token }) => [
      ...(token.value === undefined || token.strong
        ? []
        : [found('token', { id: 'token-weak', message: weakToken })]),
      ...(isPublishedToken(token)
        ? [found('token', { id: 'token-published', message: published('token') })]
        : []),
    ]),
  ]
}

interface What {
  readonly id: string
  readonly message: string
  /** For several peers. */
  readonly joint?: string
}

function weakSeed(bits: number): What {
  const message = (has: string): string =>
    `its seed has ${has} bits; RFC 4226 requires at least ${minimumSeedBits}, since a shorter seed can be found by trying them all against a few codes`
  return { id: 'seed-weak', message: message(`${bits}`), joint: message('too few') }
}

const weakToken = `its token has less than ${minimumTokenBits} bits, judged by its length and characters: it may be guessed`

const published = (kind: 'seed' | 'token'): string =>
  `its ${kind} is published in documentation or examples, or has a simple pattern`
