import type { ChangedField } from '../../../core/changes.js'
import { parseName } from '../../../core/name.js'
import { jsonText, printable } from '../../../core/text.js'
import { TOTPError } from '../../../core/errors.js'
import { openRecord, type RecordedChange, type RecordLine } from '../../../store/read-record.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { since, wholeNumber, type Since } from '../../options.js'
import { textOf } from '../changed-fields.js'

interface LogOptions {
  peer?: string
  since?: Since
  limit?: number
}

/** How many changes of fields a line shows. */
const mostChanges = 6
/** How many damaged lines are named. */
const mostNumbers = 10

export const define = inContext((command, context) =>
  command
    .option(...peerArgument('--peer <name>', 'only changes of this peer or canary'))
    .option(
      ...since('--since <time>', 'only changes since then: RFC 3339, unix seconds, or a duration such as 7d'),
    )
    .option(...wholeNumber('--limit <n>', 'only the last changes', 1, 100_000))
    .addHelpText(
      'after',
      `
Shows the record of changes beside the store (….log), newest last: when, who, with which command, and what changed. There
are no secrets in it. It is not evidence: anyone who can write to the store can write to the record.

Examples:
  $ a2a-totp log --since 7d
  $ a2a-totp log --peer alice --limit 5
  $ a2a-totp log --json | jq '.entries[-1]'`,
    )
    .action(async (options: LogOptions) => {
      const { store, output, signal } = context
      if (options.peer !== undefined) parseName(options.peer, 'peer')
      const record = await store.directly((path, { allowInsecurePermissions = false }) =>
        Promise.resolve(openRecord(path, allowInsecurePermissions)),
      )
      if (!record && !store.exists()) throw missing(store.path())
      const damaged = { count: 0, first: [] as number[] }
      const wanted = chosen(record, options, context, (number) => {
        if (damaged.count++ < mostNumbers) damaged.first.push(number)
      })
      let shown = 0
      if (output.json) output.write('{"entries":[')
      for await (const change of wanted) {
        const before = output.json && shown > 0 ? ',' : ''
        output.write(output.json ? before + jsonText(entryOf(change)) : `${describe(change, options.peer)}\n`)
        shown++
      }
      signal.throwIfAborted()
      if (output.json) output.write(`],"damaged":${damaged.count}}\n`)
      if (damaged.count > 0) {
        const more = damaged.count > mostNumbers ? ' …' : ''
        output.warn(
          `the record has damaged lines, which are not shown: line ${damaged.first.join(', ')}${more}`,
        )
      }
      if (!output.json && shown === 0)
        output.say(record ? 'no such change is recorded' : 'no change is recorded yet')
    }),
)

/** The entries that the options ask for, oldest first. For a limit, that many are held back. */
async function* chosen(
  record: AsyncIterable<RecordLine> | undefined,
  { peer, since: from, limit }: LogOptions,
  { now, signal }: CliContext,
  onDamaged: (line: number) => void,
): AsyncGenerator<RecordedChange, void, void> {
  const start = from?.(now())
  const held: RecordedChange[] = []
  let next = 0
  for await (const { number, change } of record ?? []) {
    if (signal.aborted) return
    if (!change) onDamaged(number)
    else if ((start && change.at < start) || (peer !== undefined && !isAbout(change, peer))) continue
    else if (limit === undefined) yield change
    else held[next++ % limit] = change
  }
  const oldest = limit === undefined || next <= limit ? 0 : next % limit
  yield* held.slice(oldest)
  yield* held.slice(0, oldest)
}

/** A rename is about both names. */
const isAbout = ({ peers, changed }: RecordedChange, name: string): boolean =>
  peers.includes(name) || changed.some((one) => isItsName(one, name))

const isItsName = ({ field, from }: ChangedField, name: string): boolean => field === 'name' && from === name

function entryOf({ at, ...rest }: RecordedChange): object {
  return { at: at.toISOString(), ...rest }
}

/** An entry on one line, of a peer only what changed of it. */
function describe({ at, by, host, command, peers, changed: all }: RecordedChange, name?: string): string {
  const who = `${at.toISOString()}  ${by}@${host}  ${command}`
  const changed = name === undefined ? all : all.filter((one) => one.peer === name || isItsName(one, name))
  const shown = changed.slice(0, mostChanges).map(({ peer, field, id, from, to }, index) => {
    const subject = peer === undefined || peer === changed[index - 1]?.peer ? '' : `${peer} `
    return `${subject}${field}${id === undefined ? '' : ` ${id}`} ${textOf(from)} -> ${textOf(to)}`
  })
  const more = changed.length > mostChanges ? [`and ${changed.length - mostChanges} more`] : []
  const what = changed.length > 0 ? [...shown, ...more].join(', ') : peers.join(', ')
  return printable(what === '' ? who : `${who}  ${what}`)
}

function missing(path: string): TOTPError {
  return new TOTPError('ERR_STORE_MISSING', `no store at ${path}; run \`a2a-totp init\` first`)
}
