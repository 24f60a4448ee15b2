import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { createServer, request, type Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { makeFolder, startBinary } from './cli.js'
import { headersOf, type PeerName } from './guarded.js'
import { serverFile } from './server-file.js'

/** An agent that knows nothing of tokens and codes: `/stream` answers until it is told to end, everything else at once. */
export interface StreamingAgent {
  readonly url: string
  /** How many streams are open. */
  readonly open: () => number
  /** How many calls have arrived whole, streams apart. */
  readonly seen: () => number
  /** Ends each stream with a last line. */
  readonly endStreams: () => void
}

export async function startStreamingAgent(): Promise<StreamingAgent> {
  const streams = new Set<ServerResponse>()
  let seen = 0
  const server = createServer((req, res) => {
    if (req.url === '/stream') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write('data: first\n\n')
      streams.add(res)
      res.on('close', () => streams.delete(res))
      return
    }
    req.resume()
    req.on('end', () => {
      seen++
      res.end(`for ${String(req.headers['totppeer'])}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => streams.size,
    seen: () => seen,
    endStreams: () => {
      for (const stream of streams) stream.end('data: last\n\n')
    },
  }
}

/** A line of a log that is JSON. */
export type LogLine = Readonly<Record<string, unknown>>

/** A sidecar of the built binary, with its log. */
export class SidecarProcess {
  readonly child: ChildProcess
  /** Each line on stderr. */
  readonly said: string[] = []
  out = ''
  #listeners: (() => void)[] = []
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.child = startBinary(args, { cwd, env })
    this.#closed = once(this.child, 'close')
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    if (this.child.stderr)
      createInterface({ input: this.child.stderr }).on('line', (line) => {
        this.said.push(line)
        for (const hear of this.#listeners.splice(0)) hear()
      })
  }

  /** The URLs of its listeners, by role, once it is ready. */
  async urls(): Promise<Readonly<Record<string, string>>> {
    while (!this.out.includes('\n')) {
      await Promise.race([this.child.stdout && once(this.child.stdout, 'data'), once(this.child, 'close')])
      if (this.child.exitCode !== null) throw new Error(this.said.join('\n'))
    }
    const { listeners } = JSON.parse(this.out) as { listeners: { role: string; url: string }[] }
    return Object.fromEntries(listeners.map(({ role, url }) => [role, url]))
  }

  /** The lines of its log so far. Throws if one is no JSON. */
  log(): LogLine[] {
    return this.said.map((line) => JSON.parse(line) as LogLine)
  }

  /** Waits for a line of the log, and returns it. */
  async hasLogged(wanted: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    for (let next = from; ;) {
      for (; next < this.said.length; next++) {
        const line = JSON.parse(this.said[next] ?? '') as LogLine
        if (wanted(line)) return line
      }
      await new Promise<void>((done) => this.#listeners.push(done))
    }
  }

  async ended(): Promise<number | null> {
    // Its exit comes before the last of what it said.
    await this.#closed
    return this.child.exitCode
  }
}

export interface GateProcess {
  readonly gate: SidecarProcess
  readonly url: string
  readonly admin: string
  /** Replaces the server file by one with that serial, as a mounted secret is replaced. */
  readonly publish: (serial: number) => void
}

/** A gate in front of an agent, with a server file of both peers, whose log is JSON. */
export async function startGateProcess(agent: string, args: readonly string[] = []): Promise<GateProcess> {
  const folder = makeFolder()
  const path = join(folder, 'server.json')
  const publish = (serial: number): void => {
    writeFileSync(`${path}.new`, JSON.stringify({ ...serverFile(), serial }), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  publish(1)
  const listeners = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']
  const gate = new SidecarProcess(
    ['gate', '--json', '--log', 'json', '--upstream', agent, '--server-file', path, ...listeners, ...args],
    folder,
  )
  const { gate: url = '', admin = '' } = await gate.urls()
  return { gate, url, admin, publish }
}

/** Sends a call of a peer; returns the head of the answer. */
export function callGate(
  url: string,
  { peer = 'alice', agent }: { readonly peer?: PeerName; readonly agent?: Agent } = {},
): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const method = url.endsWith('/stream') ? 'GET' : 'POST'
    const sent = request(url, { method, agent: agent ?? false, headers: headersOf(peer, new Date()) }, done)
    sent.on('error', fail)
    sent.end(method === 'POST' ? '{"jsonrpc":"2.0"}' : undefined)
  })
}

/** The whole text of an answer. Fails if it was cut off. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return text
}
