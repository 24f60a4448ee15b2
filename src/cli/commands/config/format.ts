import type { Fragment, RenderedFragment } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { emit, emitSecret, type SecretOutOptions } from '../../io/result-file.js'
import { choice } from '../../options.js'

/** `--format`, with the formats of a table. */
export const formatOption = (
  table: Readonly<Record<string, Pick<Fragment<never>, 'summary'>>>,
): ReturnType<typeof choice> =>
  choice(
    '--format <format>',
    'what to print',
    Object.keys(table),
    undefined,
    (name) => table[name]?.summary ?? '',
  )

/** One line per format, for the help text. */
export function listFormats(
  table: Readonly<Record<string, Pick<Fragment<never>, 'summary' | 'secret'>>>,
): string {
  const width = Math.max(...Object.keys(table).map((name) => name.length))
  const lines = Object.entries(table).map(
    ([name, { summary, secret }]) => `  ${name.padEnd(width)}  ${summary}${secret ? ' (secret)' : ''}`,
  )
  return `\nFormats:\n${lines.join('\n')}\n`
}

/** Prints a fragment, or writes it to `--out`, after its warnings. */
export async function writeFragment(
  context: CliContext,
  out: SecretOutOptions,
  { content, document, secret, warnings }: RenderedFragment,
): Promise<void> {
  for (const warning of warnings) context.output.warn(warning)
  if (secret) await emitSecret(context, out, content, document)
  else emit(context, out, content, document)
}
