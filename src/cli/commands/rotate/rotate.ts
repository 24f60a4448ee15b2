import { TOTPError } from '../../../core/errors.js'
import type { Canary, Peer, Roster } from '../../../core/roster.js'
import { rotate, type PeerChoice, type Rotation } from '../../../core/rotation.js'
import { listSome } from '../../../core/text.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { codeOptions, duration, refuseTogether } from '../../options.js'
import { credentialsOf, showQrs, textOf } from '../peers/credential-rows.js'
import { configClientAgain, configServerAgain } from '../config-commands.js'
import { changedEnds, changedHolders, endsOfNew, endsOfOld, untilOf, wordsOfNew } from './ends.js'
import { finish } from './finish.js'
import { forgetEnded } from './forget-ended.js'
import { isStaged } from './given-options.js'
import {
  choiceOf,
  kindsOf,
  refuseContradictions,
  requireStagedOptions,
  rotationOf,
  stagedOptions,
  type RotateOptions,
} from './rotate-options.js'

export const define = inContext((command, context) =>
  stagedOptions(
    codeOptions(
      command
        .argument(...peerArgument('[names...]', 'the peers; all are rotated, or none'))
        .option('--seed', 'only the seed')
        .option('--token', 'only the token')
        .option('--all', 'every peer')
        .option(
          ...duration(
            '--older-than <time>',
            'only what is older, for example 90d; without NAME, of every peer',
          ),
        )
        .option(...duration('--overlap <time>', 'how long the old ones stay valid (default: 24h)'))
        .option('--now', 'end the old ones immediately')
        .option('--finish', 'create nothing, drop what is superseded')
        .option('--dry-run', 'print what would change, and change nothing'),
    ),
  )
    .option('--yes', 'do not ask, with --all --now or --older-than --now')
    .option('--qr', 'show the new key URI as a QR code, on a terminal')
    .option('--reveal', 'print the seed, the token and the key URI')
    .addHelpText(
      'after',
      `
While old and new overlap, any live token works with any live seed. Update the agent's server file first, then each
peer's configuration, then wait or run --finish, which takes --server-out and --deliver-server, too. A peer has at most
two live seeds. After a leak use --now.
What ends (add-peer --expires) is followed by new ones that end at the same time; set NAME --expires changes that. If the
old ones have expired, the new ones have no end.
In a store with --shared-seed the seed belongs to all peers, so rotating it needs --all. A canary gets a new token only
if it is named: after that its old one is no longer watched.
--digits, --algorithm and --period change how a peer's codes are made. The agent has one such setting a peer, so no old
seed can stay valid beside the new one: only tokens overlap. With --overlap or a delivery they need --now.

With --deliver, --server-out, --deliver-server or --prove the rotation does the whole way, in this order: new credentials
are staged; the agent gets its server file; the agent lets the new ones in (--prove, --wait); the peer gets its fragment;
it is proved; the old ones end with the overlap; the agent gets its server file again. Where a step fails the old ones
stay, the exit code is 1, and --resume goes on from there; --abandon drops what was not delivered. A step may be done
twice, after an interruption, so COMMAND has to be one that may. COMMAND runs by /bin/sh, once for each peer, with
$A2A_TOTP_PEER, $A2A_TOTP_AGENT and $A2A_TOTP_FORMAT, and without any other A2A_TOTP_ variable. Its umask is 077: a file
that it creates here is readable only by you.

Examples:
  $ a2a-totp rotate alice                        # then: config server, config client alice
  $ a2a-totp rotate alice --finish
  $ a2a-totp rotate mallory --token --now        # its token is in a log
  $ a2a-totp rotate --older-than 90d --overlap 7d --dry-run
  $ a2a-totp rotate alice --server-out server.json --prove https://billing.example \\
      --deliver 'ssh alice.example "umask 077; cat > a2a.env.new && mv a2a.env.new a2a.env"'
  $ a2a-totp rotate --resume`,
    )
    .action((names: string[], options: RotateOptions) => run(context, names, options)),
)

async function run(context: CliContext, given: string[], options: RotateOptions): Promise<void> {
  refuseContradictions(options)
  const names = [...new Set(given)]
  if (options.resume ?? options.abandon) {
    refuseTogether({ '--all': options.all, NAME: names[0] })
    const { abandon, resume } = await import('./staged-commands.js')
    return options.resume ? resume(context, names, options) : abandon(context, names, options)
  }
  const kinds = kindsOf(options)
  const choice = choiceOf(names, options)
  const staged = requireStagedOptions(options)
  if (options.finish) return finish(context, choice, kinds, options)
  const rotation = rotationOf(context, kinds, options)
  if (options.dryRun) return dryRun(context, choice, rotation, options)
  if (choice === 'all' && options.now) await confirmUnnamed(context, rotation, options)
  if (!staged) return renew(context, choice, rotation, options)
  const { rotateStaged } = await import('./staged-commands.js')
  return rotateStaged(context, choice, rotation, options)
}

/** Asks before credentials of peers end that nobody named. What would be refused is refused before the question. */
async function confirmUnnamed(
  { store, confirm, now, random }: CliContext,
  rotation: Rotation,
  { all, yes }: RotateOptions,
): Promise<void> {
  const roster = await store.read()
  const after = rotate(roster, 'all', rotation, { at: now(), random })
  const names = changedHolders(roster, after).map(({ name }) => name)
  if (!all && names.length === 0) return
  const { size } = roster.peers
  const isAll = all ?? names.length === size
  const whose = !isAll ? listSome(names) : size === 1 ? 'the only peer' : `all ${size} peers`
  const question = `End the credentials of ${whose} of ${roster.agent} now?`
  if (yes || (await confirm(question, '--yes'))) return
  throw new TOTPError('ERR_DECLINED', 'nothing was rotated')
}

async function dryRun(
  context: CliContext,
  choice: PeerChoice,
  rotation: Rotation,
  options: RotateOptions,
): Promise<void> {
  const { store, now, random } = context
  const at = now()
  if (isStaged(options)) {
    const { requireStageable } = await import('./staged-commands.js')
    await requireStageable(context, choice, rotation, options)
  }
  const before = await store.read()
  const after = rotate(before, choice, rotation, { at, random })
  const { showPlan } = await import('./dry-run.js')
  showPlan(context, before, after, changedHolders(before, after), at)
}

async function renew(
  context: CliContext,
  choice: PeerChoice,
  rotation: Rotation,
  options: RotateOptions,
): Promise<void> {
  const { store, output, now, random } = context
  const at = now()
  let before: Roster | undefined
  const after = await store.update((current) => {
    before = current
    return rotate(current, choice, rotation, { at, random })
  })
  forgetEnded(context, before ?? after, after)
  const rotated = changedHolders(before, after)
  const rows = rotated.map((peer) => credentialsOf(after, peer, options.reveal ?? false))
  const ends = changedEnds(before ?? after, after, rotated, at)
  output.result(rows.map(textOf).join('\n'), { peers: rows, ends })
  const [first] = rotated
  if (!first) {
    output.say('nothing to rotate')
    return
  }
  sayEnds(context, before ?? after, after, { rotation, rotated, at })
  output.say(`next: ${configServerAgain}, then ${configClientAgain(rotated.map(({ name }) => name))}`)
  if (options.qr) await showQrs(context, after, rotated)
}

/** Says how long the old credentials stay valid, and when the new ones end, if they do. */
function sayEnds(
  { output }: CliContext,
  before: Roster,
  after: Roster,
  {
    rotation,
    rotated,
    at,
  }: { readonly rotation: Rotation; readonly rotated: readonly (Peer | Canary)[]; readonly at: Date },
): void {
  const until = untilOf(endsOfOld(before, after, rotated, at))
  if (rotation.overlapMs === 0) output.say('the old ones end as soon as the agent has its new server file')
  else if (!rotation.profile)
    output.say(until === undefined ? 'the old ones have expired' : `the old ones stay valid ${until}`)
  else {
    const tokens = until === undefined ? '' : `; the old tokens stay valid ${until}`
    output.warn(`the old seeds end as soon as the agent has its new server file, since codes change${tokens}`)
  }
  const words = wordsOfNew(endsOfNew(before, after, rotated))
  if (words !== undefined) output.say(words)
}
