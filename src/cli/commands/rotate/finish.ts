import { TOTPError } from '../../../core/errors.js'
import type { Roster } from '../../../core/roster.js'
import { finishRotation, type CredentialKinds, type PeerChoice } from '../../../core/rotation.js'
import type { CliContext } from '../../context.js'
import { configServerAgain } from '../config-commands.js'
import { credentialsOf, textOf } from '../peers/credential-rows.js'
import { changedHolders, changedEnds } from './ends.js'
import { forgetEnded } from './forget-ended.js'
import { deliversServer } from './given-options.js'
import type { RotateOptions } from './rotate-options.js'

/** Creates nothing, and drops what is superseded. */
export async function finish(
  context: CliContext,
  choice: PeerChoice,
  kinds: CredentialKinds,
  options: RotateOptions,
): Promise<void> {
  const { store, output, now } = context
  const at = now()
  let before: Roster | undefined
  const change = (current: Roster): Roster => finishRotation((before = current), choice, kinds, at)
  if (options.dryRun) {
    const planned = change(await store.read())
    const { showPlan } = await import('./dry-run.js')
    showPlan(context, before ?? planned, planned, changedHolders(before, planned), at)
    return
  }
  const deliver = await deliveryOf(context, options, async () => change(await store.read()))
  const after = await store.update(change)
  forgetEnded(context, before ?? after, after)
  const settled = changedHolders(before, after)
  const rows = settled.map((peer) => credentialsOf(after, peer, false))
  const ends = changedEnds(before ?? after, after, settled, at)
  output.result(rows.map(textOf).join('\n'), { peers: rows, ends })
  const done = after === before ? 'nothing was superseded' : 'dropped what was superseded'
  const next = after === before || deliver ? '' : `; next: update the server file, ${configServerAgain}`
  output.say(`${done}${next}`)
  const problem = await deliver?.(after)
  if (problem !== undefined)
    throw new TOTPError('ERR_DELIVERY_FAILED', `${done}, but ${problem}; next: ${configServerAgain}`)
}

/** Few runs deliver, so what does is loaded then. */
async function deliveryOf(context: CliContext, options: RotateOptions, plan: () => Promise<Roster>) {
  if (!deliversServer(options)) return undefined
  const { serverDelivery } = await import('./staged-commands.js')
  return serverDelivery(context, await plan(), options)
}
