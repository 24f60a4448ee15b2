import type { Socket } from 'node:net'

/** What a client of HTTP/2 sends first (RFC 9113 §3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * Tells by its first bytes which protocol a client speaks.
 *
 * @param onProtocol gets the bytes, which are no longer in the socket; not called if the connection ends before
 */
export function readProtocol(
  socket: Socket,
  onProtocol: (protocol: 'http/1.1' | 'h2', seen: Buffer) => void,
): void {
  let seen: Buffer = Buffer.alloc(0)
  const look = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    }
    if (seen.length === 0) return
    const common = Math.min(seen.length, preface.length)
    const isPreface = seen.subarray(0, common).equals(preface.subarray(0, common))
    if (isPreface && common < preface.length) return
    socket.off('readable', look)
    // Only after that the socket can flow for others.
    process.nextTick(onProtocol, isPreface ? 'h2' : 'http/1.1', seen)
  }
  socket.on('readable', look)
}
