import { TOTPError } from '../../../core/errors.js'
import { withoutPeers } from '../../../core/provision.js'
import type { Roster } from '../../../core/roster.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import { configServerAgain } from '../config-commands.js'
import { forgetEnded } from '../rotate/forget-ended.js'

interface RemoveOptions {
  serverOut?: string
  allowWeakSeed?: true
  yes?: true
}

export const define = inContext((command, context) =>
  command
    .argument(...peerArgument('<names...>', 'the peers'))
    .option('--server-out <file>', "write the agent's server file here; the agent follows it")
    .option(
      '--allow-weak-seed',
      'with --server-out: write seeds of less than 128 bits, for an agent that allows them',
    )
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
A running server refuses a removed peer as soon as it has the new server file: that of --server-out, or later of
\`a2a-totp config server --out FILE --force\`. Until then the peer gets in. An existing file of --server-out keeps its mode
and is replaced only if it is a server file of this agent; what the agent would refuse is refused before anything is
changed. If the file cannot be written after the removal, the exit code is 1 and the peers stay removed.

Examples:
  $ a2a-totp remove-peer mallory --server-out /etc/billing/a2a-totp-server.json
  $ a2a-totp revoke mallory --yes                # then: config server --out FILE --force`,
    )
    .action((given: string[], options: RemoveOptions) => run(context, [...new Set(given)], options)),
)

async function run(context: CliContext, names: readonly string[], options: RemoveOptions): Promise<void> {
  const { store, output, confirm } = context
  const { serverOut, allowWeakSeed, yes } = options
  if (allowWeakSeed && serverOut === undefined)
    throw new TOTPError('ERR_USAGE', '--allow-weak-seed needs --server-out; add it, or omit this one')
  const file = serverOut === undefined ? undefined : pathFrom(context, serverOut)
  const planned = withoutPeers(await store.read(), names)
  const { agent } = planned
  if (file !== undefined) await (await serverOutOf()).requireDelivery(context, planned, file, options)
  if (!yes && !(await confirm(`Remove ${names.join(', ')} from ${agent}?`, '--yes')))
    throw new TOTPError('ERR_DECLINED', 'nothing was removed')
  let before: Roster | undefined
  const after = await store.update((roster) => withoutPeers((before = roster), names))
  forgetEnded(context, before ?? after, after)
  if (file !== undefined) return deliver(context, after, { names, file, options })
  output.result('', { agent, removed: names })
  output.say(`removed ${names.join(', ')}; next: update the server file, ${configServerAgain}`)
}

/** Few removals write the file, so what does is loaded then. */
const serverOutOf = () => import('../server-out.js')

interface Delivery {
  readonly names: readonly string[]
  readonly file: string
  readonly options: RemoveOptions
}

/** @throws {TOTPError} `ERR_DELIVERY_FAILED` when the file was not written; the peers are removed all the same */
async function deliver(
  context: CliContext,
  after: Roster,
  { names, file, options }: Delivery,
): Promise<void> {
  const { output } = context
  const removed = names.join(', ')
  output.say(`removed ${removed}`)
  const { deliverServerOut } = await serverOutOf()
  const problem = await deliverServerOut(context, after, file, options)
  output.result('', { agent: after.agent, removed: names, serverFile: problem === undefined ? file : null })
  if (problem === undefined) return
  throw new TOTPError(
    'ERR_DELIVERY_FAILED',
    `removed ${removed}, but the server file was not written: ${problem}; until the agent has it, it accepts what was ` +
      `removed; next: ${configServerAgain}`,
  )
}
