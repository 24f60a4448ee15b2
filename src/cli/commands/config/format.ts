import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TOTPError } from '../../../core/errors.js'
import type { Fragment, FragmentFile, RenderedFragment } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import {
  emit,
  emitSecret,
  keepSecret,
  outFile,
  writeResult,
  type SecretOutOptions,
} from '../../io/result-file.js'
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
    ([name, { summary, secret }]) =>
      `  ${name.padEnd(width)}  ${summary}${secret === true ? ' (secret)' : ''}`,
  )
  return `\nFormats:\n${lines.join('\n')}\n`
}

/** Prints a fragment, or writes it to `--out`, after its warnings. */
export async function writeFragment(
  context: CliContext,
  out: SecretOutOptions,
  { content, document, secret, warnings, files = [] }: RenderedFragment,
): Promise<void> {
  for (const warning of warnings) context.output.warn(warning)
  const [, ...others] = files
  if (others.length > 0 && !context.output.json) {
    await writeFiles(context, out, { content, secret }, others)
    return
  }
  if (secret) await emitSecret(context, out, content, document)
  else emit(context, out, content, document)
}

/** Prints the main one of several files, and names the others; or writes all of them into the folder of `--out`. */
async function writeFiles(
  context: CliContext,
  options: SecretOutOptions,
  { content, secret }: Pick<RenderedFragment, 'content' | 'secret'>,
  others: readonly FragmentFile[],
): Promise<void> {
  const { out, force } = options
  const file = outFile(out)
  if (file === undefined) {
    emit(context, {}, content, undefined)
    const names = others.map(({ name }) => name).join(', ')
    context.output.say(`it needs ${names} beside it: --out FILE writes all, --json prints all`)
    return
  }
  const beside = others.map(({ name, content }) => ({ path: join(dirname(file), name), content }))
  if (beside.some(({ path }) => pathFrom(context, path) === pathFrom(context, file)))
    throw new TOTPError(
      'ERR_USAGE',
      `--out has the name of another file that is written beside it; choose another`,
    )
  const taken = [file, ...beside.map(({ path }) => path)].find((path) => existsSync(pathFrom(context, path)))
  if (taken !== undefined && !force)
    throw new TOTPError('ERR_FILE_EXISTS', `${taken} exists; name another file or add --force`)
  // What names the others comes last.
  for (const { path, content: text } of [...beside, { path: file, content }]) {
    const written = writeResult(context, path, text, force)
    context.output.say(`wrote ${path}`)
    if (secret) await keepSecret(context, written, options)
  }
}
