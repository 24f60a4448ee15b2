import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { printable } from '../../../core/text.js'
import { refuseUnverified, type ForRecipients, type Protection } from '../../../store/protection.js'
import { inContext, type CliContext } from '../../context.js'

export const define = inContext((command, context) => {
  defineList(command.command('list'), context)
  defineAdd(command.command('add'), context)
  defineRemove(command.command('remove'), context)
  return command.addHelpText(
    'after',
    `
Examples:
  $ a2a-totp recipients list
  $ a2a-totp recipients add age1deputy…`,
  )
})

function defineList(command: Command, { store, output }: CliContext): void {
  command
    .description('print the recipients, one per line')
    .addHelpText('after', '\nExamples:\n  $ a2a-totp recipients list')
    .action(async () => {
      const { recipients, openedBy } = recipientsOf((await store.open()).protection)
      if (openedBy !== undefined) {
        output.warn(
          `the store was encrypted elsewhere, so this list may be wrong; ${openedBy} can open it. Run \`a2a-totp recipients add\` with everyone else who should have access`,
        )
      }
      output.result(recipients.map(printable).join('\n'), { recipients, agrees: openedBy === undefined })
    })
}

function defineAdd(command: Command, { store, output }: CliContext): void {
  command
    .description('add recipients; all of them or none')
    .argument('<recipients...>', 'age recipients, age1…')
    .addHelpText(
      'after',
      `
If the store was encrypted elsewhere, for example by the age program, its list of recipients may be wrong, and no command
changes it. This command then replaces the list with the recipients named here and the identity that you use.

Examples:
  $ a2a-totp recipients add age1deputy…`,
    )
    .action(async (added: string[]) => {
      const recipients = await change(store, ({ recipients: known, openedBy }) => {
        if (openedBy !== undefined) return [...new Set([openedBy, ...added])]
        if (added.some((one) => known.includes(one)))
          throw new TOTPError(
            'ERR_RECIPIENT_EXISTS',
            'one of them is a recipient already; name only the others',
          )
        return [...known, ...new Set(added)]
      })
      output.result('', { recipients })
      output.say(`recipients of the store: ${recipients.join(', ')}`)
    })
}

function defineRemove(command: Command, { store, output }: CliContext): void {
  command
    .description('remove recipients; all of them or none')
    .argument('<recipients...>', 'age recipients, as `recipients list` prints them')
    .addHelpText(
      'after',
      `
A removed recipient can still open older copies of the store, so rotate what it contains.

Examples:
  $ a2a-totp recipients remove age1deputy…
  $ a2a-totp rotate --all`,
    )
    .action(async (removed: string[]) => {
      const recipients = await change(store, (before) => {
        const { recipients: known, openedBy } = before
        if (removed.some((one) => !known.includes(one)))
          throw new TOTPError(
            'ERR_RECIPIENT_UNKNOWN',
            'no such recipient; `a2a-totp recipients list` prints them',
          )
        const left = known.filter((one) => !removed.includes(one))
        if (openedBy === undefined) return left
        // An unverified list may keep only the recipient that certainly opens the store.
        if (left.some((one) => one !== openedBy)) refuseUnverified(before)
        return [openedBy]
      })
      output.result('', { recipients, undoable: false })
      output.say('the store as it was is not kept, so this cannot be undone')
      output.say('removed recipients can still open older copies of the store; next: a2a-totp rotate --all')
    })
}

async function change(
  store: CliContext['store'],
  make: (before: ForRecipients) => readonly string[],
): Promise<readonly string[]> {
  const after = await store.protect((protection) => {
    const recipients = make(recipientsOf(protection))
    if (recipients.length > 0) return { kind: 'recipients', recipients }
    throw new TOTPError('ERR_USAGE', 'no recipient would be left to open the store; add another one first')
  })
  return recipientsOf(after).recipients
}

/** @throws {TOTPError} `ERR_USAGE` for a store that has no recipients */
function recipientsOf(protection: Protection): ForRecipients {
  if (protection.kind === 'recipients') return protection
  throw new TOTPError(
    'ERR_USAGE',
    'the store is not encrypted for recipients; run `a2a-totp encrypt --encrypt-to age1…`',
  )
}
