import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP server in front of a port, whose connections are cut now and then. */
export interface CuttingRelay {
  readonly port: number
  readonly open: () => number
  /** Cuts one of its connections, or all; half of them without a word (RST). Returns how many. */
  readonly cut: (which: 'one' | 'all', random: (limit: number) => number) => number
}

export async function startCuttingRelay(to: number): Promise<CuttingRelay> {
  const open = new Set<Socket>()
  const server = createServer((outer) => {
    const inner = connect(to, '127.0.0.1')
    open.add(outer)
    const end = (): void => {
      open.delete(outer)
      outer.destroy()
      inner.destroy()
    }
    for (const socket of [outer, inner]) socket.setNoDelay(true).on('error', end).on('close', end)
    outer.pipe(inner).pipe(outer)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    open: () => open.size,
    cut: (which, random) => {
      const all = [...open]
      const chosen = which === 'all' ? all : all.slice(random(all.length)).slice(0, 1)
      for (const socket of chosen) {
        if (random(2) === 0) socket.resetAndDestroy()
        else socket.destroy()
      }
      return chosen.length
    },
  }
}
