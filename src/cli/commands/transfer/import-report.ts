import { newestLive, seedsOf, type Peer, type Roster } from '../../../core/roster.js'
import { repeatedSeedWarning } from '../../../core/seed-owners.js'
import { listSome } from '../../../core/text.js'
import { minimumTokenBits } from '../../../core/token.js'
import type { CliContext } from '../../context.js'
import type { Made, Problem } from './import-entries.js'

/** What an import did to a store, or would do. */
export interface Outcome {
  readonly roster: Roster
  readonly peers: readonly string[]
  readonly canaries: readonly string[]
  readonly completed: readonly string[]
  readonly made: readonly Made[]
  /** Imported peers with a seed that another peer has. */
  readonly sharing: readonly string[]
  readonly problems: readonly Problem[]
  /** What it took of the agent, and what it did not, in words. */
  readonly remarks: readonly string[]
}

/** Prints what an import did. */
export function report({ output, now }: CliContext, outcome: Outcome): void {
  const { roster, peers, canaries, completed, made, sharing, problems, remarks } = outcome
  for (const { where, problem } of problems) output.warn(`${where}: ${problem}`)
  const count = peers.length + canaries.length
  const completing = completed.length === 0 ? '' : `completed ${completed.length}, `
  output.result(`imported ${count}, ${completing}skipped ${problems.length}`, {
    imported: count,
    skipped: problems.length,
    peers,
    ...(canaries.length > 0 && { canaries }),
    ...(completed.length > 0 && { completed: completed.length, completedPeers: completed }),
    made,
    problems,
    ...(remarks.length > 0 && { remarks }),
  })
  for (const remark of [...remarks, ...remarksOn(made), ...hashRemark(roster, [...peers, ...completed])])
    output.say(remark)
  const dead = expiredIn(roster, [...peers, ...canaries], now())
  if (dead.length > 0)
    output.warn(`what was imported for ${listSome(dead)} has expired already; run a2a-totp rotate NAME`)
  if (sharing.length > 0) output.warn(repeatedSeedWarning(sharing))
}

/** Those of the names that the agent refuses from the start. */
function expiredIn(roster: Roster, names: readonly string[], at: Date): string[] {
  return names.filter((name) => {
    const peer = roster.peers.get(name)
    const tokens = (peer ?? roster.canaries?.get(name))?.tokens ?? []
    return (
      newestLive(tokens, at) === undefined || (peer && newestLive(seedsOf(roster, peer), at) === undefined)
    )
  })
}

/** Warns of tokens that are easy to guess. They are not refused: they are in use elsewhere already. */
export function warnOfWeakTokens({ output }: CliContext, { roster, peers, completed, made }: Outcome): void {
  // Judging a token takes longer than importing it, and one that was created here needs none.
  const created = new Set(made.filter(({ token }) => token).map(({ peer }) => peer))
  const weak = [...peers, ...completed].filter((name) => {
    if (created.has(name)) return false
    const token = roster.peers.get(name)?.tokens.at(-1)?.token
    return token?.value !== undefined && !token.strong
  })
  if (weak.length > 0)
    output.warn(
      `${weak.length === 1 ? 'the token' : 'the tokens'} of ${listSome(weak)} may be guessed: less than ${minimumTokenBits} bits, judged by length and characters; run a2a-totp rotate NAME --token`,
    )
}

/** A token that is known by its hash is enough for the agent, and not for its peer. */
function hashRemark({ peers }: Roster, names: readonly string[]): string[] {
  const hashed = names.filter((name) => hasNoToken(peers.get(name)))
  if (hashed.length === 0) return []
  return [
    `only the hash is known of the token of ${listSome(hashed)}; import each peer's own configuration, or run a2a-totp rotate NAME --token`,
  ]
}

const hasNoToken = (peer: Peer | undefined): boolean =>
  peer !== undefined && peer.tokens.at(-1)?.token.value === undefined

/** One line per kind of new credential, so that none is created unnoticed. */
function remarksOn(made: readonly Made[]): string[] {
  const kinds: [what: string, of: (one: Made) => boolean][] = [
    ['a new seed and a new token', ({ seed, token }) => seed && token],
    ['a new seed', ({ seed, token }) => seed && !token],
    ['a new token', ({ seed, token }) => !seed && token],
  ]
  return kinds.flatMap(([what, of]) => {
    const names = made.filter(of).map(({ peer }) => peer)
    return names.length === 0 ? [] : `created ${what} for ${listSome(names)}`
  })
}
