import { plaintext } from '../../../store/protection.js'
import { inContext } from '../../context.js'
import { beforePlaintext } from './plaintext.js'

interface DecryptOptions {
  yes?: true
  gitignore: boolean
}

export const define = inContext((command, context) =>
  command
    .option('--yes', 'do not ask, even if git tracks the store or its state is unknown')
    .option('--no-gitignore', 'do not add the store to .gitignore')
    .addHelpText(
      'after',
      `
The store is then readable only by you, and must stay out of git. If git tracks it, run \`git rm --cached\` first:
otherwise the next commit publishes every seed and token. In that case the command asks first, or needs --yes.

Examples:
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp decrypt`,
    )
    .action(async ({ yes, gitignore }: DecryptOptions) => {
      const { store, output } = context
      const already = (await store.open()).protection.kind === 'none'
      const warning = already
        ? undefined
        : await beforePlaintext(context, store.path(), { yes, gitignore, action: 'Decrypt it' })
      if (!already) await store.protect((before) => (before.kind === 'none' ? before : plaintext))
      output.result('', { store: store.path(), encrypted: 'none' })
      output.say(already ? 'the store is not encrypted; nothing was changed' : 'the store is now plain text')
      if (warning) output.warn(warning)
    }),
)
