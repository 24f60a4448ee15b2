import { inContext } from '../../context.js'
import { encryptionOptions, protectionFrom, type EncryptionOptions } from './encryption.js'

export const define = inContext((command, context) =>
  encryptionOptions(command)
    .addHelpText(
      'after',
      `
Without an option a passphrase is used. An encrypted store may be read by others and committed; every command opens
it with $A2A_TOTP_IDENTITY or $A2A_TOTP_PASSPHRASE, and so does the age program. Backups from before (….bak-…) and
commits from before still hold it in plain text: \`a2a-totp doctor\` looks for them.

Examples:
  $ a2a-totp encrypt --encrypt-to age1operator… age1deputy…
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp code alice
  $ a2a-totp encrypt --passphrase`,
    )
    .action(async (options: EncryptionOptions) => {
      const { store, output, progress } = context
      // The old store is opened first: whoever cannot read it is not asked for anything else.
      const { protection: before } = await store.open()
      const wanted =
        (await protectionFrom(context, options)) ?? (await protectionFrom(context, { passphrase: true }))
      const { kind } = await progress.during('encrypting the store', () =>
        store.protect((current) => wanted ?? current),
      )
      output.result('', { store: store.path(), encrypted: kind })
      output.say(`encrypted the store with ${kind === 'passphrase' ? 'a passphrase' : 'age recipients'}`)
      if (before.kind === 'none')
        output.say('backups and commits from before hold it in plain text; a2a-totp doctor looks for them')
    }),
)
