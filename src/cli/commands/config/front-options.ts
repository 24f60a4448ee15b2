import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { defaultFront, type FrontAddress, type FrontAddresses } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import type { FrontOptions } from './front-addresses.js'

export type { FrontOptions }

const shown = ({ host, port }: FrontAddress): string => `${host}:${port}`
const { listen, gate, agent, listenGrpc, agentGrpc } = defaultFront

const options: Readonly<Record<keyof FrontOptions, readonly [name: string, description: string]>> = {
  listen: ['--listen', `address of the proxy itself (default: ${shown(listen)})`],
  gate: ['--gate', `address of \`gate --authz\`, which the proxy asks (default: ${shown(gate)})`],
  agent: ['--agent', `address of the agent behind the proxy (default: ${shown(agent)})`],
  card: ['--card', 'address of what serves the agent card (default: that of --agent)'],
  listenGrpc: [
    '--listen-grpc',
    `address of the proxy itself for gRPC (default: ${shown(listenGrpc)}, with --agent-grpc)`,
  ],
  gateGrpc: ['--gate-grpc', 'address of `gate --authz-grpc`; Envoy asks there if it is given'],
  agentGrpc: [
    '--agent-grpc',
    `address of the agent for gRPC (default: ${shown(agentGrpc)}, with --listen-grpc)`,
  ],
}

const entries = Object.entries(options) as [keyof FrontOptions, readonly [string, string]][]

/** Adds the addresses for the formats that are configurations of proxies. */
export function frontOptions(command: Command): Command {
  for (const [, [name, description]] of entries) command.option(`${name} <host:port>`, description)
  return command.option(
    '--authz-token-file <file>',
    'the file that `gate --authz-token-file` has; its content gets into the configuration, which is secret then',
  )
}

/**
 * The addresses for the configuration of a proxy. Undefined for another format.
 *
 * @throws {TOTPError} `ERR_USAGE` for what is no address, and for one that the format has no use for
 */
export async function readFront(
  format: string,
  isFront: boolean,
  given: FrontOptions,
): Promise<FrontAddresses | undefined> {
  if (isFront) return (await import('./front-addresses.js')).frontAddresses(given, options)
  const [, [unused = '']] = entries.find(([key]) => given[key] !== undefined) ?? ['', []]
  if (unused === '') return undefined
  throw new TOTPError(
    'ERR_USAGE',
    `${unused} cannot be used with --format ${format}; it is for nginx, caddy, traefik, haproxy and envoy`,
  )
}

/**
 * The token that a proxy shows to the gate; undefined if none is given.
 *
 * @throws {TOTPError} `ERR_USAGE` for another format, and for a token with characters that mean something in some configuration
 */
export async function readFrontToken(
  context: CliContext,
  isFront: boolean,
  { format, authzTokenFile: file }: { readonly format: string; readonly authzTokenFile?: string },
): Promise<string | undefined> {
  if (file === undefined) return undefined
  if (!isFront) {
    throw new TOTPError(
      'ERR_USAGE',
      `--authz-token-file cannot be used with --format ${format}; it is for nginx, caddy, traefik, haproxy and envoy`,
    )
  }
  const { readSecret } = await import('../../io/given-file.js')
  const token = (await readSecret(context, '--authz-token-file', file)).trim()
  if (/^[\w.~+/=-]{16,1024}$/.test(token)) return token
  throw new TOTPError(
    'ERR_USAGE',
    '--authz-token-file must contain one line of 16 to 1024 letters, digits and ._~+/=-, such as `openssl rand -hex 32` prints; other characters mean something in the configuration of a proxy',
  )
}
