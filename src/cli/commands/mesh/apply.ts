import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { encryptionOptions } from '../store/encryption.js'
import { deliverOptions, type ApplyOptions } from './mesh-options.js'
import { fileOption } from './open-mesh.js'

/** `mesh apply`: brings stores, agents and peers to what the file says. */
export function defineApply(command: Command, context: CliContext): void {
  encryptionOptions(
    deliverOptions(
      fileOption(command.description('do what the file says: stores, server files, client files')).option(
        '--prune',
        'also remove peers that the file does not name; it shows them first, and asks',
      ),
    ),
  )
    .addHelpText(
      'after',
      `
Each store is changed as a whole. Then the agents get their server files, by "serverFile" or "deliver" in the mesh file; then
the peers their client files; then what a rotation superseded ends. A run that was interrupted or failed is finished by the
next one. One delivery that fails does not stop the others: the exit code is 1, and each is named. A command may run twice.

--encrypt-to and --passphrase are for stores that are created. Commands of the file run by /bin/sh in its folder, with the
file that they deliver on standard input and umask 077. They are shown and asked for when they are new.

Examples:
  $ a2a-totp mesh apply
  $ a2a-totp mesh apply --dry-run
  $ a2a-totp mesh apply --prune --yes --allow-commands --json      # in a script
  $ a2a-totp mesh apply --encrypt-to age1…`,
    )
    .action(async (options: ApplyOptions) => {
      const { runApply } = await import('./apply-run.js')
      await runApply(context, options)
    })
}
