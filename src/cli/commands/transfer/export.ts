import { TOTPError } from '../../../core/errors.js'
import type { Roster } from '../../../core/roster.js'
import { jsonText } from '../../../core/text.js'
import { renderServerFragment } from '../../../fragments/index.js'
import { csvColumns } from '../../../import/csv-columns.js'
import { inContext } from '../../context.js'
import { choice } from '../../options.js'
import { noteOf } from '../peers/peer-view.js'
import { exportOf, type Export, type ExportedPeer } from './exported.js'
import { lossesOf } from './export-losses.js'
import { emitSecret, secretOutOptions, type SecretOutOptions } from '../../io/result-file.js'

/** `--format`: the keys are the choices. The first is the default. */
const formats = {
  json: (exported) => `${jsonText(exported, 2)}\n`,
  uris: ({ peers }) => lines(peers.map(({ uri }) => uri)),
  csv: ({ peers }) => lines([csvColumns.join(','), ...peers.map(csvLine)]),
  maps: async (_, roster, at) => (await renderServerFragment('maps', { roster, at })).content,
} satisfies Record<string, (exported: Export, roster: Roster, at: Date) => string | Promise<string>>

export const define = inContext((command, context) =>
  secretOutOptions(
    command
      .option(...choice('--format <format>', 'what to print', Object.keys(formats)), 'json')
      .option('--reveal', 'confirm that secrets are to be printed'),
  )
    .addHelpText(
      'after',
      `
Prints what \`import\` reads, without older credentials and peers whose seeds have expired. To back up everything, copy
the store itself.

Examples:
  $ a2a-totp export --reveal --out peers.json
  $ a2a-totp export --reveal --format uris`,
    )
    .action(
      async ({
        format,
        reveal,
        ...out
      }: SecretOutOptions & { format: keyof typeof formats; reveal?: true }) => {
        if (!reveal) {
          throw new TOTPError(
            'ERR_CONFIRMATION_NEEDED',
            'an export contains every seed and token; pass --reveal to continue',
          )
        }
        const roster = await context.store.read()
        const at = context.now()
        const exported = exportOf(roster, at)
        const content = await formats[format](exported, roster, at)
        for (const loss of lossesOf(roster, exported, format, at)) context.output.warn(loss)
        await emitSecret(context, out, content, format === 'json' ? exported : { format, content })
      },
    ),
)

function csvLine(peer: ExportedPeer): string {
  const shown = { ...peer, note: noteOf(peer) }
  return csvColumns.map((column) => csvField(shown[column] ?? '')).join(',')
}

/** RFC 4180 §2: quoted if necessary. */
function csvField(value: string | number): string {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
