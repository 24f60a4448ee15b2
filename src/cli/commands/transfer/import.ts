import { withCanaries, withReplaced } from '../../../core/canary.js'
import { changesBetween } from '../../../core/changes.js'
import { TOTPError } from '../../../core/errors.js'
import { withPeers } from '../../../core/provision.js'
import type { Roster } from '../../../core/roster.js'
import type { Entry } from '../../../import/index.js'
import { inContext, type CliContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'
import { refuseTogether } from '../../options.js'
import { admit, type Problem } from './import-entries.js'
import { addRename, onlyName, renameEntries, renameKnown, type Renames } from './import-names.js'
import { exportRemarks, forThisAgent, withAgentOf } from './import-agent.js'
import { refuseSeveralAgents, withServerFile, type ServerFileOptions } from './import-server-file.js'
import { report, warnOfWeakTokens, type Outcome } from './import-report.js'

interface ImportOptions extends ServerFileOptions {
  partial?: true
  rename?: Renames
  name?: string
}

export const define = inContext((command, context) =>
  command
    .argument('<file...>', 'the file, or - for standard input; several for an export in several parts')
    .option('--partial', 'import the valid entries, and report the others')
    .option('--rename <old=new>', 'import OLD, a name or a label of the file, as NEW; repeatable', addRename)
    .option('--name <name>', 'the name of the only peer in the file', onlyName)
    .option('--force', 'import a server file of another agent, or with another profile')
    .option('--allow-weak-seed', 'accept seeds of less than 128 bits (forbidden by RFC 4226 R6)')
    .option('--allow-weak-token', 'do not warn of tokens of less than 128 bits')
    .addHelpText(
      'after',
      `
The format is detected: otpauth:// or otpauth-migration:// URIs, one per line; a PNG of a QR code with one; JSON from
\`export\` or \`config server --format maps\`; a server file, and the fragments of \`config client\` that contain credentials:
env, json, yaml, kubernetes; CSV whose first line names its columns (name, seed, token, algorithm, digits, period, replay,
note, signed; only name is required); exports without encryption of Aegis, 2FAS, andOTP, Bitwarden, FreeOTP+, Ente Auth (plain
text), KeePassXC and 1Password (CSV).

A missing seed or token is created, and import reports for which peer. In JSON it is missing if its key is; an empty value
is an error. An entry with something that looks like a credential but is not recognised, for example a key "secret", is
refused, and so are accounts for HOTP, Steam and other codes that are not TOTP. An export in several QR codes is refused
unless all of its parts are passed.

A server file gives a store without peers its agent, profile, serial and peers, with the hashes of their tokens. A client
fragment completes such a peer with its token; without a fragment, run rotate NAME --token.

Examples:
  $ a2a-totp import peers.csv
  $ a2a-totp import screenshot.png --rename 'alice@example.com=alice'
  $ a2a-totp import 1.png 2.png 3.png
  $ a2a-totp import billing.json alice.env        # a lost store: from the agent, and from its peers
  $ a2a-totp import peers.json --json | jq .made
  $ pass show totp/uris | a2a-totp import - --partial`,
    )
    .action(async (paths: string[], options: ImportOptions) => {
      const { rename, name, partial } = options
      refuseTogether({ '--rename': rename, '--name': name })
      const { store, now, random, progress, signal } = context
      const { readImport } = await import('../../../import/index.js')
      const files: Uint8Array[] = []
      for (const path of paths) files.push(await readGiven(context, 'the file to import', path))
      const { servers, entries } = await progress.during('reading', () => readImport(files, now(), signal))
      if (servers.length > 0 && name !== undefined)
        throw new TOTPError(
          'ERR_USAGE',
          '--name is for one peer, and a server file has all of them; pass --rename OLD=NEW',
        )
      if (!options.force) refuseSeveralAgents(servers)
      const outcomes: Outcome[] = []
      await progress.during('importing', () =>
        store.update((roster) => {
          // An agent's file first, so that fragments complete its peers, whatever the order of the files.
          let outcome = unchanged(roster)
          for (const known of servers)
            outcome = both(
              outcome,
              withServerFile(outcome.roster, renameKnown(known, rename), options, { at: now(), random }),
            )
          if (entries.length > 0 || servers.length === 0)
            outcome = both(outcome, withEntries(context, outcome.roster, entries, options))
          outcomes.push(outcome)
          const [first] = outcome.problems
          if (first && !partial) throw refused(first, outcome.problems)
          return rosterToWrite(roster, outcome)
        }),
      )
      const outcome = outcomes.at(-1)
      if (!outcome) return
      report(context, outcome)
      if (!options.allowWeakToken) warnOfWeakTokens(context, outcome)
    }),
)

/** Nothing is written where nothing came of it: the serial stays. A file may have brought the agent alone. */
function rosterToWrite(before: Roster, { roster, peers, canaries, completed }: Outcome): Roster {
  const brought = peers.length + canaries.length + completed.length > 0
  const isNewer = (roster.serial ?? 0) > (before.serial ?? 0)
  return brought || isNewer || changesBetween(before, roster).length > 0 ? roster : before
}

const unchanged = (roster: Roster): Outcome => ({
  roster,
  peers: [],
  canaries: [],
  completed: [],
  made: [],
  sharing: [],
  problems: [],
  remarks: [],
})

/** Two outcomes, one after the other. */
const both = (one: Outcome, next: Outcome): Outcome => ({
  roster: next.roster,
  peers: [...one.peers, ...next.peers],
  canaries: [...one.canaries, ...next.canaries],
  completed: [...one.completed, ...next.completed],
  made: [...one.made, ...next.made],
  sharing: [...one.sharing, ...next.sharing],
  problems: [...one.problems, ...next.problems],
  remarks: [...one.remarks, ...next.remarks],
})

function withEntries(
  { now, random }: CliContext,
  before: Roster,
  given: readonly Entry[],
  options: ImportOptions,
): Outcome {
  const { entries, remarks } = forThisAgent(before, renameEntries(given, options))
  const making = { at: now(), random }
  const { taken, imported, canaries, completed, made, sharing, problems } = admit(
    before,
    entries,
    options,
    making,
  )
  const roster = withAgentOf(before, taken)
  const peers = new Map(roster.peers)
  for (const one of completed) if ('seeds' in one) peers.set(one.name, one)
  const bait = completed.filter((one) => !('seeds' in one))
  const complete = completed.length === 0 ? roster : { ...roster, peers }
  const withBait = bait.length === 0 ? complete : withReplaced(complete, bait)
  const withThem = imported.length === 0 ? withBait : withPeers(withBait, imported)
  return {
    roster: canaries.length === 0 ? withThem : withCanaries(withThem, canaries),
    peers: imported.map(({ name }) => name),
    canaries: canaries.map(({ name }) => name),
    completed: completed.map(({ name }) => name),
    made,
    sharing,
    problems,
    remarks: [...remarks, ...exportRemarks(roster, taken), ...agentRemark(before, roster)],
  }
}

/** What a store without peers takes from a fragment. */
function agentRemark(before: Roster, { agent, url, profile }: Roster): string[] {
  const taken = [
    ...(agent === before.agent ? [] : [`the name ${agent}`]),
    ...(url === before.url || url === undefined ? [] : [`the URL ${url}`]),
    ...(profile.header === before.profile.header ? [] : [`the header ${profile.header}`]),
    ...(profile.window === before.profile.window ? [] : [`the window ${profile.window}`]),
  ]
  return taken.length === 0 ? [] : [`took ${taken.join(', ')} of the agent from the file`]
}

/** An existing peer is a negative answer; anything else makes the file unusable. */
function refused(first: Problem, problems: readonly Problem[]): TOTPError {
  const { where, problem } = first
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`
  return new TOTPError(
    problems.every(({ code }) => code === 'ERR_PEER_EXISTS') ? 'ERR_PEER_EXISTS' : 'ERR_IMPORT_INVALID',
    `${where}: ${problem}${more}; nothing was imported; pass --partial to import the rest`,
  )
}
