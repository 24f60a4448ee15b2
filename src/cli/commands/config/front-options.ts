import type { Command } from 'commander'
import { defaultFront, type FrontAddress } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import type { FrontOptions } from './front-addresses.js'
import type { FrontInput } from './read-front.js'

export type { FrontInput, FrontOptions }

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
 * What the configuration of a proxy is made from; nothing for another format.
 *
 * @throws {TOTPError} `ERR_USAGE` for an option that the format has no use for, and for what cannot be read
 */
export async function readFrontOptions(
  context: CliContext,
  isFront: boolean,
  given: FrontOptions & { readonly format: string; readonly authzTokenFile?: string },
): Promise<FrontInput> {
  if (isFront) return (await import('./read-front.js')).readFront(context, given, options)
  const token = given.authzTokenFile === undefined ? undefined : '--authz-token-file'
  const unused = entries.find(([key]) => given[key] !== undefined)?.[1][0] ?? token
  if (unused === undefined) return {}
  return (await import('./read-front.js')).refuseFrontOption(unused, given.format)
}
