import type { Command } from 'commander'
import { peerNamed } from '../../../core/provision.js'
import { clientFragments, renderClientFragment, type ClientFormat } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { outOptions, type OutOptions } from '../../io/result-file.js'
import { formatOption, listFormats, writeFragment } from './format.js'

/** `config client`: what one peer needs. */
export function defineClient(command: Command, context: CliContext): void {
  outOptions(
    command
      .description('print the fragment for one peer: its token and its seed')
      .argument('<name>', 'the peer')
      .option(...formatOption(clientFragments), 'env'),
  )
    .addHelpText(
      'after',
      `${listFormats(clientFragments)}
Examples:
  $ a2a-totp config client alice --out alice.env
  $ a2a-totp config client alice --format json | ssh alice.example 'umask 077; cat > totp.json'
  $ a2a-totp config client alice --format crewai --out a2a_totp_crewai_client.py`,
    )
    .action(async (name: string, { format, ...out }: OutOptions & { format: ClientFormat }) => {
      const roster = await context.store.read()
      const peer = peerNamed(roster, name)
      writeFragment(context, out, await renderClientFragment(format, { roster, peer, at: context.now() }))
    })
}
