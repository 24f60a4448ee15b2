import { canariesOf, type Peer, type Roster } from '../../../core/roster.js'
import type { Seed } from '../../../core/seed.js'
import { runOperatorCommand } from '../../../programs/operator-command.js'
import type { CliContext } from '../../context.js'
import { MaskedOutput } from './masked-output.js'

/** Why a delivery did not succeed; undefined when it did. */
export type Problem = string | undefined

/** A command of an operator that gets a file on standard input. */
export interface MaskedCommand {
  readonly command: string
  /** What its lines begin with. */
  readonly label: string
  readonly input: string
  readonly own: Readonly<Record<string, string>>
  readonly cwd: string
  /** In seconds. */
  readonly timeout: number
  /** What none of its lines may show. */
  readonly secrets: Secrets
}

export interface Secrets {
  readonly seeds: readonly Seed[]
  readonly tokens: readonly string[]
}

/** The secrets of some peers of a roster; of all of them with those of its canaries. */
export function secretsOf(roster: Roster, peers: readonly Peer[]): Secrets {
  const isAll = peers.length === roster.peers.size
  const holders = [...peers, ...(isAll || peers.length > 1 ? canariesOf(roster) : [])]
  return {
    seeds: [...peers.flatMap(({ seeds }) => seeds), ...(roster.sharedSeeds ?? [])].map(({ seed }) => seed),
    tokens: holders.flatMap(({ tokens }) => tokens.flatMap(({ token }) => token.value ?? [])),
  }
}

/** Runs the command. What it prints goes to standard error, without secrets. */
export async function runMasked(
  { env, signal, output, progress }: CliContext,
  { command, label, input, own, cwd, timeout, secrets }: MaskedCommand,
): Promise<Problem> {
  const masked = new MaskedOutput(secrets)
  const onLine = (line: string): void => {
    progress.stop()
    output.remark(`${label}: ${masked.clean(line)}`)
  }
  const timeoutMs = timeout * 1000
  return runOperatorCommand({ command, cwd, env, own, input, timeoutMs, onLine }, signal)
}
