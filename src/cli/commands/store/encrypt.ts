import { inContext } from '../../context.js'
import { encryptionOptions, protectionFrom, type EncryptionOptions } from './encryption.js'

export const define = inContext((command, context) =>
  encryptionOptions(command)
    .addHelpText(
      'after',
      `
Without options a passphrase is used. An encrypted store may be readable by others and committed. Commands open it
with $A2A_TOTP_IDENTITY or $A2A_TOTP_PASSPHRASE; the age program opens it as well. Earlier backups (….bak-…) and
commits still contain it in plain text: \`a2a-totp doctor\` finds them.

Examples:
  $ a2a-totp encrypt --encrypt-to age1operator… age1deputy…
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp code alice
  $ a2a-totp encrypt --passphrase`,
    )
    .action(async (options: EncryptionOptions) => {
      const { store, output, progress } = context
      // The old store is opened first: without access to it there is no point in asking for a passphrase.
      const { protection: before } = await store.open()
      const wanted =
        (await protectionFrom(context, options)) ?? (await protectionFrom(context, { passphrase: true }))
      const { kind } = await progress.during('encrypting the store', () =>
        store.protect((current) => wanted ?? current, { keepsPrevious: false }),
      )
      output.result('', { store: store.path(), encrypted: kind, undoable: !wanted })
      if (wanted) output.say('the store as it was is not kept, so this cannot be undone')
      output.say(`encrypted the store with ${kind === 'passphrase' ? 'a passphrase' : 'age recipients'}`)
      if (before.kind === 'none')
        output.say('earlier backups and commits contain it in plain text; a2a-totp doctor looks for them')
    }),
)
