import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { TOTPError } from '../../../core/errors.js'
import type { Format, ProbeReport } from '../../../probe/index.js'
import type { CliContext } from '../../context.js'
import {
  emit,
  outFile,
  refuseStore,
  requireName,
  writeResult,
  type OutOptions,
} from '../../io/result-file.js'

/** Listed here because the probe, which knows them, is loaded only when it runs; its type holds the list. */
const formatNames = ['pretty', 'json', 'junit', 'markdown', 'github'] as const satisfies readonly Format[]

/** One report to write: to a file, or to where the command's result goes. */
export interface ReportTarget {
  readonly format: Format
  readonly file?: string
}

/** `--format F[=FILE]`, as often as there are reports to write. */
export const formatOption = [
  '--format <format>',
  `how to report, as FORMAT or FORMAT=FILE, may be repeated (${formatNames.join(', ')})`,
  (text: string, before?: readonly ReportTarget[]): readonly ReportTarget[] => {
    const [name = '', ...rest] = text.split('=')
    const format = formatNames.find((known) => known === name)
    if (format) {
      const file = rest.length === 0 ? undefined : outFile(requireName('--format', rest.join('=')))
      return [...(before ?? []), { format, ...(file === undefined ? {} : { file }) }]
    }
    throw new TOTPError(
      'ERR_USAGE',
      `--format must be one of ${formatNames.join(', ')}, alone or with =FILE after it`,
    )
  },
] as const

/**
 * Checks before anything is sent that every report has a place to go.
 *
 * @throws {TOTPError} `ERR_USAGE` when two reports would go to standard output, `ERR_FILE_EXISTS` for a file that is
 *   there without `--force`.
 */
export function requirePlaces(
  { output, store, cwd }: CliContext,
  targets: readonly ReportTarget[],
  { out, force }: OutOptions,
): void {
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
  const files = [...targets.map(({ file }) => file), outFile(out)]
    .filter((file) => file !== undefined)
    .map((file) => resolve(cwd, file))
  if (new Set(files).size < files.length) {
    throw new TOTPError('ERR_USAGE', 'two reports cannot go to one file; give each its own')
  }
  for (const file of files) refuseStore(store, file)
  const taken = force ? undefined : files.find((file) => existsSync(file))
  if (taken !== undefined) {
    throw new TOTPError('ERR_FILE_EXISTS', `${taken} exists; give another file, or replace it with --force`)
  }
}

/** Writes every report that was asked for; one of them, or the pretty one, is the command's result. */
export function writeReports(
  context: CliContext,
  report: ProbeReport,
  targets: readonly ReportTarget[],
  options: OutOptions,
  render: (format: Format, color: boolean) => string,
): void {
  const { output } = context
  // Files first: where one cannot be written, nothing is on standard output.
  for (const { format, file } of targets) {
    if (file === undefined) continue
    writeResult(context, file, render(format, false), options.force)
    output.say(`wrote ${file}`)
  }
  const shown = targets.find(({ file }) => file === undefined)?.format ?? 'pretty'
  const colored = output.forPerson && outFile(options.out) === undefined
  emit(context, options, render(shown, colored), report)
}
