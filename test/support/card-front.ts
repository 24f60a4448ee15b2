import type { IncomingMessage, ServerResponse } from 'node:http'
import { defaultProfile } from '../../src/core/profile.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent, type Quirks } from './broken-agent.js'
import { startFront } from './front.js'
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
  const front = await startFront(agent.url, {
    answers: (request, response) => {
      const carried = ['authorization', 'x-totp'].filter((name) => name in request.headers)
      seen.push([request.method, request.url, ...carried].join(' '))
      return request.method === 'GET' && serve(request, response)
    },
  })
  const { url } = front
  try {
    const announce = (text: string): void => void said.push(text)
    const report = await probe({ ...probeOptions(url + path, clock), announce, ...options })
    return { report, url, seen, said }
  } finally {
    await front.close()
    await agent.close()
  }
}
