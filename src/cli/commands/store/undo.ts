import { changesBetween } from '../../../core/changes.js'
import { TOTPError } from '../../../core/errors.js'
import { handOutBetween } from '../../../core/hand-out.js'
import { quoteName } from '../../../core/name.js'
import { count, listSome } from '../../../core/text.js'
import { validityChange } from '../../../core/validity.js'
import { protectionChanges } from '../../../store/protection-changes.js'
import { planUndo, undoStore, type UndoPlan } from '../../../store/undo.js'
import { inContext, type CliContext } from '../../context.js'
import { credentialList, lineOf, sayHandOut } from '../changed-fields.js'

interface UndoOptions {
  yes?: true
  dryRun?: true
}

export const define = inContext((command, context) =>
  command
    .option('--dry-run', 'print what would be undone, and change nothing')
    .option('--yes', 'do not ask, even if credentials become valid again')
    .addHelpText(
      'after',
      `
Every change keeps the store as it was beside it (….bak-prev); undo puts that back, once. It asks, or needs --yes, if
credentials become valid again that were removed or ended, or were about to end without newer ones in their place: it does
not ask before it takes back a rotation within its overlap. A change by encrypt or recipients remove cannot be undone. It
also works on a store that an editor has damaged; then it goes back to before the last command.

Examples:
  $ a2a-totp undo --dry-run
  $ a2a-totp undo`,
    )
    .action(async ({ yes, dryRun }: UndoOptions) => {
      const { store, output, confirm } = context
      const plan = await store.directly(planUndo)
      const effect = effectOf(plan, context.now())
      if (!dryRun && !yes && effect.question !== undefined) {
        if (!(await confirm(effect.question, '--yes')))
          throw new TOTPError('ERR_DECLINED', 'nothing was undone')
      }
      const leftover = dryRun
        ? undefined
        : await store.directly((path, reading) => undoStore(path, reading, plan))
      if (!dryRun) store.record(effect.changed, plan.restored.roster.serial)
      report(context, plan, effect, dryRun)
      if (leftover !== undefined) output.warn(`the store was put back, but ${leftover}`)
    }),
)

type Effect = ReturnType<typeof effectOf>

function effectOf({ current, damage, restored }: UndoPlan, at: Date) {
  const { roster, protection } = restored
  const peers = [...roster.peers.keys()]
  if (!current) {
    const { again } = validityChange({ ...roster, peers: new Map(), sharedSeeds: undefined }, roster, at)
    const question =
      `${damage ?? 'the store is damaged'}. What would change cannot be told. Put back the store as it was before the ` +
      `last command: agent ${quoteName(roster.agent)}, ${count(peers.length, 'peer')}${peers.length > 0 ? ` (${listSome(peers)})` : ''}, ` +
      `valid again: ${credentialList(again) || 'nothing'}?`
    const everything = { server: true, card: false, peers: [] }
    return { changed: [], again, ended: [], handOut: everything, question }
  }
  const changed = [
    ...changesBetween(current.roster, roster),
    ...protectionChanges(current.protection, protection),
  ]
  const { again, ended } = validityChange(current.roster, roster, at)
  const question =
    again.length > 0
      ? `Undo the last change of ${quoteName(current.roster.agent)}? This makes valid again: ${credentialList(again)}.`
      : undefined
  return { changed, again, ended, handOut: handOutBetween(current.roster, roster, at), question }
}

function report(
  { output }: CliContext,
  { current }: UndoPlan,
  { changed, again, ended, handOut }: Effect,
  dryRun = false,
): void {
  output.result(changed.map(lineOf).join('\n'), {
    changed,
    validAgain: again,
    ended,
    handOut,
    ...(dryRun && { dryRun }),
  })
  const would = dryRun ? 'would be' : 'was'
  if (!current) output.say(`the damaged store ${would} replaced by the one before the last command`)
  else if (changed.length === 0) output.say(`the store ${would} put back; no field differs`)
  if (again.length > 0) output.warn(`valid again: ${credentialList(again)}`)
  if (ended.length > 0)
    output.warn(`no longer valid once the agent has its new server file: ${credentialList(ended)}`)
  sayHandOut(output, handOut)
  if (dryRun) output.say('nothing was changed')
}
