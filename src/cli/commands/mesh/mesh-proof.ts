import { performance } from 'node:perf_hooks'
import { peerNamed } from '../../../core/provision.js'
import type { Proof } from '../../../mesh/apply/ports.js'
import type { Mesh, MeshAgent } from '../../../mesh/file/mesh.js'
import type { CliContext } from '../../context.js'
import { admitted, proved, type ProvingOptions } from '../rotate/proof.js'

/** Asks the agents of a mesh. A run waits no longer than `--wait` for all of them together. */
export function meshProof(context: CliContext, { agents }: Mesh, waitSeconds: number): Proof {
  let until: number | undefined
  const shown = new Set<string>()
  const optionsFor = ({ name, url, allowHosts }: MeshAgent): ProvingOptions => ({
    prove: url,
    ...(allowHosts && { allowHost: allowHosts }),
    otherAgents: [...agents.values()].filter((other) => other.name !== name),
  })
  return {
    admitted: (agent, roster, peer) => {
      until ??= performance.now() + waitSeconds * 1000
      const onProved = (): void => void shown.add(`${peer}:${agent.name}`)
      return admitted(context, roster, peerNamed(roster, peer), optionsFor(agent), { until, onProved })
    },
    proved: async (agent, roster, peer) =>
      shown.has(`${peer}:${agent.name}`)
        ? undefined
        : proved(context, roster, peerNamed(roster, peer), optionsFor(agent)),
  }
}
