import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** Returns a port of 127.0.0.1 that is free with those after it, as far as anybody can know. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = createServer().listen(0, '127.0.0.1')
    await once(first, 'listening')
    const { port } = first.address() as AddressInfo
    const others = Array.from({ length: count - 1 }, (_, index) =>
      createServer().listen(port + 1 + index, '127.0.0.1'),
    )
    const isFree = await Promise.all(
      others.map((one) =>
        once(one, 'listening').then(
          () => true,
          () => false,
        ),
      ),
    )
    for (const one of [first, ...others]) one.close()
    if (isFree.every(Boolean)) return port
  }
}

/** The same of one port, for programs that cannot be told to take any. */
export const freePort = (): Promise<number> => freePorts(1)
