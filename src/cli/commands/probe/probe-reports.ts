import { existsSync } from 'node:fs'
import { TOTPError } from '../../../core/errors.js'
import type { Format } from '../../../probe/index.js'
import { completing, plainWords } from '../../completes.js'
import type { CliContext } from '../../context.js'
import { emit, outFile, refuseStore, requireName, type OutOptions } from '../../io/result-file.js'
import { notOneOf } from '../../suggestions.js'
import { pathFrom } from '../../io/path.js'
import { realPath } from '../../../programs/work-tree.js'
import { overwriteFile, requireWritable } from '../../../store/atomic-write.js'

/** Listed here because the probe, which knows them, is loaded only when it runs; its type holds the list. */
const formatNames = [
  'pretty',
  'json',
  'junit',
  'tap',
  'markdown',
  'github',
  'sarif',
  'html',
  'openmetrics',
] as const satisfies readonly Format[]

/** One report to write: to a file, or to where the command's result goes. */
export interface ReportTarget {
  readonly format: Format
  readonly file?: string
}

/** `--format F[=FILE]`, as often as there are reports to write. Shells complete the names. */
export const formatOption = [
  '--format <format>',
  `how to report, as FORMAT or FORMAT=FILE, may be repeated (${formatNames.join(', ')})`,
  completing(parseFormat, { ...plainWords(formatNames), orFile: true }),
] as const

function parseFormat(text: string, before: readonly ReportTarget[] = []): readonly ReportTarget[] {
  const [name = '', ...rest] = text.split('=')
  const format = formatNames.find((known) => known === name)
  if (format) {
    const file = rest.length === 0 ? undefined : outFile(requireName('--format', rest.join('=')))
    return [...before, { format, ...(file === undefined ? {} : { file }) }]
  }
  throw notOneOf('--format', name, formatNames, ', alone or with =FILE after it')
}

/**
 * Checks before anything is sent that every report has a place to go. Reports are overwritten; the file of `--out` only
 * with `--force`.
 *
 * @throws {TOTPError} `ERR_USAGE` when two reports would go to standard output or to one file, `ERR_FILE_EXISTS` for
 *   the store and for an existing file of `--out`, `ERR_FILE_UNWRITABLE` where no file can be written.
 */
export function requirePlaces(
  context: CliContext,
  targets: readonly ReportTarget[],
  { out, force }: OutOptions,
): void {
  const { output, store } = context
  const shown = new Set([
    ...targets.filter(({ file }) => file === undefined).map(({ format }) => format),
    ...(output.json ? ['json'] : []),
  ])
  if (shown.size > 1) {
    throw new TOTPError(
      'ERR_USAGE',
      'two reports cannot both go to standard output; send one to a file: --format FORMAT=FILE',
    )
  }
  const reports = targets.flatMap(({ file }) => (file === undefined ? [] : [pathFrom(context, file)]))
  const result = outFile(out) === undefined ? [] : [pathFrom(context, out ?? '')]
  const files = [...reports, ...result]
  if (new Set(files.map(realPath)).size < files.length) {
    throw new TOTPError('ERR_USAGE', 'two reports cannot go to one file; give each its own')
  }
  for (const file of files) refuseStore(store, file)
  const taken = force ? undefined : result.find((file) => existsSync(file))
  if (taken !== undefined) {
    throw new TOTPError('ERR_FILE_EXISTS', `${taken} exists; give another file, or replace it with --force`)
  }
  for (const file of files) requireWritable(file)
}

/** Replaces the file of a report, whole or not at all. */
export function writeReportFile(context: CliContext, file: string, text: string): void {
  const path = pathFrom(context, file)
  refuseStore(context.store, path)
  overwriteFile(path, text)
}

/**
 * Writes every report that was asked for; one of them, or the pretty one, is the command's result. Where a file cannot be
 * written, the others are, standard output stays empty, and the report for people goes to standard error: a run may have
 * taken minutes.
 *
 * @param report the document that it is with `--json`
 * @throws {TOTPError} `ERR_FILE_UNWRITABLE` for the first file that could not be written
 */
export function writeReports(
  context: CliContext,
  report: unknown,
  targets: readonly ReportTarget[],
  options: OutOptions,
  render: (format: Format, color: boolean) => string,
): void {
  const { output } = context
  const errors: unknown[] = []
  const attempt = (write: () => void): void => {
    try {
      write()
    } catch (error) {
      errors.push(error)
    }
  }
  for (const { format, file } of targets) {
    if (file === undefined) continue
    attempt(() => {
      writeReportFile(context, file, render(format, false))
      output.say(`wrote ${file}`)
    })
  }
  const shown = targets.find(({ file }) => file === undefined)?.format ?? 'pretty'
  const file = outFile(options.out)
  // Files first: where one cannot be written, nothing is on standard output.
  if (errors.length === 0 || file !== undefined) {
    attempt(() => emit(context, options, render(shown, output.forPerson && file === undefined), report))
  }
  if (errors.length === 0) return
  output.remark(render('pretty', false))
  throw errors[0]
}
