import { Command } from 'commander'
import { ignoreInGit } from '../../store/ignore-file.js'
import { plaintext } from '../../store/protection.js'
import type { CliContext } from '../context.js'

export const decryptCommand = ({ store, output }: CliContext): Command =>
  new Command('decrypt')
    .description('take the encryption off the store')
    .option('--no-gitignore', 'do not add the store to .gitignore')
    .addHelpText(
      'after',
      `
The store is then readable by you alone, and has to stay out of git.

Examples:
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp decrypt`,
    )
    .action(async ({ gitignore }: { gitignore: boolean }) => {
      // git must not see it in plain text, not even for a moment.
      const already = (await store.open()).protection.kind === 'none'
      if (gitignore && ignoreInGit(store.path()) === 'added') output.say('added the store to .gitignore')
      await store.protect((before) => (before.kind === 'none' ? before : plaintext))
      output.result('', { store: store.path(), encrypted: 'none' })
      output.say(already ? 'the store is not encrypted; nothing was changed' : 'the store is plain text now')
    })
