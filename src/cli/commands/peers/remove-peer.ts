import { TOTPError } from '../../../core/errors.js'
import { withoutPeers } from '../../../core/provision.js'
import { peerArgument } from '../../completes.js'
import { inContext } from '../../context.js'

export const define = inContext((command, { store, output, confirm }) =>
  command
    .argument(...peerArgument('<names...>', 'the peers'))
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
A running server refuses a removed peer as soon as it has the new server file from \`a2a-totp config server\`.

Examples:
  $ a2a-totp remove-peer mallory
  $ a2a-totp revoke mallory --yes`,
    )
    .action(async (given: string[], { yes }: { yes?: true }) => {
      const names = [...new Set(given)]
      const { agent } = withoutPeers(await store.read(), names)
      if (!yes && !(await confirm(`Remove ${names.join(', ')} from ${agent}?`, '--yes'))) {
        throw new TOTPError('ERR_DECLINED', 'nothing was removed')
      }
      await store.update((roster) => withoutPeers(roster, names))
      output.result('', { agent, removed: names })
      output.say(`removed ${names.join(', ')}; next: update the server file, a2a-totp config server`)
    }),
)
