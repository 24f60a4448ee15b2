import { TOTPError } from '../../../core/errors.js'
import { parseName } from '../../../core/name.js'
import type { ReplayPolicy, TOTPProfile } from '../../../core/profile.js'
import { replayPolicies } from '../../../core/profile.js'
import { signedPolicies, type SignedPolicy } from '../../../core/proof/profile.js'
import type { Roster } from '../../../core/roster.js'
import { withAgentSettings, withPeerSettings } from '../../../core/settings.js'
import { peerArgument } from '../../completes.js'
import { inContext } from '../../context.js'
import { choice, deadline, profileOptions, requireHttpUrl, type Deadline } from '../../options.js'
import { newPitfalls } from '../policy-words.js'
import { changeStore } from './whole-change.js'

interface SetOptions extends Partial<TOTPProfile> {
  url?: string
  replay?: ReplayPolicy | 'inherit'
  signed?: SignedPolicy | 'inherit'
  note?: string
  expires?: Deadline | 'never'
  yes?: true
}

const [expiresFlags, expiresDescription, parseExpiry] = deadline(
  '--expires <time>',
  'of peers: when their seeds and tokens end: RFC 3339, unix seconds, 90d, or never',
)

export const define = inContext((command, context) =>
  profileOptions(
    command
      .argument(...peerArgument('[names...]', 'the peers or canaries; without one the agent'))
      .option('--url <url>', "of the agent: its address; '' removes it"),
  )
    .option(
      ...choice('--replay <policy>', 'of the agent or of peers; inherit: a peer follows the agent', [
        ...replayPolicies,
        'inherit',
      ]),
    )
    .option(
      ...choice('--signed <policy>', 'what proofs decide, of the agent or of peers; inherit as above', [
        ...signedPolicies,
        'inherit',
      ]),
    )
    .option('--note <text>', "of peers: a remark, kept in the store; '' removes it")
    .option(expiresFlags, expiresDescription, (value: string) =>
      value === 'never' ? value : parseExpiry(value),
    )
    .option('--yes', 'do not ask before a change that every peer has to hear of')
    .addHelpText(
      'after',
      `
Changes only what is named, and lists what has to be handed out again. Without NAME: --url, --window, --header,
--replay and --signed of the agent; --algorithm, --digits and --period for peers to come (those of a peer: rotate NAME
--digits …). With NAME: --replay, --signed, --note, --expires. --header and --window ask first if there are peers, or need
--yes. --replay once also sets --signed accept where no policy is set and proofs would decide nothing: see help proofs.
--expires ends what is live, and never prolongs what a rotation superseded; never removes the end.

Examples:
  $ a2a-totp set --url https://billing.example
  $ a2a-totp set --replay once
  $ a2a-totp set alice bob --replay inherit
  $ a2a-totp set alice --signed require
  $ a2a-totp set contractor --expires 2027-01-01T00:00:00Z --note "until the audit"
  $ a2a-totp set --header X-Code --yes`,
    )
    .action(async (names: string[], { yes, ...options }: SetOptions) => {
      const { before, after } = await changeStore(context, yes, changeFrom(names, options, context.now()))
      for (const pitfall of newPitfalls(before, after)) context.output.warn(pitfall)
    }),
)

/** @throws {TOTPError} `ERR_USAGE` when the options are not those of what is named, or there is none */
function changeFrom(names: string[], options: SetOptions, now: Date): (roster: Roster) => Roster {
  const { url, window, header, algorithm, digits, period, replay, signed, note, expires } = options
  const ofAgent = { url, window, header, algorithm, digits, period }
  const ofPeers = { note, expires }
  const someOf = (all: Readonly<Record<string, unknown>>): string[] =>
    Object.keys(all).filter((name) => all[name] !== undefined)
  if ([ofAgent, ofPeers, { replay, signed }].flatMap(someOf).length === 0)
    throw new TOTPError(
      'ERR_USAGE',
      'nothing to set; pass an option such as --replay, see a2a-totp set --help',
    )
  if (names.length === 0) {
    refuse(someOf(ofPeers), 'of peers', 'pass NAME')
    if (replay === 'inherit')
      throw new TOTPError('ERR_USAGE', '--replay inherit is for peers; pass NAME, or reuse or once')
    if (signed === 'inherit')
      throw new TOTPError(
        'ERR_USAGE',
        `--signed inherit is for peers; pass NAME, or one of ${signedPolicies.join(', ')}`,
      )
    const address = url === undefined ? {} : { url: url === '' ? null : requireHttpUrl('--url', url) }
    const settings = { window, header, algorithm, digits, period, replay, signed, ...address }
    return (roster) => withAgentSettings(roster, settings)
  }
  const codeNames = someOf({ algorithm, digits, period })
  const seedRemedy = `omit NAME; that of a peer changes with its seed: a2a-totp rotate ${names[0] ?? 'NAME'} --now ${codeNames.map((name) => `--${name} …`).join(' ')}`
  refuse(codeNames, 'of the agent, for peers to come', seedRemedy)
  refuse(someOf(ofAgent), 'of the agent', 'omit NAME')
  for (const name of names) parseName(name, 'peer')
  const end = expires === 'never' ? expires : expires?.(now)
  return (roster) => withPeerSettings(roster, names, { replay, signed, note, expires: end }, now)
}

function refuse(given: readonly string[], whose: string, remedy: string): void {
  if (given.length === 0) return
  const names = given.map((name) => `--${name}`).join(', ')
  throw new TOTPError('ERR_USAGE', `${names}: an option ${whose}; ${remedy}`)
}
