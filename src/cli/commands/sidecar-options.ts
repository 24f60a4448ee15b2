import type { Command } from 'commander'
import { TOTPError } from '../../core/errors.js'
import { isLoopback, parseListenAddress, type ListenAddress } from '../../service/address.js'
import { choice, wholeNumber } from '../options.js'
import type { LogFormat } from '../../sidecar/observe/log.js'
import type { CliContext } from '../context.js'
import { pathFrom } from '../io/path.js'

/** What {@link operationOptions} add. */
export interface OperationOptions {
  admin?: ListenAddress
  adminPublic?: true
  log: LogFormat
  /** In seconds. */
  drain: number
}

const logFormats = ['text', 'json'] as const satisfies LogFormat[]

/** systemd waits for 90 s and Kubernetes for 30 s before they kill. */
const defaultDrainS = 20

/**
 * An option whose value is an address to listen on: see {@link parseListenAddress}.
 *
 * @param flags such as `--listen <host:port>`
 */
export function listenAddress(
  flags: string,
  description: string,
): [flags: string, description: string, parser: (value: string) => ListenAddress] {
  const name = flags.replace(/ .*/, '')
  const parse = (value: string): ListenAddress => {
    const address = parseListenAddress(value)
    if (address) return address
    throw new TOTPError(
      'ERR_USAGE',
      `${name} must be HOST:PORT with an IP address or localhost, or a port: 127.0.0.1:8080, [::1]:8080 or 8080; port 0 picks a free one`,
    )
  }
  return [flags, description, parse]
}

/** Adds the options about running a sidecar that `proxy` and `gate` share: `--admin --admin-public --log --drain`. */
export const operationOptions = (command: Command): Command =>
  command
    .option(
      ...listenAddress(
        '--admin <host:port>',
        'serve /healthz, /readyz, /metrics and /status there; by default nowhere',
      ),
    )
    .option('--admin-public', 'allow an --admin address that other machines can reach')
    .option(...choice('--log <format>', 'how calls and events are written to stderr', logFormats), 'text')
    .option(
      ...wholeNumber('--drain <seconds>', 'how long running calls may go on after SIGTERM', 0, 86_400),
      defaultDrainS,
    )

/** @throws {TOTPError} `ERR_USAGE` if other machines could reach the address of `--admin`, and nobody said that they may */
export function requireAdminAllowed({ admin, adminPublic }: OperationOptions): void {
  if (admin && !isLoopback(admin) && adminPublic !== true)
    throw new TOTPError(
      'ERR_USAGE',
      '--admin beyond loopback can be read by other machines; use a loopback address, or add --admin-public',
    )
  if (!admin && adminPublic === true)
    throw new TOTPError('ERR_USAGE', '--admin-public needs --admin; name the address to serve')
}

/** Linux allows 107 bytes, macOS 103. */
const longestSocketPath = 103

/**
 * The path of a unix socket to listen on, from an option.
 *
 * @throws {TOTPError} `ERR_USAGE` if it is empty, or too long for a socket
 */
export function socketPath(context: Pick<CliContext, 'cwd'>, option: string, path: string): string {
  if (path === '') throw new TOTPError('ERR_USAGE', `${option} needs the path of a socket`)
  const absolute = pathFrom(context, path)
  if (Buffer.byteLength(absolute) <= longestSocketPath) return absolute
  throw new TOTPError(
    'ERR_USAGE',
    `${option} is longer than the ${longestSocketPath} bytes that a socket's path may have; choose a shorter path`,
  )
}
