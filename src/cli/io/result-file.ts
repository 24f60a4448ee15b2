import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { TOTPError } from '../../core/errors.js'
import { jsonText } from '../../core/text.js'
import { writeNewFile } from '../../store/atomic-write.js'
import type { CliContext } from '../context.js'
import type { StoreAccess } from '../store/store-access.js'

export interface OutOptions {
  /** `-` is standard output. */
  out?: string
  force?: true
}

/** Adds `--out` and `--force`, for commands whose result belongs in a file. */
export const outOptions = (command: Command): Command =>
  command
    .option('--out <file>', 'write to this file, readable only by you, instead of standard output', (file) =>
      requireName('--out', file),
    )
    .option('--force', 'let --out replace an existing file')

/** The requested file; undefined for standard output. */
export const outFile = (out: string | undefined): string | undefined => (out === '-' ? undefined : out)

export function requireName(option: string, file: string): string {
  if (file !== '') return file
  throw new TOTPError('ERR_USAGE', `${option} needs a file name, or - for standard output`)
}

/** Prints a result, or writes it to the file of `--out`. */
export function emit(context: CliContext, { out, force }: OutOptions, text: string, json: unknown): void {
  const { output } = context
  const file = outFile(out)
  if (file === undefined) {
    output.result(text, json)
    return
  }
  const content = output.json ? jsonText(json) : text
  writeResult(context, file, content.endsWith('\n') ? content : `${content}\n`, force)
  output.say(`wrote ${file}`)
}

/**
 * Writes a result to a file.
 *
 * @throws {TOTPError} `ERR_FILE_EXISTS` for the store, whatever `force` says, and what {@link writeNewFile} throws
 */
export function writeResult(
  { store, cwd }: CliContext,
  file: string,
  content: string | Uint8Array,
  force: boolean | undefined,
): void {
  const path = resolve(cwd, file)
  refuseStore(store, path)
  writeNewFile(path, content, { force: force ?? false })
}

/** @throws {TOTPError} `ERR_FILE_EXISTS` if a result would replace the store, whose seeds would be lost */
export function refuseStore(store: StoreAccess, path: string): void {
  const identity = identityOf(path)
  if (identity !== undefined && identity === identityOf(store.path()))
    throw new TOTPError('ERR_FILE_EXISTS', `${path} is the store; name another file`)
}

/** The same for two paths to one file; undefined if there is nothing to see. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = lstatSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
