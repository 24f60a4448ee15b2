import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { defaultFront, type FrontAddress, type FrontAddresses } from '../../../fragments/index.js'
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
  return command
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
