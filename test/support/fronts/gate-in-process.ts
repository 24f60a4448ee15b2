import { join } from 'node:path'
import { TOTPServerAuthScheme } from '../../../src/server/scheme/scheme.js'
import { startAuthz } from '../../../src/sidecar/authz/start.js'
import type { ListenerRole, SidecarCall } from '../../../src/sidecar/sidecar.js'
import { memoryState } from '../../../src/state/memory-state.js'
import type { GatePlace, RunningGate } from './gate.js'

/** What answers fronts, in this process. Codes of before its start count as unused. */
export async function gateInProcess({ folder, port, grpcPort, frontToken }: GatePlace): Promise<RunningGate> {
  const state = memoryState({ since: new Date(0) })
  const scheme = TOTPServerAuthScheme.fromFile(join(folder, 'server.json'), { state })
  const calls: SidecarCall[] = []
  const authz = await startAuthz({
    scheme,
    http: { host: '127.0.0.1', port },
    grpc: { host: '127.0.0.1', port: grpcPort },
    identityOf: ({ peer }) => [['TotpPeer', peer]],
    ...(frontToken !== undefined && { frontToken }),
    bodyUnchecked: false,
    hasUpstream: false,
    observer: {
      call: (call) => void calls.push(call),
      event: () => undefined,
    },
  })
  const portOf = (role: ListenerRole): number =>
    Number(new URL(authz.listeners.find((one) => one.role === role)?.url ?? '').port)
  return {
    port: portOf('authz'),
    grpcPort: portOf('authz-grpc'),
    calls: () => Promise.resolve(calls),
    close: async () => {
      await authz.close()
      scheme.close()
    },
  }
}
