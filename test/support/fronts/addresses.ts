import type { FrontAddresses } from '../../../src/fragments/front-addresses.js'
import { freePort } from '../free-ports.js'
import type { BareAgent } from './agent.js'
import type { TestGate } from './gate.js'

/** The ports of a front, and the addresses that its configuration has. */
export interface PlacedFront {
  readonly port: number
  readonly grpcPort: number
  readonly addresses: FrontAddresses
}

/**
 * Places a front on free ports, before an agent and a gate.
 *
 * @param envoyGrpc whether the front asks the gate over gRPC
 */
export async function placeFront(
  agent: Pick<BareAgent, 'port' | 'grpcPort'>,
  gate: Pick<TestGate, 'port' | 'grpcPort'>,
  envoyGrpc: boolean,
): Promise<PlacedFront> {
  const [port, grpcPort] = await Promise.all([freePort(), freePort()])
  const at = (number: number): { host: string; port: number } => ({ host: '127.0.0.1', port: number })
  return {
    port,
    grpcPort,
    addresses: {
      listen: at(port),
      gate: at(gate.port),
      agent: at(agent.port),
      grpc: { listen: at(grpcPort), agent: at(agent.grpcPort) },
      ...(envoyGrpc && { gateGrpc: at(gate.grpcPort) }),
    },
  }
}
