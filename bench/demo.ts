import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { BareCell } from './bare-calls.js'
import type { Run } from './processes.js'

export interface Demo {
  readonly card: string
  readonly cells: readonly BareCell[]
  stop(): Promise<void>
}

const bindings = { JSONRPC: 'jsonrpc', 'HTTP+JSON': 'rest', GRPC: 'grpc' } as const

/** Starts the demo agent as a process, and waits until it listens. */
export async function startDemo({ command, args, cwd, env }: Run): Promise<Demo> {
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const [line] = (await Promise.race([once(child.stdout ?? child, 'data'), exit])) as [Buffer]
  const { card, interfaces } = JSON.parse(String(line)) as {
    card: string
    interfaces: { url: string; protocolBinding: keyof typeof bindings; protocolVersion: '1.0' | '0.3' }[]
  }
  return {
    card,
    cells: interfaces.map(({ url, protocolBinding, protocolVersion }) => ({
      url,
      binding: bindings[protocolBinding],
      protocol: protocolVersion,
    })),
    stop: async () => {
      child.kill()
      await exit
    },
  }
}
