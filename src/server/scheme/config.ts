import { randomBytes } from 'node:crypto'
import { TOTPError } from '../../core/errors.js'
import {
  insecureProfileRules,
  parseProfile,
  parseReplay,
  profileRules,
  type TOTPProfile,
} from '../../core/profile.js'
import { makeSeed } from '../../core/seed.js'
import { budgetsByDigits, defaultBudgets } from '../../state/budgets.js'
import type { State } from '../../state/state.js'
import { Canaries } from './canaries.js'
import { FirstFactor } from './first-factor.js'
import { endOfGrant } from './grants.js'
import type { LeaseRules } from './leases.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import { makePeer, makePeers, type SchemePeer } from './peers.js'

/** What requests are checked against. A changed server file brings a new one, while the state stays. */
export interface SchemeConfig {
  readonly profile: TOTPProfile
  /** The name of the header field that carries the code, in lower case. */
  readonly codeField: string
  readonly firstFactor: FirstFactor
  /** When what let a caller in ends under this config. */
  readonly leaseRules: LeaseRules
  readonly canaries: Canaries
  /** Takes the peer's place if a token belongs to none, so that it takes as long as a wrong code. */
  readonly decoy: SchemePeer
}

/**
 * As many as by default. It counts no guesses of anyone, but one each time step, and once they were exhausted, it would
 * take another time than a peer.
 */
const decoyBudgets = defaultBudgets.map(({ seconds }) => ({ limit: 10_000, seconds }))

/**
 * @throws {TOTPError} for options that contradict each other, could never let anyone in, or need more than the state
 *   supports; see the constructor of `TOTPServerAuthScheme`.
 */
export function makeConfig(
  options: TOTPServerAuthSchemeOptions,
  state: Pick<State, 'supports'>,
): SchemeConfig {
  if ('guard' in options) {
    throw new TOTPError('ERR_CONFIG_INVALID', 'the option guard is not known; the state is passed as `state`')
  }
  const profile = parseProfile(
    { ...options.profile },
    options.allowInsecureWindow ? insecureProfileRules : profileRules,
  )
  const defaults = {
    profile,
    replay: parseReplay(options.replay),
    budgetsFor: budgetsByDigits(options.throttle ?? {}, profile.window),
    allowWeakSeeds: options.allowWeakSeeds ?? false,
  }
  const peers = makePeers(options, defaults)
  if (peers.once && !state.supports.once) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'replay is "once", which this state does not support; pass one that does',
    )
  }
  const firstFactor = new FirstFactor(options, peers)
  const canaries = new Canaries(options.canaries, (tokenHash) => firstFactor.lists(tokenHash))
  return {
    profile,
    codeField: profile.header.toLowerCase(),
    firstFactor,
    leaseRules: {
      mark: {},
      endOf: (grant) => (canaries.find(grant.tokenHash) ? -Infinity : endOfGrant(grant, firstFactor, peers)),
    },
    canaries,
    decoy: makePeer('', makeSeed(profile.algorithm, randomBytes), {
      ...defaults,
      budgetsFor: () => decoyBudgets,
    }),
  }
}
