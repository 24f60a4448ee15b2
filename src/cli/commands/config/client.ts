import type { Command } from 'commander'
import { asBait } from '../../../core/canary.js'
import { TOTPError } from '../../../core/errors.js'
import { peerNamed } from '../../../core/provision.js'
import type { Canary, Peer, Roster } from '../../../core/roster.js'
import { clientFragments, renderClientFragment, type ClientFormat } from '../../../fragments/index.js'
import { peerArgument } from '../../completes.js'
import type { CliContext } from '../../context.js'
import { secretOutOptions, type SecretOutOptions } from '../../io/result-file.js'
import { formatOption, listFormats, writeFragment } from './format.js'
import { checkVendored, requireVendorable, vendoredOptions, type VendoredOptions } from './vendored.js'

/** `config client`: what one peer needs. */
export function defineClient(command: Command, context: CliContext): void {
  secretOutOptions(
    vendoredOptions(
      command
        .description('print the fragment for one peer: its token and its seed')
        .argument(...peerArgument('[name]', 'the peer'))
        .option(...formatOption(clientFragments), 'env'),
    ),
  )
    .addHelpText(
      'after',
      `${listFormats(clientFragments)}
For a canary (add-peer --canary) it prints bait: a fragment with its token, and a seed that is made up each time.

Examples:
  $ a2a-totp config client alice --out alice.env
  $ a2a-totp config client alice --format json | ssh alice.example 'umask 077; cat > totp.json'
  $ a2a-totp config client alice --format crewai --vendored --out a2a_totp_crewai_client.py
  $ a2a-totp config client --check a2a_totp_crewai_client.py   # does it match this version?`,
    )
    .action(async (name: string | undefined, options: ClientOptions) => {
      const { format, vendored, check, ...out } = options
      // A vendored file is the same for all peers.
      if (check !== undefined) return checkVendored(context, check, options)
      requireVendorable(format, vendored)
      if (name === undefined)
        throw new TOTPError(
          'ERR_USAGE',
          "missing required argument 'name'; see a2a-totp config client --help",
        )
      const roster = await context.store.read()
      const canary = roster.canaries?.get(name)
      const input = canary ? bait(context, roster, canary, format) : { roster, peer: peerNamed(roster, name) }
      const fragment = await renderClientFragment(format, { ...input, at: context.now(), vendored })
      // Bait is no secret, and may be planted in a repository.
      await writeFragment(context, out, canary ? { ...fragment, secret: false } : fragment)
    })
}

interface ClientOptions extends SecretOutOptions, VendoredOptions {
  format: ClientFormat
}

/** @throws {TOTPError} `ERR_USAGE` for a format without credentials, which is no bait */
function bait(
  { output, random }: CliContext,
  roster: Roster,
  canary: Canary,
  format: ClientFormat,
): { roster: Roster; peer: Peer } {
  if (!clientFragments[format].secret) {
    const formats = Object.entries(clientFragments).flatMap(([key, { secret }]) => (secret ? key : []))
    throw new TOTPError(
      'ERR_USAGE',
      `${format} has no credentials in it, so it is no bait; for a canary use --format ${formats.join(', ')}`,
    )
  }
  output.say(
    `${canary.name} is a canary: plant this where only an intruder finds it. Its seed is made up; the agent refuses its token and reports each use`,
  )
  return asBait(roster, canary, { random })
}
