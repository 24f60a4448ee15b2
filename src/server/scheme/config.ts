import { randomBytes } from 'node:crypto'
import { TOTPError } from '../../core/errors.js'
import {
  insecureProfileRules,
  parseProfile,
  parseReplay,
  profileRules,
  type TOTPProfile,
} from '../../core/profile.js'
import { isName, nameRule } from '../../core/name.js'
import { parseSigned, type SignedPolicy } from '../../core/proof/profile.js'
import { makeSeed } from '../../core/seed.js'
import { budgetsByDigits, defaultBudgets } from '../../state/budgets.js'
import type { State } from '../../state/state.js'
import { Canaries } from './canaries.js'
import { FirstFactor } from './first-factor.js'
import { endOfGrant } from './grants.js'
import type { LeaseRules } from './leases.js'
import type { TOTPServerAuthSchemeOptions } from './options.js'
import { makePeer, makePeers, type SchemePeer } from './peers.js'
import { ProofKeys } from './proof-keys.js'
import { parsePathPrefix } from './path-prefix.js'
import { ProofCheck } from './proofs.js'

/** What requests are checked against. A changed server file brings a new one, while the state stays. */
export interface SchemeConfig {
  readonly profile: TOTPProfile
  /** The name of the header field that carries the code, in lower case. */
  readonly codeField: string
  /** The agent's name, if it is known. */
  readonly agent: string | undefined
  /** The scheme's own policy for proofs, for its challenges and its card. */
  readonly signed: SignedPolicy
  /** Whether that policy, or any peer's own, lets nobody in without a proof. */
  readonly requiresProofs: boolean
  /** Undefined where no peer's proofs are looked at. */
  readonly proofs: ProofCheck | undefined
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
 * @param previous the config that it replaces
 * @throws {TOTPError} for options that contradict each other, could never let anyone in, or need more than the state
 *   supports; see the constructor of `TOTPServerAuthScheme`.
 */
export function makeConfig(
  options: TOTPServerAuthSchemeOptions,
  state: Pick<State, 'supports'>,
  previous?: SchemeConfig,
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
    signed: parseSigned(options.signed ?? 'off'),
    budgetsFor: budgetsByDigits(options.throttle ?? {}, profile.window),
    allowWeakSeeds: options.allowWeakSeeds ?? false,
  }
  const peers = makePeers(options, defaults)
  if (peers.once && !isAble(state, 'once')) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'replay is "once", which this state does not support; pass one that does',
    )
  }
  if (peers.spendsProofs && !isAble(state, 'proofs')) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'signed is "accept" or "require", which this state does not support; pass one that does',
    )
  }
  const { agent } = options
  if (agent === undefined ? peers.readsProofs || defaults.signed !== 'off' : !isName(agent)) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      agent === undefined
        ? 'proofs are bound to the name of the agent; pass agent, or signed "off"'
        : `agent must be ${nameRule}`,
    )
  }
  const pathPrefix = parsePathPrefix(options.pathPrefix)
  const firstFactor = new FirstFactor(options, peers)
  const canaries = new Canaries(options.canaries, (tokenHash) => firstFactor.lists(tokenHash))
  const codeField = profile.header.toLowerCase()
  const decoy = makePeer('', makeSeed(profile.algorithm, randomBytes), {
    ...defaults,
    budgetsFor: () => decoyBudgets,
  })
  return {
    profile,
    codeField,
    agent,
    signed: defaults.signed,
    requiresProofs: defaults.signed === 'require' || peers.requiresProofs,
    proofs:
      peers.readsProofs && agent !== undefined
        ? new ProofCheck(
            { agent, codeField, pathPrefix, longestPeriod: peers.longestPeriod, decoy },
            new ProofKeys(agent, peers.signingSeeds, previous?.proofs?.keys),
          )
        : undefined,
    firstFactor,
    leaseRules: {
      mark: {},
      endOf: (grant) => (canaries.find(grant.tokenHash) ? -Infinity : endOfGrant(grant, firstFactor, peers)),
    },
    canaries,
    decoy,
  }
}

/** What a state does not say it cannot do: in JavaScript, it may leave out all of it. */
function isAble(
  state: { readonly supports?: Partial<State['supports']> },
  ability: keyof State['supports'],
): boolean {
  return state.supports?.[ability] === true
}
