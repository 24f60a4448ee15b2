import { TOTPError } from '../../../core/errors.js'
import type { FrontAddresses } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { readSecret } from '../../io/given-file.js'
import { frontAddresses, type FrontOptions } from './front-addresses.js'

/** What the configuration of a proxy is made from. */
export interface FrontInput {
  readonly front?: FrontAddresses
  /** The token that the proxy shows to the gate. */
  readonly frontToken?: string
}

/**
 * Reads the addresses and the token for the configuration of a proxy.
 *
 * @param names of the options, for messages
 * @throws {TOTPError} `ERR_USAGE` for what is no address, and for a token with characters that mean something in some configuration
 */
export async function readFront(
  context: CliContext,
  given: FrontOptions & { readonly authzTokenFile?: string },
  names: Parameters<typeof frontAddresses>[1],
): Promise<FrontInput> {
  const front = frontAddresses(given, names)
  if (given.authzTokenFile === undefined) return { front }
  return { front, frontToken: await readFrontToken(context, given.authzTokenFile) }
}

/** @throws {TOTPError} `ERR_USAGE`: only proxies have such an option */
export function refuseFrontOption(option: string, format: string): never {
  throw new TOTPError(
    'ERR_USAGE',
    `${option} cannot be used with --format ${format}; it is for nginx, caddy, traefik, haproxy and envoy`,
  )
}

async function readFrontToken(context: CliContext, file: string): Promise<string> {
  const token = (await readSecret(context, '--authz-token-file', file)).trim()
  if (/^[\w.~+/=-]{16,1024}$/.test(token)) return token
  throw new TOTPError(
    'ERR_USAGE',
    '--authz-token-file must contain one line of 16 to 1024 letters, digits and ._~+/=-, such as `openssl rand -hex 32` prints; other characters mean something in the configuration of a proxy',
  )
}
