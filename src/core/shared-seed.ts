import { TOTPError } from './errors.js'
import { quoteName } from './name.js'
import type { CodeProfile, ReplayPolicy } from './profile.js'
import type { SignedPolicy } from './proof/profile.js'
import { policiesOf, type Roster } from './roster.js'
import { listSome } from './text.js'

/**
 * Returns whether peers with these policies may share a seed. Under `once` they may not: a seed has the same codes for all
 * its peers, so a request of one would spend those of the others. Where a proof is required of each request, any number of
 * them may share a code.
 */
export function mayShareSeed({ replay, signed }: Policies): boolean {
  return replay !== 'once' || signed === 'require'
}

interface Policies {
  readonly replay: ReplayPolicy
  readonly signed?: SignedPolicy | undefined
}

/** Why peers under `once` may not share a seed, as the end of a sentence. */
export const sharedOnce = 'with one seed for all peers, a request of one would spend the codes of the others'

/**
 * Returns why policy `once` is refused where peers share a seed, and what would be right.
 *
 * @param whose said after the policy
 */
export function notSharable(replay: ReplayPolicy, whose = ''): string {
  return `policy ${replay}${whose}: ${sharedOnce}; add --signed require, use --replay reuse, or create a store without --shared-seed`
}

const mostNames = 5

/** What is wrong with a roster, and what would be right. */
export interface RosterProblem {
  /** What does not go together with a shared seed. */
  readonly kind: 'once' | 'profile'
  readonly message: string
  readonly fix: string
}

/**
 * Returns whether codes of one seed are the same for two peers. If they are not, they cannot share it: what was used of one
 * says nothing of the other.
 */
export function makeSameCodes(one: CodeProfile, other: CodeProfile): boolean {
  return one.algorithm === other.algorithm && one.digits === other.digits && one.period === other.period
}

/** What decides whether a peer may share a seed with another. */
export interface SeedUse extends Policies {
  readonly profile: CodeProfile
}

/**
 * Returns why no agent takes one seed for two peers, to be said after whose seed it is; undefined where they may share it.
 */
export function repeatedSeedProblem(one: SeedUse, other: SeedUse): string | undefined {
  if (!makeSameCodes(one.profile, other.profile)) return ' with another algorithm, digits or period'
  return mayShareSeed(one) && mayShareSeed(other) ? undefined : `: ${sharedOnce}`
}

/** Returns why a server refuses a roster whose peers share a seed; undefined if it does not. */
export function sharedSeedProblem(roster: Roster): RosterProblem | undefined {
  if (!roster.sharedSeeds) return undefined
  const peers = [...roster.peers.values()]
  const [first] = peers
  const other = first && peers.find((peer) => !makeSameCodes(first, peer))
  if (other) {
    return {
      kind: 'profile',
      message: `${quoteName(first.name)} and ${quoteName(other.name)} share a seed with different algorithms, digits or periods`,
      fix: `remove ${quoteName(other.name)} and add it again without --algorithm, --digits and --period`,
    }
  }
  const names = peers
    .filter((peer) => !mayShareSeed(policiesOf(roster, peer)))
    .map(({ name }) => quoteName(name))
  if (names.length > 0) {
    return {
      kind: 'once',
      message: `policy once of ${listSome(names, mostNames)}: ${sharedOnce}`,
      fix: `create a store without --shared-seed, or run \`a2a-totp set NAME --signed require\` or \`--replay reuse\` for such peers`,
    }
  }
  if (peers.length > 0 || mayShareSeed(roster)) return undefined
  return {
    kind: 'once',
    message: `policy once of the agent: ${sharedOnce}`,
    fix: 'create a store without --shared-seed, or run `a2a-totp set --signed require` or `set --replay reuse`',
  }
}

/** @throws {TOTPError} `ERR_CONFIG_INVALID` when a server would refuse the roster because its peers share a seed */
export function requireSharable(roster: Roster): void {
  const problem = sharedSeedProblem(roster)
  if (problem) throw new TOTPError('ERR_CONFIG_INVALID', `${problem.message}; ${problem.fix}`)
}
