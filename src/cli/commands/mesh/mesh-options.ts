import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { completing, type MeshWords } from '../../completes.js'
import type { SecretOutOptions } from '../../io/result-file.js'
import { wholeNumber } from '../../options.js'
import type { EncryptionOptions } from '../store/encryption.js'
import type { MeshFileOption } from './open-mesh.js'

/** The options of what delivers to agents and peers. */
export interface DeliverOptions extends MeshFileOption {
  yes?: true
  allowCommands?: true
  allowWeakSeed?: true
  prove?: true
  wait?: number
  timeout?: number
  concurrency?: number
  dryRun?: true
  gitignore: boolean
}

export interface ApplyOptions extends DeliverOptions, EncryptionOptions {
  prune?: true
}

/** Adds the options of what delivers to agents and peers. */
export const deliverOptions = (command: Command): Command =>
  command
    .option('--yes', 'do not ask before peers are removed, or locked out until they have their new files')
    .option('--allow-commands', 'run the commands of the file without asking, also where they are new')
    .option('--prove', 'ask the agents whether they let new credentials in; it sends no wrong codes')
    .option(...wholeNumber('--wait <seconds>', 'with --prove: until all let them in (default: 60)', 0, 3600))
    .option(...wholeNumber('--timeout <seconds>', 'for each command (default: 60)', 1, 86_400))
    .option(...wholeNumber('--concurrency <number>', 'deliveries at once (default: 4)', 1, 64))
    .option('--allow-weak-seed', 'deliver seeds of less than 128 bits, for agents that allow them')
    .option('--dry-run', 'print what would change, and change nothing')
    .option(
      '--no-gitignore',
      'leave .gitignore alone; otherwise secret files in a git work tree are added to it',
    )

/** The arguments of commander's `option` for names with spaces or commas between them; may be repeated. */
export function onlyOption(
  flags: string,
  description: string,
  completes: MeshWords,
): [flags: string, description: string, parser: (value: string) => string] {
  const parse = (text: string, before: readonly string[] = []): string[] => {
    const words = text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean)
    if (words.length > 0) return [...before, ...words]
    throw new TOTPError('ERR_USAGE', '--only names nothing; pass what help shows, or omit it')
  }
  // commander collects what the parser of `...` returns; its types know only one value.
  return [flags, description, completing(parse as unknown as (value: string) => string, completes)]
}

export interface MeshRotateOptions extends DeliverOptions {
  only?: string[]
  olderThan?: number
  overlap?: number
  seed?: true
  token?: true
  now?: true
}

export interface MeshConfigOptions extends MeshFileOption, SecretOutOptions {
  allowWeakSeed?: true
}
