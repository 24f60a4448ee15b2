import { lstatSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { TOTPError } from '../../core/errors.js'
import { jsonText } from '../../core/text.js'
import { writeNewFile } from '../../store/atomic-write.js'
import type { CliContext } from '../context.js'
import type { StoreAccess } from '../store/store-access.js'
import { pathFrom } from './path.js'

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

/** What {@link emitSecret} takes as well. */
export interface SecretOutOptions extends OutOptions {
  gitignore: boolean
}

/** The same for commands whose result may be secret. */
export const secretOutOptions = (command: Command): Command =>
  outOptions(command).option(
    '--no-gitignore',
    'leave .gitignore alone; otherwise a secret file in a git work tree is added to it',
  )

/** The requested file; undefined for standard output. */
export const outFile = (out: string | undefined): string | undefined => (out === '-' ? undefined : out)

export function requireName(option: string, file: string): string {
  if (file !== '') return file
  throw new TOTPError('ERR_USAGE', `${option} needs a file name, or - for standard output`)
}

/**
 * Prints a result, or writes it to the file of `--out`.
 *
 * @returns the path of the file; undefined for standard output
 */
export function emit(
  context: CliContext,
  { out, force }: OutOptions,
  text: string,
  json: unknown,
): string | undefined {
  const { output } = context
  const file = outFile(out)
  if (file === undefined) {
    output.result(text, json)
    return undefined
  }
  const content = output.json ? jsonText(json) : text
  const path = writeResult(context, file, content.endsWith('\n') ? content : `${content}\n`, force)
  output.say(`wrote ${file}`)
  return path
}

/** {@link emit} for a result with seeds or tokens: keeps the file out of git. */
export async function emitSecret(
  context: CliContext,
  options: SecretOutOptions,
  text: string,
  json: unknown,
): Promise<void> {
  const path = emit(context, options, text, json)
  if (path !== undefined) await keepSecret(context, path, options)
}

export interface KeepSecretOptions extends Pick<SecretOutOptions, 'gitignore'> {
  /** Called with the file's name when a new rule ignores it, for a command that writes many; by default that is said. */
  readonly onIgnored?: (name: string) => void
}

/** Adds a secret file to the ignore file of its git work tree, and warns if git may add it all the same. */
export async function keepSecret(
  context: CliContext,
  path: string,
  { gitignore, onIgnored }: KeepSecretOptions,
): Promise<void> {
  const { keepResultOutOfGit } = await import('../store/result-out-of-git.js')
  await keepResultOutOfGit(context, path, gitignore, onIgnored)
}

/**
 * Writes a result to a file.
 *
 * @returns its path
 * @throws {TOTPError} `ERR_FILE_EXISTS` for the store, whatever `force` says, and what {@link writeNewFile} throws
 */
export function writeResult(
  context: CliContext,
  file: string,
  content: string | Uint8Array,
  force: boolean | undefined,
): string {
  const path = pathFrom(context, file)
  refuseStore(context.store, path)
  writeNewFile(path, content, { force: force ?? false })
  requireWritten(path, Buffer.byteLength(content))
  return path
}

/** Looks at the file, since its folder may be one that loses what is written to it. */
function requireWritten(path: string, size: number): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() && stats.size === size) return
  throw new TOTPError('ERR_FILE_UNWRITABLE', `${path} was written, but is not there; look at its folder`)
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
