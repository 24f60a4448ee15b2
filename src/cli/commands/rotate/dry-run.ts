import type { Canary, Peer, Roster } from '../../../core/roster.js'
import { printable } from '../../../core/text.js'
import type { CliContext } from '../../context.js'
import { changedEnds, credentialsByKind, endsOfNew, holderIn, type ChangedEnd } from './ends.js'

/** What a rotation would change of one peer. */
interface PlannedRow {
  readonly name: string
  /** Null, because the new ones do not exist. */
  readonly seedId: null
  readonly tokenId: null
  /** When the first of the new ones would end: RFC 3339. */
  readonly expiresAt: string | null
  readonly canary?: true
  readonly makes: readonly ('seed' | 'token')[]
  /** The live credentials that would end. */
  readonly ends: readonly Omit<ChangedEnd, 'peer'>[]
}

/** Prints what would change, and changes nothing. */
export function showPlan(
  { output }: CliContext,
  before: Roster,
  after: Roster,
  changed: readonly (Peer | Canary)[],
  at: Date,
): void {
  const rows = changed.map((holder) => rowOf(before, after, holder, at))
  output.result(rows.map(textOf).join('\n'), { dryRun: true, peers: rows })
  output.say(rows.length === 0 ? 'nothing would be changed' : 'nothing was changed')
}

function rowOf(before: Roster, after: Roster, holder: Peer | Canary, at: Date): PlannedRow {
  const { name } = holder
  const old = credentialsByKind(before, holderIn(before, name))
  const now = credentialsByKind(after, holder)
  const makes = (['seed', 'token'] as const).filter((kind) =>
    now[kind].some(({ id }) => old[kind].every((one) => one.id !== id)),
  )
  const ends = changedEnds(before, after, [holder], at).map((one) => ({ id: one.id, at: one.at }))
  const canary = 'seeds' in holder ? {} : ({ canary: true } as const)
  const first = Math.min(...endsOfNew(before, after, [holder]).map((one) => one.end.getTime()))
  const expiresAt = first === Infinity ? null : new Date(first).toISOString()
  return { name, seedId: null, tokenId: null, expiresAt, ...canary, makes, ends }
}

function textOf({ name, expiresAt, makes, ends }: PlannedRow): string {
  const until = expiresAt === null ? '' : ` until ${expiresAt}`
  const made = makes.length === 0 ? [] : [`new ${makes.join(' and ')}${until}`]
  const ended = ends.map(({ id, at }) => `${printable(id)} ends ${at}`)
  return [name, ...made, ...ended].join('  ')
}
