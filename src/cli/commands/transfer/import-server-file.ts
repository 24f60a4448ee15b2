import { isTOTPError, TOTPError } from '../../../core/errors.js'
import { quoteName } from '../../../core/name.js'
import { tokenCredential, type ProvisionOptions } from '../../../core/provision.js'
import { differingFields, withKnownAgent, type KnownAgent } from '../../../core/rebuild.js'
import { isLive, type Roster } from '../../../core/roster.js'
import { mostLiveSeeds } from '../../../core/rotation.js'
import { requireStrongSeed, weakSeedProblem } from '../../../core/seed.js'
import { SeedOwners } from '../../../core/seed-owners.js'
import { listSome } from '../../../core/text.js'
import { makeToken } from '../../../core/token.js'
import type { Problem, StrengthOptions } from './import-entries.js'
import type { Outcome } from './import-report.js'

export interface ServerFileOptions extends StrengthOptions {
  force?: true
}

/** A store is of one agent. */
export function refuseSeveralAgents(servers: readonly KnownAgent[]): void {
  const agents = [...new Set(servers.map(({ agent }) => quoteName(agent)))]
  if (agents.length > 1)
    throw new TOTPError(
      'ERR_IMPORT_INVALID',
      `there are server files of several agents (${listSome(agents)}); import each into a store of its own, or pass --force`,
    )
}

/** Adds the peers of a server file to a roster. One without a token gets a new one: its own have expired. */
export function withServerFile(
  before: Roster,
  file: KnownAgent,
  options: ServerFileOptions,
  making: ProvisionOptions,
): Outcome {
  const tokenless = new Set(file.peers.filter(({ tokens }) => tokens.length === 0).map(({ name }) => name))
  const known = withTokens(before, file, making)
  const { sharing, refused } = repeatedSeeds(before, known, making.at)
  const unfit = [...weakSeeds(known, options), ...tooManySeeds(known, making.at), ...refused]
  const left = new Set(unfit.map(({ name }) => name))
  const strong = { ...known, peers: known.peers.filter(({ name }) => !left.has(name)) }
  const { roster, added, completed, conflicts } = withKnownAgent(before, strong, options.force ?? false)
  const problems = [...unfit, ...conflicts].map(({ name, message }): Problem => ({
    where: `peers.${name}`,
    problem: message,
    code: 'ERR_IMPORT_INVALID',
  }))
  if (added.length + completed.length + problems.length === 0 && known.peers.length > 0) {
    problems.push({ where: 'the server file', problem: 'its peers already exist', code: 'ERR_PEER_EXISTS' })
  }
  return {
    roster,
    peers: added.filter((name) => roster.peers.has(name)),
    canaries: added.filter((name) => roster.canaries?.has(name)),
    completed,
    sharing: added.filter((name) => sharing.has(name)),
    made: added.filter((name) => tokenless.has(name)).map((peer) => ({ peer, seed: false, token: true })),
    problems,
    remarks: hasAgentOf(before, roster)
      ? []
      : [`took the name and profile of agent ${roster.agent} from the file`],
  }
}

/** Whether both have one name and one profile of the agent. */
function hasAgentOf(one: Roster, other: Roster): boolean {
  return one.agent === other.agent && differingFields(one.profile, other.profile).length === 0
}

/** Peers that the store knows already keep the tokens that they have there. */
function withTokens(before: Roster, known: KnownAgent, making: ProvisionOptions): KnownAgent {
  const peers = known.peers.map((peer) =>
    peer.tokens.length > 0 || before.peers.has(peer.name)
      ? peer
      : { ...peer, tokens: [tokenCredential(makeToken(making.random), making)] },
  )
  return { ...known, peers }
}

function weakSeeds(
  known: KnownAgent,
  { allowWeakSeed }: ServerFileOptions,
): { name: string; message: string }[] {
  const remedy = 'replace it, or pass --allow-weak-seed'
  for (const { seed } of known.sharedSeeds ?? []) requireStrongSeed(seed, allowWeakSeed ?? false, remedy)
  return known.peers.flatMap(({ name, seeds }) => {
    const [message] = allowWeakSeed ? [] : seeds.flatMap(({ seed }) => weakSeedProblem(seed, remedy) ?? [])
    return message === undefined ? [] : [{ name, message }]
  })
}

/** Peers with a seed that another one has, and those that no agent takes beside the other. */
function repeatedSeeds(
  before: Roster,
  { peers }: KnownAgent,
  at: Date,
): { sharing: Set<string>; refused: { name: string; message: string }[] } {
  const owners = new SeedOwners(before, at)
  const sharing = new Set<string>()
  const refused: { name: string; message: string }[] = []
  for (const peer of peers) {
    try {
      if (owners.add({ ...peer, profile: peer })) sharing.add(peer.name)
    } catch (error) {
      if (!isTOTPError(error)) throw error
      refused.push({ name: peer.name, message: error.message })
    }
  }
  return { sharing, refused }
}

/** A peer with more could not be rotated any more. */
function tooManySeeds({ peers }: KnownAgent, at: Date): { name: string; message: string }[] {
  return peers
    .filter(({ seeds }) => seeds.filter((one) => isLive(one, at)).length > mostLiveSeeds)
    .map(({ name }) => ({
      name,
      message: `has more than ${mostLiveSeeds} live seeds; remove those that are not in use`,
    }))
}
