import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import {
  isLoopback,
  parseListenAddress,
  type ListenAddress,
  type ListenPlace,
} from '../../../service/address.js'
import type { CliContext } from '../../context.js'
import { isReadOnce, readSecret, readSecretFile } from '../../io/given-file.js'
import { listenAddress, socketPath } from '../sidecar-options.js'

/** What {@link authzOptions} add. */
export interface AuthzOptions {
  authz?: string
  authzGrpc?: ListenAddress
  authzTokenFile?: string
  bodyUnchecked?: true
}

/** Forward authentication, as its options say. */
export interface ReadAuthz {
  readonly http?: ListenPlace
  readonly grpc?: ListenAddress
  /** What reads it, if it can be read again. */
  readonly frontToken?: string | (() => string)
  readonly bodyUnchecked: boolean
}

/** Adds the options about forward authentication. */
export const authzOptions = (command: Command): Command =>
  command
    .option(
      '--authz <host:port>',
      'answer nginx, Caddy, Traefik, HAProxy and Envoy there (unix:PATH: a socket); they ask before they pass a request on',
    )
    .option(...listenAddress('--authz-grpc <host:port>', "answer Envoy's ext_authz over gRPC there"))
    .option(
      '--authz-token-file <file>',
      'refuse whoever does not send its content as TotpAuthzToken; needed where other machines reach --authz',
    )
    .option('--body-unchecked', 'let peers that must sign in without comparing a body with its digest')

/**
 * Reads them.
 *
 * @returns undefined without `--authz` and `--authz-grpc`
 * @throws {TOTPError} `ERR_USAGE` for an address that other machines can reach without a token, for a token that no field
 *   can carry, and for what means nothing without `--authz`; what reading the file throws
 */
export async function readAuthz(
  context: CliContext,
  { authz, authzGrpc: grpc, authzTokenFile: file, bodyUnchecked }: AuthzOptions,
): Promise<ReadAuthz | undefined> {
  if (authz === undefined && grpc === undefined) {
    const [needless] = [
      file !== undefined && '--authz-token-file',
      bodyUnchecked && '--body-unchecked',
    ].filter(Boolean)
    if (needless) throw new TOTPError('ERR_USAGE', `${needless} means nothing without --authz; add it`)
    return undefined
  }
  const http = authz === undefined ? undefined : addressOf(context, authz)
  for (const [name, address] of [['--authz', http] as const, ['--authz-grpc', grpc] as const]) {
    if (!address || 'socket' in address || isLoopback(address) || file !== undefined) continue
    throw new TOTPError(
      'ERR_USAGE',
      `${name} beyond loopback can be asked by other machines; use a loopback address, or add --authz-token-file`,
    )
  }
  const frontToken = file === undefined ? undefined : await readFrontToken(context, file)
  return {
    ...(http && { http }),
    ...(grpc && { grpc }),
    ...(frontToken !== undefined && { frontToken }),
    bodyUnchecked: bodyUnchecked === true,
  }
}

async function readFrontToken(context: CliContext, file: string): Promise<string | (() => string)> {
  const token = tokenOf(await readSecret(context, '--authz-token-file', file))
  if (isReadOnce(context, file)) return token
  return () => tokenOf(readSecretFile(context, '--authz-token-file', file))
}

function addressOf(context: CliContext, text: string): ListenPlace {
  if (text.startsWith('unix:')) return { socket: socketPath(context, '--authz', text.slice('unix:'.length)) }
  const address = parseListenAddress(text)
  if (address) return address
  throw new TOTPError(
    'ERR_USAGE',
    '--authz must be HOST:PORT with an IP address or localhost, a port, or unix:PATH: 127.0.0.1:9001, [::1]:9001 or 9001; port 0 picks a free one',
  )
}

function tokenOf(text: string): string {
  const token = text.trim()
  if (/^[!-~]{16,1024}$/.test(token)) return token
  throw new TOTPError(
    'ERR_USAGE',
    '--authz-token-file must contain one line of 16 to 1024 printable ASCII characters without spaces, such as `openssl rand -hex 32` prints',
  )
}
