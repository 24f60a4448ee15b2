import { changesBetween, type ChangedField } from '../../../core/changes.js'
import { TOTPError } from '../../../core/errors.js'
import { handOutBetween, type HandOut } from '../../../core/hand-out.js'
import { quoteName } from '../../../core/name.js'
import type { Roster } from '../../../core/roster.js'
import type { CliContext } from '../../context.js'
import { handOutWords, lineOf, sayHandOut } from '../changed-fields.js'

/** What a change did to the store. */
export interface Done {
  readonly before: Roster
  readonly after: Roster
  readonly changed: readonly ChangedField[]
  readonly handOut: HandOut
}

/**
 * Changes the store and reports what changed. A change after which no peer gets in until it has another fragment is
 * confirmed first.
 *
 * @param make returns the same roster when there is nothing to change
 * @param remarksOn what else follows from the change
 * @throws {TOTPError} `ERR_CONFIRMATION_NEEDED`, `ERR_DECLINED`, and what `make` throws
 */
export async function changeStore(
  context: CliContext,
  yes: boolean | undefined,
  make: (roster: Roster) => Roster,
  remarksOn: (done: Done) => readonly string[] = () => [],
): Promise<Done> {
  const { store, output, now } = context
  const agreed = yes ?? (await agree(context, await store.read(), make))
  let before: Roster | undefined
  const after = await store.update((current) => {
    before = current
    const wanted = make(current)
    // Peers were added since the question.
    if (!agreed && reachesEveryPeer(current, wanted)) throw unconfirmed(question(current, wanted, now()))
    return wanted
  })
  const old = before ?? after
  const changed = changesBetween(old, after)
  const handOut = handOutBetween(old, after, now())
  const done = { before: old, after, changed, handOut }
  const remarks = remarksOn(done)
  output.result('', { changed, handOut, ...(remarks.length > 0 && { remarks }) })
  if (changed.length === 0) output.say('it is so already; nothing was changed')
  for (const change of changed) output.say(`changed ${lineOf(change)}`)
  if (changed.length > 0) sayHandOut(output, handOut)
  for (const remark of remarks) output.say(remark)
  return done
}

/** Whether there are peers, and all of them hold something that is no longer right. */
function reachesEveryPeer(before: Roster, after: Roster): boolean {
  const { window, header } = before.profile
  const same = after.agent === before.agent && after.profile.window === window
  return after.peers.size > 0 && !(same && after.profile.header === header)
}

/** @returns whether the user agreed; false where there was nothing to ask about */
async function agree(
  { confirm, now }: CliContext,
  roster: Roster,
  make: (roster: Roster) => Roster,
): Promise<boolean> {
  const wanted = make(roster)
  if (!reachesEveryPeer(roster, wanted)) return false
  if (await confirm(question(roster, wanted, now()), '--yes')) return true
  throw new TOTPError('ERR_DECLINED', 'nothing was changed')
}

function question(before: Roster, after: Roster, at: Date): string {
  const lines = changesBetween(before, after).map(lineOf)
  const words = handOutWords(handOutBetween(before, after, at)) ?? 'nothing'
  return `Change ${lines.join(', ')} of ${quoteName(before.agent)}? To be handed out again: ${words}.`
}

function unconfirmed(asked: string): TOTPError {
  return new TOTPError(
    'ERR_CONFIRMATION_NEEDED',
    `${asked} Peers were added just now; pass --yes to continue`,
  )
}
