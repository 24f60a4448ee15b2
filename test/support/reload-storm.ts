import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { totpGuard } from '../../src/server/node.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { headersOf, type PeerName } from './guarded.js'
import { serverFile, tokenEntry } from './server-file.js'

export interface ReloadReport {
  readonly reloads: number
  readonly requests: number
  /** Answers other than 200, and requests without an answer. */
  readonly failed: number
  /** From each new file to its being in force, shortest first. */
  readonly delaysMs: readonly number[]
}

/** Swaps the server file again and again, each time for another one, while its peers call without a pause. */
export async function reloadStorm(path: string, reloads: number): Promise<ReloadReport> {
  let loaded: () => void = () => undefined
  const publish = (n: number): void => {
    const file = serverFile()
    const { bob } = file.peers
    Object.assign(bob ?? {}, {
      tokens: [tokenEntry(`t-${n}`, `token-${n}`), ...((bob?.['tokens'] ?? []) as object[])],
    })
    writeFileSync(`${path}.new`, JSON.stringify(file), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  publish(0)
  using scheme = TOTPServerAuthScheme.fromFile(path, {
    onEvent: ({ type }) => {
      if (type === 'server_file_loaded') loaded()
    },
  })
  const server = createServer(totpGuard(scheme, (_, res) => res.end('in')))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  let over = false
  let requests = 0
  let failed = 0
  const load = async (peer: PeerName): Promise<void> => {
    while (!over) {
      requests++
      const status = await fetch(url, { headers: headersOf(peer, new Date()) }).then(
        async (response) => (await response.text(), response.status),
        () => 0,
      )
      if (status !== 200) failed++
    }
  }
  const callers = [load('alice'), load('bob')]
  const delaysMs: number[] = []
  for (let n = 1; n <= reloads; n++) {
    const begin = performance.now()
    const inForce = new Promise<void>((done) => (loaded = done))
    publish(n)
    await inForce
    delaysMs.push(performance.now() - begin)
  }
  over = true
  await Promise.all(callers)
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  return { reloads, requests, failed, delaysMs: delaysMs.sort((a, b) => a - b) }
}
