import type { Order } from './protocol.js'

type Start = Extract<Order, { type: 'start' }>

let at = new Date()

/** The clock of a server, which the runner sets. */
export const now = (): Date => at

/** Lets the runner steer this process. `start` gives the port of the server that is asked for. */
export function obey(start: (order: Start) => Promise<number>): void {
  process.on('message', (order: Order) => {
    at = new Date(order.at)
    if (order.type === 'start') void start(order).then((port) => process.send?.(port))
    else {
      const { user, system } = process.cpuUsage()
      process.send?.((user + system) / 1000)
    }
  })
  process.on('disconnect', () => process.exit())
}
