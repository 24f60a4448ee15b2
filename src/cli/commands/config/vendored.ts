import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { printable } from '../../../core/text.js'
import { vendoredVersion, withUnixLineEnds } from '../../../fragments/vendored.js'
import type { CliContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { readGivenFile } from '../../io/given-file.js'
import type { OutOptions } from '../../io/result-file.js'
import { refuseTogether } from '../../options.js'

export interface VendoredOptions {
  vendored?: true
  check?: string
}

/** Adds `--vendored` and `--check`, for the formats that are copied into a project. */
export const vendoredOptions = (command: Command): Command =>
  command
    .option('--vendored', 'print one file that needs no package of ours: python and crewai alone')
    .option('--check <file>', 'check whether a vendored Python file is what this version prints')

const vendorable: readonly string[] = ['python', 'crewai']

/** @throws {TOTPError} `ERR_USAGE` for `--vendored` with a format that is not printed as one file */
export function requireVendorable(format: string, vendored: true | undefined): void {
  if (!vendored || vendorable.includes(format)) return
  throw new TOTPError(
    'ERR_USAGE',
    `--vendored cannot be used with --format ${format}; it is for ${vendorable.join(' and ')}`,
  )
}

/** Reports whether a file is what this version prints. Exit code 1 if it is not. */
export async function checkVendored(
  context: CliContext,
  file: string,
  { out, force }: OutOptions & VendoredOptions,
): Promise<void> {
  for (const [name, value] of Object.entries({ '--out': out, '--force': force }))
    refuseTogether({ '--check': file, [name]: value })
  const text = readGivenFile(context, 'the file given to --check', file).toString()
  const found = vendoredVersion(text)
  const { version, vendoredSources } = await import('../../../fragments/sources.js')
  const current = found?.intact === true && vendoredSources().includes(withUnixLineEnds(text))
  const verdict = current ? `matches a2a-totp ${version}` : describeOther(found, version)
  context.output.result(`${printable(file)}: ${verdict}`, {
    file,
    version: found?.version ?? null,
    intact: found?.intact ?? false,
    current,
  })
  if (!current) context.setExitCode(exitCodes.no)
}

function describeOther(found: ReturnType<typeof vendoredVersion>, version: string): string {
  if (!found) return 'not a vendored file: no line in it names the version of a2a-totp that printed it'
  if (!found.intact) return `was changed after a2a-totp ${found.version} printed it`
  if (found.version !== version) return `was printed by a2a-totp ${found.version}; this is ${version}`
  return `was printed by another build of a2a-totp ${version}`
}
