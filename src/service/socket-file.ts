import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { TOTPError } from '../core/errors.js'

/**
 * Makes a server listen at a socket that is born with mode 0600. A socket that a dead process has left is replaced.
 *
 * @throws {TOTPError} `ERR_PORT_UNAVAILABLE` if a process listens there, or there is something else than a socket
 */
export async function listenAtFile(server: Server, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found && !found.isSocket()) {
    throw new TOTPError('ERR_PORT_UNAVAILABLE', 'there is a file at the path of the socket; choose another')
  }
  if (found) {
    if (await isAnswered(path)) {
      throw new TOTPError('ERR_PORT_UNAVAILABLE', 'a process listens at that socket; choose another path')
    }
    unlinkSync(path)
  }
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? 'unknown'
      fail(
        new TOTPError(
          'ERR_PORT_UNAVAILABLE',
          `the socket cannot be made there (${why}); choose another path`,
        ),
      )
    })
    server.once('listening', done)
    // The file is made before this returns, so no other mode is ever seen.
    const before = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(before)
    }
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    const finish = (isAlive: boolean): void => {
      socket.destroy()
      done(isAlive)
    }
    socket.once('connect', () => finish(true))
    // A full backlog (EAGAIN) is somebody's.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      finish(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}
