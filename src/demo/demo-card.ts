import type { AgentCard } from '@a2a-js/sdk'
import type { CardJson } from '../core/card/shapes.js'
import { totpAgentCard } from '../server/a2a.js'
import type { TOTPServerAuthScheme } from '../server/scheme/scheme.js'

/** One binding at one protocol version, as the card names it. */
export interface DemoInterface {
  /** Of gRPC it is `host:port`. */
  readonly url: string
  readonly protocolBinding: 'JSONRPC' | 'HTTP+JSON' | 'GRPC'
  readonly protocolVersion: '1.0' | '0.3'
}

export const paths = { JSONRPC: '/a2a/jsonrpc', 'HTTP+JSON': '/a2a/rest' } as const

export type ProtocolBinding = DemoInterface['protocolBinding']

/** Each binding that has an address, at every version, in the order of the addresses. */
export function interfacesAt(urls: Readonly<Partial<Record<ProtocolBinding, string>>>): DemoInterface[] {
  const bindings = Object.entries(urls) as [ProtocolBinding, string][]
  return (['1.0', '0.3'] as const).flatMap((protocolVersion) =>
    bindings.map(([protocolBinding, url]) => ({ url, protocolBinding, protocolVersion })),
  )
}

export function demoCard(
  name: string,
  supportedInterfaces: readonly DemoInterface[],
  scheme: TOTPServerAuthScheme,
): AgentCard {
  const card: CardJson = {
    name,
    description: 'A demonstration: echoes messages from callers with both factors.',
    version: '1.0.0',
    supportedInterfaces,
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [
      {
        id: 'echo',
        name: 'Echo',
        description: 'Says the text of a message back, and who sent it.',
        tags: ['demo'],
        examples: ['hello'],
      },
    ],
  }
  return totpAgentCard(card, { scheme })
}
