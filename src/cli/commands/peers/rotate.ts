import { TOTPError } from '../../../core/errors.js'
import { canariesOf, type Canary, type Peer, type Roster } from '../../../core/roster.js'
import { finishRotation, rotate, type CredentialKinds, type PeerChoice } from '../../../core/rotation.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { credentialsOf, showQrs, textOf } from './credential-rows.js'
import { duration } from '../../options.js'
import { refuseTogether } from '../../options.js'

interface RotateOptions {
  seed?: true
  token?: true
  all?: true
  olderThan?: number
  overlap?: number
  now?: true
  finish?: true
  qr?: true
  reveal?: true
}

const defaultOverlapMs = 24 * 3_600_000

export const define = inContext((command, context) =>
  command
    .argument(...peerArgument('[names...]', 'the peers; all are rotated, or none'))
    .option('--seed', 'only the seed')
    .option('--token', 'only the token')
    .option('--all', 'every peer')
    .option(
      ...duration('--older-than <time>', 'only what is older, for example 90d; without NAME, of every peer'),
    )
    .option(...duration('--overlap <time>', 'how long the old ones stay valid (default: 24h)'))
    .option('--now', 'end the old ones immediately')
    .option('--finish', 'create nothing, drop what is superseded')
    .option('--qr', 'show the new key URI as a QR code, on a terminal')
    .option('--reveal', 'print the seed, the token and the key URI')
    .addHelpText(
      'after',
      `
While old and new overlap, any live token works with any live seed. Update the agent's server file first, then each
peer's configuration, then wait or run --finish. A peer has at most two live seeds. After a leak use --now.
In a store with --shared-seed the seed belongs to all peers, so rotating it needs --all. A canary gets a new token only
if it is named: after that its old one is no longer watched.

Examples:
  $ a2a-totp rotate alice                        # then: config server, config client alice
  $ a2a-totp rotate alice --finish
  $ a2a-totp rotate mallory --token --now        # its token is in a log
  $ a2a-totp rotate --older-than 90d --overlap 7d`,
    )
    .action(async (names: string[], options: RotateOptions) => {
      const kinds = kindsOf(options)
      const choice = choiceOf(names, options)
      refuseContradictions(options)
      if (options.finish) await finish(context, choice, kinds)
      else await renew(context, choice, kinds, options)
    }),
)

/** Without either option, both. */
function kindsOf({ seed, token }: RotateOptions): CredentialKinds {
  const both = seed === token
  return { seed: both || seed === true, token: both || token === true }
}

function choiceOf(names: string[], { all, olderThan }: RotateOptions): PeerChoice {
  refuseTogether({ '--all': all, NAME: names[0] })
  if (names.length > 0) return [...new Set(names)]
  if (all ?? olderThan !== undefined) return 'all'
  throw new TOTPError('ERR_USAGE', 'no peer named; pass NAME, --all or --older-than')
}

function refuseContradictions({ olderThan, overlap, now, finish, qr, reveal }: RotateOptions): void {
  refuseTogether({ '--now': now, '--overlap': overlap })
  const forNewOnes = {
    '--now': now,
    '--overlap': overlap,
    '--older-than': olderThan,
    '--qr': qr,
    '--reveal': reveal,
  }
  for (const [option, value] of Object.entries(forNewOnes)) {
    refuseTogether({ '--finish': finish, [option]: value })
  }
}

async function renew(
  context: CliContext,
  choice: PeerChoice,
  kinds: CredentialKinds,
  options: RotateOptions,
): Promise<void> {
  const { store, output, now, random } = context
  const { olderThan, overlap = defaultOverlapMs } = options
  const at = now()
  const overlapMs = options.now ? 0 : overlap
  const madeBefore = olderThan === undefined ? undefined : new Date(at.getTime() - olderThan)
  let before: Roster | undefined
  const after = await store.update((current) => {
    before = current
    return rotate(current, choice, { ...kinds, overlapMs, madeBefore }, { at, random })
  })
  const rotated = changedPeers(before, after)
  const rows = rotated.map((peer) => credentialsOf(after, peer, options.reveal ?? false))
  output.result(rows.map(textOf).join('\n'), { peers: rows })
  const [first] = rotated
  if (!first) {
    output.say('nothing to rotate')
    return
  }
  output.say(
    options.now
      ? 'the old ones end as soon as the agent has its new server file'
      : `the old ones stay valid until ${new Date(at.getTime() + overlapMs).toISOString()}`,
  )
  output.say(`next: a2a-totp config server, then a2a-totp config client ${first.name}`)
  if (options.qr) await showQrs(context, after, rotated)
}

async function finish(
  { store, output, now }: CliContext,
  choice: PeerChoice,
  kinds: CredentialKinds,
): Promise<void> {
  const at = now()
  let before: Roster | undefined
  const after = await store.update((current) => {
    before = current
    return finishRotation(current, choice, kinds, at)
  })
  const rows = changedPeers(before, after).map((peer) => credentialsOf(after, peer, false))
  output.result(rows.map(textOf).join('\n'), { peers: rows })
  output.say(
    after === before
      ? 'nothing was superseded'
      : 'dropped what was superseded; next: update the server file, a2a-totp config server',
  )
}

/** The peers and canaries whose credentials changed. A new shared seed changes those of all peers. */
function changedPeers(before: Roster | undefined, after: Roster): (Peer | Canary)[] {
  const all = before?.sharedSeeds !== after.sharedSeeds
  return [
    ...[...after.peers.values()].filter((peer) => all || before?.peers.get(peer.name) !== peer),
    ...canariesOf(after).filter((canary) => before?.canaries?.get(canary.name) !== canary),
  ]
}
