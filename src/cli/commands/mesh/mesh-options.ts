import type { Command } from 'commander'
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
