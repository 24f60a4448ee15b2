import { Command } from 'commander'
import { A2aTotpError } from '../../core/errors.js'
import { printable } from '../../core/text.js'
import type { Protection } from '../../store/protection.js'
import type { CliContext } from '../context.js'

export const recipientsCommand = (context: CliContext): Command =>
  new Command('recipients')
    .description('who can open the encrypted store: list, add or remove age recipients')
    .addCommand(listCommand(context))
    .addCommand(addCommand(context))
    .addCommand(removeCommand(context))
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp recipients list
  $ a2a-totp recipients add age1deputy…`,
    )

function listCommand({ store, output }: CliContext): Command {
  return new Command('list')
    .description('the recipients, one a line')
    .addHelpText('after', '\nExamples:\n  $ a2a-totp recipients list')
    .action(async () => {
      const recipients = recipientsOf((await store.open()).protection)
      output.result(recipients.map(printable).join('\n'), { recipients })
    })
}

function addCommand({ store, output }: CliContext): Command {
  return new Command('add')
    .description('let more recipients open it; all of them or none')
    .argument('<recipients...>', 'age recipients, age1…')
    .addHelpText('after', '\nExamples:\n  $ a2a-totp recipients add age1deputy…')
    .action(async (added: string[]) => {
      const recipients = await change(store, (known) => {
        if (added.some((one) => known.includes(one)))
          throw new A2aTotpError(
            'ERR_RECIPIENT_EXISTS',
            'one of them can open the store already; name the others',
          )
        return [...known, ...new Set(added)]
      })
      output.result('', { recipients })
      output.say(`${recipients.length} recipients can open the store`)
    })
}

function removeCommand({ store, output }: CliContext): Command {
  return new Command('remove')
    .description('shut recipients out; all of them or none')
    .argument('<recipients...>', 'age recipients, as `recipients list` prints them')
    .addHelpText(
      'after',
      `
Whoever is removed can still open older copies of the store: rotate what it held.

Examples:
  $ a2a-totp recipients remove age1deputy…
  $ a2a-totp rotate --all`,
    )
    .action(async (removed: string[]) => {
      const recipients = await change(store, (known) => {
        if (removed.some((one) => !known.includes(one)))
          throw new A2aTotpError(
            'ERR_RECIPIENT_UNKNOWN',
            'no such recipient; `a2a-totp recipients list` shows them',
          )
        return known.filter((one) => !removed.includes(one))
      })
      output.result('', { recipients })
      output.say('they can still open older copies of the store; next: a2a-totp rotate --all')
    })
}

async function change(
  store: CliContext['store'],
  make: (known: readonly string[]) => readonly string[],
): Promise<readonly string[]> {
  return recipientsOf(
    await store.protect((before) => {
      const recipients = make(recipientsOf(before))
      if (recipients.length > 0) return { kind: 'recipients', recipients }
      throw new A2aTotpError('ERR_USAGE', 'nobody could open the store any more; add another recipient first')
    }),
  )
}

/** @throws {A2aTotpError} `ERR_USAGE` for a store that has no recipients */
function recipientsOf(protection: Protection): readonly string[] {
  if (protection.kind === 'recipients') return protection.recipients
  throw new A2aTotpError(
    'ERR_USAGE',
    'the store is not encrypted for recipients; run `a2a-totp encrypt --encrypt-to age1…`',
  )
}
