import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type ClientHttp2Session } from 'node:http2'
import type { BindingName, ProtocolVersion } from '../src/probe/target/cells.js'
import { encodeRequest, pathOf } from '../src/probe/bindings/grpc-message.js'

/** One binding × one version of an agent, as its card names it. */
export interface BareCell {
  readonly binding: BindingName
  readonly protocol: ProtocolVersion
  readonly url: string
}

const get = { name: 'get', taskId: '6e2f8e6a-1111-4111-8111-1d3b3a2f4c5d' } as const

/**
 * The least that a client can do: calls of GetTask one after the other, to each cell in turn, over one connection for
 * each, by Node's own clients. What comes back is read and not looked at.
 */
export class BareCalls {
  readonly #calls: readonly ((fields: Readonly<Record<string, string>>) => Promise<void>)[]
  readonly #closers: (() => void)[] = []

  constructor(cells: readonly BareCell[]) {
    this.#calls = cells.map((cell) => (cell.binding === 'grpc' ? this.#overGrpc(cell) : this.#overHttp(cell)))
  }

  async send(count: number, fields: Readonly<Record<string, string>>): Promise<void> {
    for (let sent = 0; sent < count; sent++) await this.#calls[sent % this.#calls.length]?.(fields)
  }

  close(): void {
    for (const close of this.#closers) close()
  }

  #overHttp({ binding, protocol, url }: BareCell): (fields: object) => Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    this.#closers.push(() => agent.destroy())
    const version = protocol === '1.0' ? { 'a2a-version': '1.0' } : {}
    const method = protocol === '1.0' ? 'GetTask' : 'tasks/get'
    const path = protocol === '1.0' ? '/tasks/' : '/v1/tasks/'
    const [target, verb, body] =
      binding === 'jsonrpc'
        ? ([
            url,
            'POST',
            JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { id: get.taskId } }),
          ] as const)
        : ([url + path + get.taskId, 'GET', undefined] as const)
    return (fields) =>
      new Promise((done, fail) => {
        const headers = { 'content-type': 'application/json', ...version, ...fields }
        const call = request(target, { method: verb, agent, headers }, (answer) => {
          answer.resume().on('end', done)
        })
        call.on('error', fail).end(body)
      })
  }

  #overGrpc({ protocol, url }: BareCell): (fields: object) => Promise<void> {
    let session: ClientHttp2Session | undefined
    this.#closers.push(() => session?.close())
    const path = pathOf(protocol, get)
    const message = encodeRequest(protocol, get)
    return async (fields) => {
      session ??= connect(`http://${url}`)
      const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
      const stream = session.request({ ...headers, 'a2a-version': protocol, ...fields })
      stream.resume().end(message)
      await once(stream, 'close')
    }
  }
}

/** What `code --headers` prints, as header fields. */
export function fieldsIn(lines: string): Record<string, string> {
  return Object.fromEntries(
    lines
      .trim()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  )
}
