import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import type { CodeProfile } from '../../../core/profile.js'
import type { CredentialKinds, PeerChoice, Rotation } from '../../../core/rotation.js'
import { completed } from '../../completes.js'
import type { CliContext } from '../../context.js'
import { refuseTogether, wholeNumber } from '../../options.js'
import { givenOf, isStaged, type GivenStagedOptions } from './given-options.js'

export interface RotateOptions extends GivenStagedOptions, Partial<CodeProfile> {
  seed?: true
  token?: true
  all?: true
  olderThan?: number
  overlap?: number
  now?: true
  finish?: true
  dryRun?: true
  resume?: true
  abandon?: true
  yes?: true
  qr?: true
  reveal?: true
}

const defaultOverlapMs = 24 * 3_600_000

/** Adds the options of a rotation that delivers and proves. */
export const stagedOptions = (command: Command): Command =>
  command
    .option('--deliver <command>', "run this for each peer, with the peer's new fragment on standard input")
    .option(
      ...completed('--format <format>', 'the format of the fragment, as of config client (default: env)', {
        words: async () => (await import('./staged-options.js')).formatOffers,
      }),
    )
    .option('--server-out <file>', "write the agent's server file here; the agent follows it")
    .option('--deliver-server <command>', 'run this with the server file on standard input')
    .option('--prove <url>', 'probe the agent with the new credentials; it sends no wrong codes')
    .option(...wholeNumber('--wait <seconds>', 'until the agent lets the new ones in (default: 60)', 0, 3600))
    .option(...wholeNumber('--timeout <seconds>', 'for each command (default: 60)', 1, 86_400))
    .option(
      '--allow-host <hosts>',
      'with --prove: credentials may go to these hosts as well, comma-separated',
      hosts,
    )
    .option('--insecure-http', 'with --prove: send credentials over plain http beyond loopback')
    .option('--ca <file>', 'with --prove: trust the certificates in this PEM file')
    .option('--allow-weak-seed', 'write seeds of less than 128 bits, for an agent that allows them')
    .option('--resume', 'go on with what is not finished, with the options it was started with')
    .option('--abandon', 'drop new credentials that were not delivered')

const hosts = (text: string): string[] =>
  text
    .split(',')
    .map((host) => host.trim())
    .filter(Boolean)

/** Without either option, both. */
export function kindsOf({ seed, token }: RotateOptions): CredentialKinds {
  const both = seed === token
  return { seed: both || seed === true, token: both || token === true }
}

export function choiceOf(names: string[], { all, olderThan }: RotateOptions): PeerChoice {
  refuseTogether({ '--all': all, NAME: names[0] })
  if (names.length > 0) return [...new Set(names)]
  if (all ?? olderThan !== undefined) return 'all'
  throw new TOTPError('ERR_USAGE', 'no peer named; pass NAME, --all or --older-than')
}

export function refuseContradictions(options: RotateOptions): void {
  const { now, overlap, olderThan, qr, reveal, finish, resume, abandon } = options
  const { algorithm, digits, period, seed, token, dryRun } = options
  refuseTogether({ '--now': now, '--overlap': overlap })
  const forNewOnes = {
    '--now': now,
    '--overlap': overlap,
    '--older-than': olderThan,
    '--qr': qr,
    '--reveal': reveal,
    '--algorithm': algorithm,
    '--digits': digits,
    '--period': period,
  }
  const forOneRun = { ...forNewOnes, '--seed': seed, '--token': token, '--dry-run': dryRun }
  refuseAllWith('--finish', finish, { ...forNewOnes, ...notForTheServer(givenOf(options)) })
  refuseAllWith('--resume', resume, { ...forOneRun, '--finish': finish, '--abandon': abandon })
  refuseAllWith('--abandon', abandon, { ...forOneRun, '--finish': finish })
  if (!isStaged(options)) return
  refuseAllWith('a delivery', true, { '--qr': qr, '--reveal': reveal })
}

/** Without what says how the agent gets its server file, which a change that creates nothing leaves to be done, too. */
function notForTheServer(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const forServer = ['--server-out', '--deliver-server', '--timeout', '--allow-weak-seed']
  return Object.fromEntries(Object.entries(given).filter(([name]) => !forServer.includes(name)))
}

function refuseAllWith(name: string, given: unknown, others: Readonly<Record<string, unknown>>): void {
  if (given === undefined) return
  for (const [option, value] of Object.entries(others)) refuseTogether({ [name]: given, [option]: value })
}

/**
 * Whether the rotation delivers or proves something.
 *
 * @throws {TOTPError} `ERR_USAGE` for an option that says how, without one that says what
 */
export function requireStagedOptions(options: RotateOptions): boolean {
  if (isStaged(options)) return true
  const [lost] = Object.entries(givenOf(options)).find(([, value]) => value !== undefined) ?? []
  if (lost === undefined) return false
  throw new TOTPError(
    'ERR_USAGE',
    `${lost} needs --deliver, --server-out, --deliver-server or --prove; add one, or omit it`,
  )
}

export function rotationOf({ now }: CliContext, kinds: CredentialKinds, options: RotateOptions): Rotation {
  const { olderThan, overlap, now: atOnce, algorithm, digits, period } = options
  const changed = Object.entries({ algorithm, digits, period }).filter(([, value]) => value !== undefined)
  const [first] = changed
  if (first && !kinds.seed)
    throw new TOTPError('ERR_USAGE', `--${first[0]} needs a new seed; omit --token, or add --seed`)
  if (first && !atOnce && (overlap !== undefined || isStaged(options))) {
    throw new TOTPError(
      'ERR_USAGE',
      `--${first[0]} needs --now: the agent makes all codes of a peer in one way, so an old seed cannot stay valid beside a new one`,
    )
  }
  return {
    ...kinds,
    overlapMs: atOnce ? 0 : (overlap ?? defaultOverlapMs),
    ...(olderThan === undefined ? {} : { madeBefore: new Date(now().getTime() - olderThan) }),
    ...(first ? { profile: Object.fromEntries(changed) } : {}),
  }
}
