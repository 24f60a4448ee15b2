import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent, type Quirks } from './broken-agent.js'
import { alice, bob, midStep, probeOptions, stillClock } from './probing.js'

/** Answers a GET, or leaves it to the agent (false). */
export type Serve = (request: IncomingMessage, response: ServerResponse) => boolean

export interface FrontProbing {
  readonly report: ProbeReport
  readonly url: string
  /** Method, path and the names of the credentials of each request. */
  readonly seen: readonly string[]
  readonly said: readonly string[]
}

/** Probes a test agent through a server in front that answers some GET requests itself. */
export async function probeBehind(
  serve: Serve,
  { path = '', quirks = {}, ...options }: Partial<ProbeOptions> & { path?: string; quirks?: Quirks } = {},
): Promise<FrontProbing> {
  const clock = stillClock(midStep)
  const agent = await startTestAgent({
    peers: [alice, bob],
    profile: defaultProfile,
    now: clock.now,
    quirks,
  })
  const seen: string[] = []
  const said: string[] = []
  const front = createServer((request, response) => {
    const carried = ['authorization', 'x-totp'].filter((name) => name in request.headers)
    seen.push([request.method, request.url, ...carried].join(' '))
    if (request.method === 'GET' && serve(request, response)) return
    const { method = '', url = '', rawHeaders: headers } = request
    const sent = forward(agent.url + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders)
      answer.pipe(response)
    })
    request.pipe(sent)
  })
  front.listen(0, '127.0.0.1')
  await new Promise((resolve) => front.once('listening', resolve))
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  try {
    const announce = (text: string): void => void said.push(text)
    const report = await probe({ ...probeOptions(url + path, clock), announce, ...options })
    return { report, url, seen, said }
  } finally {
    front.closeAllConnections()
    await new Promise((resolve) => front.close(resolve))
    await agent.close()
  }
}
